"""The declared order of calling: 予約優先, 時刻順, 予約なしは後回し."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError
from django.test import Client

from madoguchi.audit.models import AuditEvent
from madoguchi.reception import actions, queries, rules
from madoguchi.reception.models import QueueRule
from madoguchi.reception.rules import CallOrder, Order, Waiting
from madoguchi.staff.rules import Role
from tests import make

NINE = make.NOW.replace(hour=9)


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


WALK_IN = Waiting(visit=1, arrived_at=at(0))
BOOKED = Waiting(visit=2, arrived_at=at(5), booked_for=at(10))
LATE = Waiting(visit=3, arrived_at=at(6.5), booked_for=at(0))


@pytest.mark.parametrize(
    ("order", "called"),
    [
        (Order.BOOKED_FIRST, [2, 1, 3]),
        (Order.BY_TIME, [1, 3, 2]),
        (Order.WALK_INS_LATER, [2, 1, 3]),
    ],
)
def test_each_order_calls_as_it_says(order: Order, called: list[int]) -> None:
    people = rules.in_turn([WALK_IN, BOOKED, LATE], now=at(20), by=CallOrder(order))

    assert [person.visit for person in people] == called


def test_the_weight_says_how_much_later_a_walk_in_counts() -> None:
    light = CallOrder(Order.WALK_INS_LATER, delay=timedelta(minutes=5))

    people = rules.in_turn([WALK_IN, BOOKED], now=at(20), by=light)

    assert [person.visit for person in people] == [1, 2]


@pytest.mark.parametrize(("grace", "keeps"), [(5, False), (7, True)])
def test_late_by_more_than_the_declared_minutes_loses_the_place(grace: int, keeps: bool) -> None:
    order = CallOrder(grace=timedelta(minutes=grace))

    assert order.keeps_place(LATE) is keeps


@pytest.mark.parametrize("order", Order)
def test_the_public_words_name_the_minutes(order: Order) -> None:
    words = CallOrder(order, grace=timedelta(minutes=7), delay=timedelta(minutes=20)).words

    assert "7分を超えて遅れると" in words
    assert ("20分を足した" in words) is (order is Order.WALK_INS_LATER)


@pytest.mark.django_db
class TestSetQueueRule:
    def test_the_counter_calls_by_the_declared_order(self) -> None:
        service = make.service()
        walk_in = make.visit(service, arrived_at=at(0))
        make.visit(service, arrived_at=at(5), booked_for=at(10))
        officer = make.staff(Role.RECEPTION)
        actions.set_queue_rule(
            site=make.site(), fields={"order": "by_time"}, by=officer, at=make.NOW
        )

        called = actions.call_next(counter=service.counters.get(), by=officer, at=at(20))

        assert called == walk_in
        assert AuditEvent.objects.filter(verb="queue_rule.set").count() == 1

    def test_it_is_set_by_form_and_shown_to_everybody(self, client: Client) -> None:
        site = make.service().counters.get().site
        client.force_login(make.staff(Role.CENTRE_HEAD))
        client.post(
            f"/staff/reception/{site.code}/rule/",
            {"order": "by_time", "grace_minutes": 9, "delay_minutes": 0, "busy_minutes": 30},
        )

        for page in (f"/display/{site.code}/", "/congestion/"):
            assert "9分を超えて遅れると" in client.get(page).content.decode()

    def test_minutes_beyond_reason_are_said_on_the_field(self, client: Client) -> None:
        client.force_login(make.staff(Role.CENTRE_HEAD))

        page = client.post(
            f"/staff/reception/{make.site().code}/rule/",
            {"order": "by_time", "grace_minutes": 999, "delay_minutes": 0, "busy_minutes": 30},
        ).content.decode()

        assert 'aria-invalid="true"' in page
        assert not QueueRule.objects.exists()

    def test_the_table_refuses_them_too(self) -> None:
        with pytest.raises(IntegrityError):
            QueueRule.objects.create(
                site=make.site(), grace_minutes=121, changed_at=make.NOW, changed_by="x"
            )

    def test_without_a_row_the_house_rule_holds(self) -> None:
        assert queries.call_order(make.site().pk) == rules.DECLARED
