"""
Bookings per second, with the guard and without; and what the guard prevents.

Usage: python -m bench.bookings [BOOKINGS]      (400 unless said)
Eight threads, each with its own connection, book 30 minutes at one of 20 counters. The control
looks whether the cells are free and takes them afterwards. A booking is the whole action: claim,
row, live event, audit event, one commit to disk.
"""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from bench.hall import hall, milliseconds, own_database

THREADS, COUNTERS, DAYS = 8, 20, 30


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    with own_database():
        _measure(count)


def _measure(count: int) -> None:
    from django.db import connection

    from madoguchi.booking import actions, queries
    from madoguchi.booking.models import Appointment, CounterDay

    service = hall(counters=COUNTERS, days=DAYS)
    guarded = actions.claim
    speeds = {}
    sys.stdout.write(f"{connection.vendor}: {count} bookings, {THREADS} threads\n")
    for name, claim in (("with the guard", guarded), ("without", _look_then_take)):
        Appointment.objects.all().delete()
        CounterDay.objects.update(busy=0)
        actions.claim = claim
        began = time.perf_counter()
        seconds = _rush(service, count)
        speeds[name] = len(seconds) / (time.perf_counter() - began)
        overlaps = len(queries.overlapping_appointments())
        sys.stdout.write(
            f"  {name:15} {speeds[name]:7.0f}/s   {milliseconds(seconds)}"
            f"   overlapping pairs {overlaps}\n"
        )
    actions.claim = guarded
    sys.stdout.write(f"  ratio           {speeds['with the guard'] / speeds['without']:.2f}\n")


def _rush(service: Any, count: int) -> list[float]:
    from django.db import IntegrityError, connections

    from madoguchi.booking import actions, rules
    from tests import make

    ready = threading.Barrier(THREADS)
    site = make.site()

    def work(numbers: range) -> list[float]:
        seconds = []
        try:
            ready.wait(timeout=30)
            for number in numbers:
                day = make.NOW.date() + timedelta(days=1 + number // 400)
                start = rules.start_of(day, (24, 25, 26, 28, 29, 30)[number % 6])
                began = time.perf_counter()
                with suppress(rules.Full, IntegrityError):
                    actions.book(service=service, site=site, start=start, name="x", at=make.NOW)
                seconds.append(time.perf_counter() - began)
        finally:
            connections.close_all()
        return seconds

    shares = [range(n, count, THREADS) for n in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        return [s for share in pool.map(work, shares) for s in share]


def _look_then_take(*, day: date, counter_id: int, mask: int, is_online: bool = False) -> bool:
    from django.db.models import F

    from madoguchi.booking.models import CounterDay

    row = CounterDay.objects.filter(day=day, counter_id=counter_id)
    is_free = not row.get().busy & mask
    if is_free:
        row.update(busy=F("busy").bitor(mask))
    return is_free


if __name__ == "__main__":
    main()
