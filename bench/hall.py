"""A database of its own for one measurement, and a hall of counters in it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any


@contextmanager
def own_database() -> Iterator[None]:
    """Make an empty database (SQLite file, or on the server of MADOGUCHI_DATABASE_URL)."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MADOGUCHI_DATA"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django

        django.setup()
        from django.db import connection

        connection.settings_dict["TEST"]["NAME"] = (
            f"{folder}/bench.sqlite3" if connection.vendor == "sqlite" else "madoguchi_bench"
        )
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            yield
        finally:
            connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def hall(*, counters: int, days: int, filled: float = 0.0, seed: int = 1) -> Any:
    """
    Return a service of 30 minutes at so many counters, open 8:30–12:00 and 13:00–17:15.

    `filled`: the share of each counter's half hours that are booked, one row each.
    """
    from madoguchi.booking import rules
    from madoguchi.booking.models import Appointment, CounterDay
    from tests import make

    random = Random(seed)
    service = make.service(counters=[make.counter(f"{n}番") for n in range(counters)])
    opened = rules.run_mask(6, 14) | rules.run_mask(24, 17)
    rows: list[CounterDay] = []
    booked: list[Appointment] = []
    for n in range(days):
        day = make.NOW.date() + timedelta(days=n)
        if day.weekday() >= 5:
            continue
        for desk in service.counters.all():
            taken = [c for c in (*range(6, 19, 2), *range(24, 40, 2)) if random.random() < filled]
            busy = 0
            for cell in taken:
                busy |= rules.run_mask(cell, 2)
                booked.append(
                    Appointment(
                        number=f"{len(booked):010}",
                        token=rules.new_token(),
                        service=service,
                        counter=desk,
                        start=rules.start_of(day, cell),
                        cells=2,
                        source="web",
                        name="来庁者",
                        booked_at=make.NOW,
                    )
                )
            rows.append(CounterDay(day=day, counter=desk, open=opened, busy=busy))
    CounterDay.objects.bulk_create(rows, batch_size=500)
    Appointment.objects.bulk_create(booked, batch_size=500)
    return service


def milliseconds(seconds: list[float]) -> str:
    """Return p50 and p95 of the measured seconds, in milliseconds."""
    ordered = sorted(seconds)
    p50, p95 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
    return f"p50 {p50 * 1000:8.1f} ms   p95 {p95 * 1000:8.1f} ms"
