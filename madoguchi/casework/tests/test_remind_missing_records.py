"""督促: a division is told each morning that its records are past their date."""

from datetime import datetime, timedelta

import pytest

from madoguchi.audit.models import AuditEvent
from madoguchi.casework import actions
from madoguchi.messaging.models import OutboundMessage
from madoguchi.offices.models import Division
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db

YESTERDAY = make.NOW.date() - timedelta(days=1)
FRIDAY = make.NOW + timedelta(days=3)


@pytest.fixture
def division() -> Division:
    return make.division("保育課", email="hoiku@example.lg.jp")


def remind(at: datetime = make.NOW) -> list[OutboundMessage]:
    before = set(OutboundMessage.objects.values_list("pk", flat=True))
    actions.remind_missing_records(at=at)
    return list(OutboundMessage.objects.exclude(pk__in=before).order_by("to"))


def test_the_division_is_told_how_many_and_nothing_about_anybody(division: Division) -> None:
    late = [make.handover(to=division, due_on=YESTERDAY) for _ in range(2)]

    [mail] = remind()

    assert mail.to == "hoiku@example.lg.jp"
    assert mail.subject == "期限を過ぎた対応記録 2件"
    for handover in late:
        assert handover.case.number not in mail.body and handover.note not in mail.body
    event = AuditEvent.objects.get(verb="case.remind_missing_records")
    assert (event.actor, event.detail) == ("system", {"handovers": [row.pk for row in late]})


def test_its_supervisor_is_told_too_and_who_has_left_is_not(division: Division) -> None:
    make.handover(to=division, due_on=YESTERDAY)
    for name, role, is_active in (
        ("kacho", Role.SUPERVISOR, True),
        ("left", Role.SUPERVISOR, False),
        ("kakari", Role.OFFICER, True),
    ):
        person = make.staff(role, division=division)
        User.objects.filter(pk=person.pk).update(email=f"{name}@example.jp", is_active=is_active)

    assert [mail.to for mail in remind()] == ["hoiku@example.lg.jp", "kacho@example.jp"]


def test_asked_twice_on_one_day_it_is_told_once_and_the_next_day_again(
    division: Division,
) -> None:
    make.handover(to=division, due_on=YESTERDAY)

    assert len(remind()) == 1
    assert len(remind(make.NOW + timedelta(minutes=5))) == 0
    assert len(remind(FRIDAY)) == 1


def test_what_is_in_time_answered_or_withdrawn_is_no_matter(division: Division) -> None:
    make.handover(to=division, due_on=make.NOW.date())
    withdrawn = make.handover(to=division, due_on=YESTERDAY)
    actions.withdraw(handover=withdrawn, reason="不要になった", by=make.staff(), at=make.NOW)

    assert remind() == []


@pytest.mark.parametrize("days", [-1, 4, 5], ids=["勤労感謝の日", "土曜日", "日曜日"])
def test_nobody_is_written_to_on_a_closed_day(division: Division, days: int) -> None:
    make.handover(to=division, due_on=YESTERDAY - timedelta(days=7))

    assert remind(make.NOW + timedelta(days=days)) == []


def test_a_division_without_an_address_stops_nobody(division: Division) -> None:
    make.handover(to=make.division("衛生課"), due_on=YESTERDAY)
    make.handover(to=division, due_on=YESTERDAY)

    assert [mail.to for mail in remind()] == ["hoiku@example.lg.jp"]
