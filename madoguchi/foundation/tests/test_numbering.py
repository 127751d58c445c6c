import threading

import pytest
from django.db import connection, transaction

from madoguchi.foundation.numbering import next_number


@pytest.mark.django_db(transaction=True)
def test_a_number_outside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError):
        next_number(series="case", year=2026)


@pytest.mark.django_db
def test_each_series_and_year_counts_for_itself() -> None:
    taken = [
        next_number(series=series, year=year)
        for series, year in [("case", 2026), ("case", 2026), ("case", 2027), ("ticket", 2026)]
    ]

    assert taken == [1, 2, 1, 1]


@pytest.mark.django_db(transaction=True)
def test_parallel_work_and_rollbacks_leave_no_gap() -> None:
    kept: list[int] = []

    def work(worker: int) -> None:
        try:
            for turn in range(8):
                with transaction.atomic():
                    number = next_number(series="case", year=2026)
                    if (worker + turn) % 3 == 0:
                        transaction.set_rollback(True)
                        continue
                kept.append(number)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(kept) == list(range(1, len(kept) + 1))
    assert len(kept) == 32
