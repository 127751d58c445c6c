"""The city as its visitors find it: loaded once, looked at by every test here."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from madoguchi.audit import queries as audit
from madoguchi.audit.models import AuditEvent
from madoguchi.booking.models import Appointment, Service
from madoguchi.casework.models import Case, Closure, Handover, SurveyReply
from madoguchi.casework.rules import Status
from madoguchi.demo import actions, city
from madoguchi.knowledge.models import Faq
from madoguchi.reception.models import Visit
from madoguchi.reception.rules import VisitStatus
from madoguchi.residents.models import Resident
from madoguchi.staff.models import User
from tests import make

pytestmark = pytest.mark.django_db  # within the transaction of `_shiomi`
CASES = 200


@pytest.fixture(scope="module", autouse=True)
def _shiomi(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock(), transaction.atomic():
        actions.load(seed=1, at=make.NOW, cases=CASES)
        yield
        transaction.set_rollback(True)


def test_the_city_is_alive_on_the_day_it_is_loaded() -> None:
    for person in city.LOGINS:
        assert User.objects.get(username=person.username).role == person.role
    assert User.objects.get(username="kakari").check_password(city.PASSWORD)
    assert Service.objects.bookable_online().filter(name="保育所の入所相談").exists()
    today = Visit.objects.filter(on=make.NOW.date(), site__name=city.CENTRE_SITE)
    for status in (VisitStatus.WAITING, VisitStatus.SERVING, VisitStatus.DONE):
        assert today.filter(status=status).exists(), status
    coming = Appointment.objects.filter(start__gt=make.NOW, status="booked")
    assert coming.filter(start__date=make.NOW.date()).exists()
    assert coming.count() > 80
    nursery = Handover.objects.outstanding().filter(to__name=city.NURSERY)
    assert nursery.filter(kind="come", asked_at__date=make.NOW.date()).exists()
    assert nursery.overdue(on=make.NOW.date()).count() >= 2
    assert Case.objects.filter(is_sensitive=False).exclude(status=Status.CLOSED).exists()
    assert Faq.objects.filter(status="published").count() > 100
    assert Faq.objects.filter(status="proposed").count() == 2
    assert not Faq.objects.filter(division__code__startswith="faq-").exists()


def test_the_two_years_are_plausible() -> None:
    assert CASES - 5 <= Case.objects.filter(received_at__lt=make.NOW).count() <= CASES + 25
    assert Closure.objects.count() > CASES * 0.8
    assert SurveyReply.objects.exists()
    assert Resident.objects.filter(name__contains="髙").exists()
    assert not Case.objects.filter(received_at__gt=make.NOW).exists()
    assert not AuditEvent.objects.filter(at__gt=make.NOW + timedelta(minutes=5)).exists()
    for resident in Resident.objects.filter(cases__is_sensitive=True):
        assert resident.is_restricted


def test_the_trail_of_the_city_holds() -> None:
    count, broken = audit.first_break()

    assert broken is None
    assert count > CASES * 5
