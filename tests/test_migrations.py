"""A city that has been at work keeps what it wrote: visits, appointments, their links."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from madoguchi.booking.models import Appointment
from madoguchi.booking.rules import parse_number
from madoguchi.casework.models import Case
from madoguchi.reception.models import Visit
from tests import make

BEFORE = [("booking", "0001_initial"), ("casework", "0003_case_list_index"), ("reception", None)]


def migrate(targets: list[Any]) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return executor.loader.project_state(
        [(app, name) for app, name in targets if name is not None]
    ).apps


def newest() -> list[Any]:
    return list(MigrationExecutor(connection).loader.graph.leaf_nodes())


@pytest.fixture
def old() -> Iterator[Any]:
    """Return the models as they were while booking kept the visits."""
    yield migrate(BEFORE)
    migrate(newest())


@pytest.mark.django_db(transaction=True)
def test_visits_made_before_are_all_there_and_their_cases_too(old: Any) -> None:
    case = make_case(old)

    migrate(newest())

    visit = Visit.objects.get()
    assert (visit.ticket, visit.service.name, visit.reason_without_booking) == (
        7,
        "保育所の入所相談",
        "no_smartphone",
    )
    assert Case.objects.get(pk=case).visit == visit
    assert make.visit(visit.service).pk > visit.pk


def make_case(old: Any) -> int:
    """Write a visit and its case as the city did then; return the case's id."""
    division = old.get_model("offices.Division").objects.create(code="hoiku", name="保育課")
    site = old.get_model("offices.Site").objects.create(code="main", name="本庁舎")
    service = old.get_model("booking.Service").objects.create(
        code="hoiku", name="保育所の入所相談", division=division
    )
    visit = old.get_model("booking.Visit").objects.create(
        site=site,
        on=make.NOW.date(),
        ticket=7,
        service=service,
        reason_without_booking="no_smartphone",
        arrived_at=make.NOW,
    )
    category = old.get_model("casework.Category").objects.create(name="子育て", code="KODOMO")
    user = old.get_model("staff.User").objects.create(
        username="uketsuke", name="受付 花子", role="reception", division=division
    )
    case = old.get_model("casework.Case").objects.create(
        number="R8-00001",
        kind="consultation",
        channel="counter",
        category=category,
        title="保育所の入所相談",
        owner=division,
        visit=visit,
        received_at=make.NOW,
        received_by=user,
        changed_at=make.NOW,
        changed_by=user,
    )
    return int(case.pk)


@pytest.mark.django_db(transaction=True)
def test_an_appointment_of_ten_digits_gets_eight_characters_and_keeps_its_link(old: Any) -> None:
    make_case(old)
    counter = old.get_model("offices.Counter").objects.create(
        site=old.get_model("offices.Site").objects.get(),
        division=old.get_model("offices.Division").objects.get(),
        name="1番",
    )
    for number in ("1234567890", "0987654321"):
        old.get_model("booking.Appointment").objects.create(
            number=number,
            pin="0000",
            token=f"link-{number}",
            service=old.get_model("booking.Service").objects.get(),
            counter=counter,
            start=make.NOW + timedelta(hours=int(number[:2])),
            cells=2,
            source="web",
            name="山田 太郎",
            booked_at=make.NOW,
        )

    migrate(newest())

    rows = dict(Appointment.objects.values_list("token", "number"))
    assert set(rows) == {"link-1234567890", "link-0987654321"}
    assert all(parse_number(number) == number for number in rows.values())
