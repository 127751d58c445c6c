"""Numbers without gaps: 令和8年度 第12号."""

from django.db import connection

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
    table = connection.ops.quote_name(Sequence._meta.db_table)
    with connection.cursor() as cursor:  # one statement: it makes, locks and raises the row
        cursor.execute(
            f"INSERT INTO {table} (series, year, last) VALUES (%s, %s, 1)"  # noqa: S608 our own
            f" ON CONFLICT (series, year) DO UPDATE SET last = {table}.last + 1 RETURNING last",
            [series, year],
        )
        return int(cursor.fetchone()[0])
