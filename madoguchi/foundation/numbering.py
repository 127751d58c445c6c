"""Numbers without gaps: 令和8年度 第12号."""

from django.db import connection, transaction

from madoguchi.foundation.models import Sequence


def next_number(*, series: str, year: int) -> int:
    """
    Take the next number of a series; a rollback gives it back.

    The row stays locked until the surrounding transaction ends, so call this after every
    other lock except the audit trail's.

    :raises RuntimeError: no transaction is open.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a number is taken inside the transaction that uses it")
    Sequence.objects.bulk_create([Sequence(series=series, year=year)], ignore_conflicts=True)
    with transaction.atomic():
        row = Sequence.objects.select_for_update().get(series=series, year=year)
        row.last += 1
        row.save(update_fields=["last"])
    return row.last
