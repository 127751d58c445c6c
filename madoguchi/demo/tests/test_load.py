import hashlib
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import transaction

from madoguchi.audit.models import AuditEvent
from madoguchi.booking import queries as places
from madoguchi.booking.models import Appointment
from madoguchi.demo import actions, city
from madoguchi.foundation.errors import RuleBroken
from madoguchi.offices.models import City, Division, Site
from madoguchi.reception import queries as hall
from tests import make

pytestmark = pytest.mark.django_db

CASES = 40
# Drawn anew each time so that nobody can guess them (and what follows from them), or made of
# database keys, which PostgreSQL does not give back.
NOT_COMPARED = {
    "password",
    "number",
    "token",
    "key",
    "survey_token",
    "survey_code",
    "target_key",
    "previous_hash",
    "hash",
    "subject",
    "about",
    "topic",
    "body",
    "series",
    "detail",
    "written_in",
    "counters",
}

# The index of the search: made of keys of the other tables, and proven equal to them elsewhere.
DERIVED = {"casework.SearchText", "casework.SearchBits"}


def digest() -> str:
    """Return one digest of every row of the city, database keys replaced by their rank."""
    found = hashlib.sha256()
    ours = [
        model
        for model in apps.get_models()
        if model.__module__.startswith("madoguchi.") and model._meta.label not in DERIVED
    ]
    rank = {
        model: {
            key: index
            for index, key in enumerate(
                model._default_manager.order_by("pk").values_list("pk", flat=True)
            )
        }
        for model in ours
    }
    for model in sorted(ours, key=lambda model: model._meta.label):
        fields = [
            field
            for field in model._meta.concrete_fields
            if field.name not in NOT_COMPARED and not field.primary_key
        ]
        for row in model._default_manager.order_by("pk"):
            values: list[Any] = [model._meta.label]
            for field in fields:
                value = getattr(row, field.attname)
                table = rank.get(field.related_model) if field.related_model else None
                values.append(table[value] if table and value is not None else str(value))
            found.update(repr(values).encode())
    return found.hexdigest()


def city_of(seed: int) -> str:
    """Load the city, take its digest, and take the city away again."""
    with transaction.atomic():
        actions.load(seed=seed, at=make.NOW, cases=CASES)
        seen = digest()
        transaction.set_rollback(True)
    return seen


def test_the_same_seed_is_the_same_city_and_another_seed_another() -> None:
    first = city_of(seed=1)

    assert city_of(seed=1) == first
    assert city_of(seed=2) != first


def test_the_masks_of_the_city_are_those_of_its_appointments() -> None:
    actions.load(seed=1, at=make.NOW, cases=CASES)

    assert not places.mask_differences()


@pytest.mark.parametrize(
    "at",
    [
        make.NOW.replace(hour=8, minute=40),
        make.NOW.replace(hour=20),
        make.NOW.replace(hour=0, minute=20),
        make.NOW.replace(month=11, day=23, hour=13),  # 勤労感謝の日
    ],
    ids=["before opening", "evening", "after midnight", "holiday"],
)
def test_at_any_hour_somebody_waits_and_nothing_lies_in_the_future(at: datetime) -> None:
    actions.load(seed=1, at=at, cases=CASES)

    site = Site.objects.get(name=city.CENTRE_SITE)
    waiting = hall.queue(site=site, at=at)
    here = hall.at_counters(site=site, at=at)
    longest = max(at - visit.arrived_at for visit in waiting)
    assert 3 <= len(waiting) <= 15
    assert len(here) == 3
    assert longest <= timedelta(minutes=60)
    assert all(visit.arrived_at <= at for visit in (*waiting, *here))
    assert AuditEvent.objects.latest("at").at <= at
    assert Appointment.objects.latest("booked_at").booked_at <= at
    late = Appointment.objects.expected(site=site, day=at.date()).filter(
        start__lt=at - timedelta(hours=1)
    )
    assert not late.exists()


def test_the_days_to_come_do_not_depend_on_the_hour() -> None:
    def to_come(hour: int) -> list[tuple[datetime, str]]:
        with transaction.atomic():
            actions.load(seed=1, at=make.NOW.replace(hour=hour), cases=CASES)
            coming = Appointment.objects.filter(start__date__gt=make.NOW.date())
            seen = list(coming.order_by("start", "name").values_list("start", "name"))
            transaction.set_rollback(True)
        return seen

    assert to_come(10) == to_come(20) != []


def test_a_database_with_real_rows_is_refused() -> None:
    City.objects.create(pk=1, name="実在市")

    with pytest.raises(RuleBroken, match="空のデータベース"):
        actions.load(seed=1, at=make.NOW)
    with pytest.raises(CommandError, match="消しません"):
        call_command("load_demo", "--reset", stdout=StringIO())
    assert City.objects.get().name == "実在市"
    assert not Division.objects.filter(name=city.NURSERY).exists()
