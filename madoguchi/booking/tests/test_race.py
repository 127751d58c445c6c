"""
500 attempts on the last places of one hour, at the same time, through real connections.

What counts is how many were accepted, and that without the guard more would have been.
"""

import threading
from collections import Counter as Tally
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, connections
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from madoguchi.booking import actions, queries, rules
from madoguchi.booking.models import Appointment, CounterDay, OpeningRule, Service
from madoguchi.foundation.errors import RuleBroken
from madoguchi.offices.models import Site
from madoguchi.staff.rules import Role
from tests import make
from tests.crowd import AT_ONCE, rush

NINE = rules.start_of(make.NOW.date() + timedelta(days=1), 8)
ATTEMPTS = 500


def open_counters(count: int) -> Service:
    service = make.service(counters=[make.counter(f"{n}番") for n in range(count)])
    make.open_counters(service, days=3)
    return service


def booking(service: Service, site: Site, start: datetime = NINE) -> Callable[[int], str]:
    """Return an attempt to book; every second one overlaps by a quarter of an hour."""

    def attempt(number: int) -> str:
        try:
            actions.book(
                service=service,
                site=site,
                start=start + timedelta(minutes=15 * (number % 2)),
                name=f"来庁者{number}",
                key=f"race:{number}",
                at=make.NOW,
            )
        except rules.Full:
            return "full"
        except DatabaseError as error:
            return type(error).__name__
        return "booked"

    return attempt


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("capacity", [1, 3])
def test_exactly_the_capacity_is_booked(capacity: int) -> None:
    service, site = open_counters(capacity), make.site()

    ends = rush(booking(service, site), times=ATTEMPTS)

    assert ends == {"booked": capacity, "full": ATTEMPTS - capacity}
    assert Appointment.objects.count() == capacity
    assert not queries.overlapping_appointments()
    assert not queries.mask_differences()


@pytest.mark.django_db(transaction=True)
def test_without_the_guard_more_are_booked_than_there_are_places(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: look first, take afterwards, as a program does that trusts what it read."""
    looked = threading.Barrier(2)

    def look_then_take(*, day: date, counter_id: int, mask: int, is_online: bool = False) -> bool:
        row = CounterDay.objects.filter(day=day, counter_id=counter_id)
        is_free = not row.get().busy & mask
        with suppress(threading.BrokenBarrierError):
            looked.wait(timeout=5)  # both have looked before either takes
        if is_free:
            row.update(busy=F("busy").bitor(mask))
        return is_free

    service, site = open_counters(1), make.site()
    monkeypatch.setattr(actions, "claim", look_then_take)
    monkeypatch.setattr(actions, "_lock_days", lambda wanted: None)
    # The program without the guard has no transaction around looking and taking either.
    monkeypatch.setattr(actions, "_book", actions._book.__wrapped__)  # type: ignore[attr-defined]
    attempt = booking(service, site)

    def work(number: int) -> str:
        try:
            return attempt(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        ends = Tally(pool.map(work, range(2)))

    assert ends["booked"] == 2
    assert queries.overlapping_appointments()


@pytest.mark.django_db(transaction=True)
def test_the_same_key_sent_many_times_at_once_is_one_booking() -> None:
    service, site = open_counters(5), make.site()
    numbers = set()

    def attempt(number: int) -> str:
        made = actions.book(
            service=service, site=site, start=NINE, name="髙橋 花子", key="web:1", at=make.NOW
        )
        numbers.add(made.number)
        return "booked"

    ends = rush(attempt, times=AT_ONCE * 4)

    assert ends == {"booked": AT_ONCE * 4}
    assert len(numbers) == Appointment.objects.count() == 1
    assert not queries.mask_differences()


@pytest.mark.django_db(transaction=True)
def test_booking_moving_cancelling_and_new_hours_at_once_never_overbook() -> None:
    counters = [make.counter(f"{n}番") for n in range(2)]
    service, site = make.service(counters=counters), make.site()
    admin = make.staff(Role.ADMIN)

    def new_rule(number: int, *, is_closure: bool) -> OpeningRule:
        return actions.add_opening_rule(
            counter=counters[number % 2],
            weekdays=0b1111111,
            opens_at=NINE.time(),
            closes_at=(NINE + timedelta(hours=2)).time(),
            valid_from=make.NOW.date(),
            is_closure=is_closure,
            by=admin,
            at=make.NOW,
        )

    for number in range(2):
        new_rule(number, is_closure=False)

    def attempt(number: int) -> str:
        start = NINE + timedelta(minutes=15 * (number % 5))
        rows = list(Appointment.objects.order_by("pk")[number % 7 : number % 7 + 1])
        try:
            if number % 4 == 0:
                actions.book(service=service, site=site, start=start, name="x", at=make.NOW)
            elif number % 11 == 0:
                rule = new_rule(number, is_closure=True)
                actions.withdraw_opening_rule(rule=rule, by=admin, at=make.NOW)
            elif rows and number % 4 == 1:
                actions.cancel(appointment=rows[0], at=make.NOW)
            elif rows:
                actions.reschedule(appointment=rows[0], site=site, start=start, at=make.NOW)
        except RuleBroken:
            return "refused"
        return "done"

    ends = rush(attempt, times=300)

    assert ends["done"] > 10
    assert set(ends) <= {"done", "refused"}
    assert not queries.overlapping_appointments()
    assert not queries.mask_differences()


@pytest.mark.django_db
def test_the_guard_is_one_conditional_update() -> None:
    counter = open_counters(1).counters.get()

    with CaptureQueriesContext(connection) as captured:
        taken = actions.claim(day=NINE.date(), counter_id=counter.pk, mask=0b11 << 8)

    said = [query["sql"] for query in captured]
    assert taken
    assert len(said) == 1
    assert said[0].startswith("UPDATE")
    assert "SELECT" not in said[0]  # a sub-select would not be asked again after a lock
