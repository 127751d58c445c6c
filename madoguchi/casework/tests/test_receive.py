import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from madoguchi.audit.models import AuditEvent
from madoguchi.casework import actions
from madoguchi.casework.models import Case
from madoguchi.casework.rules import Channel, Kind
from madoguchi.foundation.models import LiveEvent
from tests import make

pytestmark = pytest.mark.django_db


def receive(**more: Any) -> Case:
    by = more.pop("by", None) or make.staff()
    fields: dict[str, Any] = {
        "kind": Kind.CONSULTATION.value,
        "channel": Channel.PHONE.value,
        "category": more.pop("category", None) or make.category(),
        "title": "転入届の書き方",
        "summary": "",
        "resident": None,
        "owner": by.division,
        "by": by,
        "at": make.NOW,
    }
    return actions.receive(**fields | more)


def test_a_case_gets_the_next_number_of_its_fiscal_year() -> None:
    first, second = receive(), receive()
    next_year = receive(at=make.NOW + timedelta(days=200))

    assert [first.number, second.number, next_year.number] == ["R8-00001", "R8-00002", "R9-00001"]


def test_the_same_form_sent_twice_opens_one_case() -> None:
    by, key = make.staff(), uuid4()

    first, second = receive(by=by, key=key), receive(by=by, key=key)

    assert first == second
    assert Case.objects.count() == 1
    assert AuditEvent.objects.filter(verb="case.receive").count() == 1


def test_a_key_opens_no_door_to_the_case_of_somebody_else() -> None:
    key = uuid4()
    receive(by=make.staff(), key=key)

    with pytest.raises(Exception, match=r"key|キー"), transaction.atomic():
        receive(by=make.staff(), key=key)

    assert Case.objects.count() == 1


def test_a_category_that_is_confidential_by_nature_restricts_the_case() -> None:
    assert receive(category=make.category("DV・虐待・人権", code="DV")).is_sensitive
    assert not receive().is_sensitive


def test_whoever_receives_the_case_works_on_it_and_the_division_hears_of_it() -> None:
    by = make.staff()

    case = receive(by=by)

    assert case.involvements.get().user == by
    assert LiveEvent.objects.filter(topic=f"division.{by.division_id}").count() == 1


def test_a_visit_opens_one_case_titled_by_what_the_visitor_came_for() -> None:
    visit = make.visit(make.service("保育所の入所相談"))
    by = make.staff()

    first = actions.open_from_visit(visit=visit, by=by, at=make.NOW)
    second = actions.open_from_visit(visit=visit, by=make.staff(), at=make.NOW)

    assert first == second
    assert (first.title, first.visit, first.channel) == (
        "保育所の入所相談",
        visit,
        Channel.COUNTER,
    )


@pytest.mark.django_db(transaction=True)
def test_numbers_stay_without_gaps_when_many_receive_and_some_roll_back() -> None:
    by, category = make.staff(), make.category()
    start = threading.Barrier(6)

    class GivenUp(Exception):
        pass

    def one(turn: int) -> None:
        try:
            if turn < 6:
                start.wait(timeout=10)
            with transaction.atomic():
                receive(by=by, category=category)
                if turn % 3 == 0:
                    raise GivenUp
        except GivenUp:
            pass
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=6) as pool:
        list(pool.map(one, range(24)))

    numbers = sorted(Case.objects.values_list("number", flat=True))
    assert numbers == [f"R8-{number:05d}" for number in range(1, 17)]


@pytest.mark.django_db(transaction=True)
def test_two_hundred_at_once_over_midnight_of_31_march_are_numbered_in_their_years() -> None:
    by, category = make.staff(), make.category()
    midnight = datetime(2027, 4, 1, tzinfo=make.JST)
    last, first = midnight - timedelta(microseconds=1), midnight
    start = threading.Barrier(8)

    def one(turn: int) -> None:
        try:
            if turn < 8:
                start.wait(timeout=10)
            receive(by=by, category=category, at=first if turn % 2 else last)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(one, range(200)))

    assert [
        sorted(Case.objects.filter(received_at=at).values_list("number", flat=True))
        for at in (last, first)
    ] == [[f"R{year}-{number:05d}" for number in range(1, 101)] for year in (8, 9)]


@pytest.mark.django_db(transaction=True)
def test_a_form_sent_ten_times_at_once_opens_one_case() -> None:
    by, category, key = make.staff(), make.category(), uuid4()
    start = threading.Barrier(10)

    def one(_: int) -> str:
        try:
            start.wait(timeout=10)
            return receive(by=by, category=category, key=key).number
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=10) as pool:
        numbers = set(pool.map(one, range(10)))

    assert numbers == {"R8-00001"}
    assert Case.objects.count() == 1
    assert receive(by=by, category=category).number == "R8-00002"
