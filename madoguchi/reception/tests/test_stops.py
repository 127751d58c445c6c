"""Several counters on one ticket: stops, transfer, parking."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError
from django.test import Client

from madoguchi.booking.models import Service
from madoguchi.offices.models import Counter
from madoguchi.reception import actions, queries, rules
from madoguchi.reception.models import Stop, Visit
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db


def at(minutes: float) -> datetime:
    return make.NOW + timedelta(minutes=minutes)


@pytest.fixture
def officer() -> User:
    return make.staff(Role.RECEPTION)


@pytest.fixture
def first() -> Counter:
    return make.counter("1番")


@pytest.fixture
def second() -> Counter:
    return make.counter("2番")


@pytest.fixture
def service(first: Counter) -> Service:
    return make.service("転入届", counters=[first])


@pytest.fixture
def other(second: Counter) -> Service:
    return make.service("児童手当", counters=[second])


@pytest.fixture
def visit(service: Service, first: Counter, officer: User) -> Visit:
    """Somebody who is served at the first counter since ten o'clock."""
    make.visit(service)
    called = actions.call_next(counter=first, by=officer, at=at(0))
    assert called
    return actions.start(visit=called, by=officer, at=at(1))


def test_the_next_counter_on_the_ticket_follows_without_a_new_number(
    visit: Visit, other: Service, second: Counter, officer: User
) -> None:
    actions.add_stop(visit=visit, service=other, desk=None, note="口座", by=officer, at=at(5))
    gone_on = actions.finish(visit=visit, by=officer, at=at(10))
    called = actions.call_next(counter=second, by=officer, at=at(12))
    assert called
    actions.start(visit=called, by=officer, at=at(13))
    done = actions.finish(visit=called, by=officer, at=at(20))

    assert gone_on.status == "waiting"
    assert (called.ticket, called.note) == (visit.ticket, "口座")
    assert done.status == "done"
    left = Stop.objects.get()
    assert (left.service.name, left.counter) == ("転入届", visit.counter)
    assert (left.called_at, left.finished_at) == (at(0), at(10))


def test_a_transfer_keeps_the_place_and_brings_the_note(
    visit: Visit, other: Service, second: Counter, officer: User
) -> None:
    make.visit(other, arrived_at=at(2))

    actions.transfer(visit=visit, service=other, desk=None, note="急ぎ", by=officer, at=at(5))

    line = queries.queue(site=visit.site, at=at(6), counter=second)
    assert line[0] == visit
    assert Visit.objects.get(pk=visit.pk).note == "急ぎ"


def test_who_is_sent_to_one_counter_is_called_by_no_other(
    visit: Visit, other: Service, second: Counter, officer: User
) -> None:
    third = make.counter("3番")
    other.counters.add(third)
    actions.transfer(visit=visit, service=other, desk=third, note="", by=officer, at=at(5))

    assert actions.call_next(counter=second, by=officer, at=at(6)) is None
    assert actions.call_next(counter=third, by=officer, at=at(6)) == visit


def test_who_stands_before_at_the_same_counters_is_counted_whatever_they_came_for(
    visit: Visit, service: Service, other: Service, first: Counter, second: Counter
) -> None:
    third = make.service("国民健康保険", counters=[first])
    make.visit(third, arrived_at=at(-9))
    make.visit(other, arrived_at=at(-8))  # at the second counter: in nobody's way
    make.visit(other, arrived_at=at(-7), desk=first)
    last = make.visit(service, arrived_at=at(-1))

    assert queries.people_ahead(last, at=at(0)) == 2


def test_nobody_is_sent_where_nobody_calls(visit: Visit, officer: User) -> None:
    elsewhere = make.service("無人の手続き", counters=[])

    with pytest.raises(rules.StepNotAllowed, match="窓口がありません"):
        actions.transfer(visit=visit, service=elsewhere, desk=None, note="", by=officer, at=at(5))
    far = make.counter("9番", site=make.site("南支所"))
    with pytest.raises(rules.StepNotAllowed, match="窓口ではありません"):
        actions.add_stop(visit=visit, service=elsewhere, desk=far, note="", by=officer, at=at(5))


def test_who_is_not_at_a_counter_is_not_transferred(
    service: Service, other: Service, officer: User
) -> None:
    with pytest.raises(rules.StepNotAllowed, match="窓口にいる方だけ"):
        actions.transfer(
            visit=make.visit(service), service=other, desk=None, note="", by=officer, at=at(5)
        )


def test_a_parked_one_is_not_called_and_comes_back_to_the_same_counter(
    visit: Visit, first: Counter, officer: User
) -> None:
    actions.park(visit=visit, by=officer, at=at(5))

    assert actions.call_next(counter=first, by=officer, at=at(6)) is None
    again = actions.recall(visit=visit, by=officer, at=at(30))
    assert (again.status, again.counter) == ("called", first)
    assert Stop.objects.get().finished_at == at(5)  # the talk before counts by itself


def test_a_stop_is_to_come_or_left(visit: Visit, other: Service) -> None:
    with pytest.raises(IntegrityError):
        Stop.objects.create(visit=visit, service=other, called_at=at(1))


class TestTransferPage:
    def test_now_and_afterwards(self, client: Client, visit: Visit, other: Service) -> None:
        client.force_login(make.staff(Role.RECEPTION))
        url = f"/staff/visits/{visit.pk}/transfer/"
        assert "児童手当" in client.get(url).content.decode()

        client.post(url, {"service": other.pk, "when": "after", "note": ""})
        assert Stop.objects.get().service == other
        answer = client.post(
            url, {"service": other.pk, "when": "now", "note": "書類あり"}, follow=True
        )

        assert "引き継ぎます" in answer.content.decode()
        assert Visit.objects.get().note == "書類あり"

    def test_the_note_is_read_at_the_next_counter_and_not_by_the_public(
        self, client: Client, visit: Visit, other: Service, second: Counter, officer: User
    ) -> None:
        actions.transfer(
            visit=visit, service=other, desk=None, note="障害者手帳", by=officer, at=at(5)
        )
        actions.call_next(counter=second, by=officer, at=at(6))
        client.force_login(make.staff(Role.RECEPTION))

        assert client.get(f"/display/{visit.site.code}/").status_code == 200
        for page in (visit.address, f"/display/{visit.site.code}/", "/congestion/"):
            assert "障害者手帳" not in client.get(page).content.decode()
