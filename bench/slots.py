"""
Free places of 90 days at 20 counters, 60 % booked: bit masks against rows read one by one.

Usage: python -m bench.slots [ROUNDS]      (20 unless said)
Then the earliest free place of a service at 100 sites of 20 counters; its control reads every
day of every site, as a program does that knows no better. And the same when nobody has a place.
The control asks as a plain program does: for every day and every counter the appointments, then
tries every start. Both must find the same places, or the run fails.
"""

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bench.hall import hall, milliseconds, own_database

DAYS, COUNTERS, FILLED = 90, 20, 0.6
SITES = 100


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with own_database():
        _measure(rounds)


def _measure(rounds: int) -> None:
    from django.db import connection

    from madoguchi.booking import queries, rules
    from madoguchi.booking.models import Errand
    from tests import make

    service = hall(counters=COUNTERS, days=DAYS, filled=FILLED)
    first = make.NOW.date()
    last = first + timedelta(days=DAYS - 1)
    window = rules.Window(earliest=make.NOW, last_day=last)

    def masks() -> dict[Any, int]:
        found = queries.free_slots(Errand((service,)), first=first, last=last, window=window)
        return {slot.start: slot.free for slot in found}

    def rows() -> dict[Any, int]:
        return _row_by_row(service, first=first, last=last)

    ours, ours_queries, found = _timed(masks, rounds)
    control, control_queries, wanted = _timed(rows, max(2, rounds // 10))
    if found != wanted:
        raise SystemExit("the control found other places: the figures mean nothing")
    sys.stdout.write(
        f"{connection.vendor}: {DAYS} days, {COUNTERS} counters, {FILLED:.0%} booked, "
        f"{len(found)} starts\n"
        f"  masks        {milliseconds(ours)}   {ours_queries} queries\n"
        f"  row by row   {milliseconds(control)}   {control_queries} queries\n"
        f"  ratio        {sorted(control)[len(control) // 2] / sorted(ours)[len(ours) // 2]:.0f}\n"
    )

    sys.stdout.write(_hundred_sites(rounds))


def _hundred_sites(rounds: int) -> str:
    """Two weeks fully booked everywhere, then one free half hour at the last site."""
    from django.db import connection

    from madoguchi.booking import queries, rules
    from madoguchi.booking.models import CounterDay, Errand
    from madoguchi.offices.models import Counter, Site
    from tests import make

    sites = Site.objects.bulk_create(
        Site(code=f"s{number}", name=f"第{number}支所") for number in range(SITES)
    )
    division, opened = make.division(), rules.run_mask(6, 35)
    desks = Counter.objects.bulk_create(
        Counter(site=site, division=division, name=f"{number}番")
        for site in sites
        for number in range(COUNTERS)
    )
    service = make.service("どこでも", code="anywhere", counters=desks)
    first = make.NOW.date()
    last = first + timedelta(days=DAYS - 1)
    CounterDay.objects.bulk_create(
        (
            CounterDay(day=first + timedelta(days=n), counter=desk, open=opened, busy=opened)
            for n in range(DAYS)
            for desk in desks
        ),
        batch_size=500,
    )
    window = rules.Window(earliest=make.NOW, last_day=last)

    def soonest() -> Any:
        return queries.nearest(Errand((service,)), first=first, last=last, window=window)

    def everything() -> Any:
        found = queries.places(Errand((service,)), first=first, last=last, window=window)
        return min((day for day in found if day.free), key=lambda day: day.day, default=None)

    nowhere, _, _ = _timed(soonest, rounds)
    CounterDay.objects.filter(counter=desks[-1], day=first + timedelta(days=14)).update(busy=0)
    late, count, found = _timed(soonest, rounds)
    CounterDay.objects.filter(day=first).update(busy=0)
    soon, _, _ = _timed(soonest, rounds)
    CounterDay.objects.filter(day=first).update(busy=opened)
    control, _, wanted = _timed(everything, 2)
    if (found.day, found.site, found.free) != (wanted.day, wanted.site, wanted.free):
        raise SystemExit("the control found another place: the figures mean nothing")
    ratio = sorted(control)[len(control) // 2] / sorted(late)[len(late) // 2]
    return (
        f"{connection.vendor}: {SITES} sites of {COUNTERS} counters, the earliest free place\n"
        f"  today        {milliseconds(soon)}\n"
        f"  in two weeks {milliseconds(late)}   {count} queries\n"
        f"  nowhere      {milliseconds(nowhere)}\n"
        f"  all days     {milliseconds(control)}\n"
        f"  ratio        {ratio:.0f}\n"
    )


def _timed(ask: Callable[[], dict[Any, int]], rounds: int) -> tuple[list[float], int, Any]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        found = ask()
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - began)
    return seconds, len(captured), found


def _row_by_row(service: Any, *, first: Any, last: Any) -> dict[Any, int]:
    from madoguchi.booking import rules
    from madoguchi.booking.models import Appointment, CounterDay
    from tests import make

    free: dict[Any, int] = {}
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        for desk in service.counters.all():
            opened = CounterDay.objects.filter(day=day, counter=desk).first()
            taken = list(Appointment.objects.occupying().on_day(day).filter(counter=desk))
            for cell in range(rules.CELLS - service.cells + 1):
                start = rules.start_of(day, cell)
                end = start + timedelta(minutes=15 * service.cells)
                mask = rules.run_mask(cell, service.cells)
                if opened is None or opened.open & mask != mask or start < make.NOW:
                    continue
                if all(
                    row.start >= end or row.start + timedelta(minutes=15 * row.cells) <= start
                    for row in taken
                ):
                    free[start] = free.get(start, 0) + 1
    return free


if __name__ == "__main__":
    main()
