from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from madoguchi.audit.models import AuditEvent
from madoguchi.booking import actions, rules, tasks
from madoguchi.booking.models import Appointment
from madoguchi.messaging.models import OutboundMessage
from tests import make
from tests.crowd import AT_ONCE, rush

pytestmark = pytest.mark.django_db
DAY_BEFORE = make.NOW - timedelta(days=1)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: make.NOW)


def coming(**more: Any) -> Appointment:
    """An appointment of tomorrow, booked yesterday."""
    fields: dict[str, Any] = {"email": "hanako@example.jp", "booked_at": DAY_BEFORE}
    return make.appointment(**fields | more)


def test_whoever_comes_tomorrow_is_reminded_once() -> None:
    appointment = coming()

    tasks.remind()
    tasks.remind()

    message = OutboundMessage.objects.get()
    assert message.to == "hanako@example.jp"
    assert appointment.when in message.body
    assert appointment.address in message.body
    assert AuditEvent.objects.filter(verb="appointment.remind").count() == 1


def test_neither_the_name_nor_the_matter_is_in_the_mail() -> None:
    appointment = coming(name="髙橋 花子")

    tasks.remind()

    message = OutboundMessage.objects.get()
    assert "髙橋" not in message.subject + message.body
    assert appointment.service.name not in message.subject + message.body


@pytest.mark.parametrize(
    "other",
    [
        {"start": rules.start_of(make.NOW.date() + timedelta(days=2), 8)},
        {"start": rules.start_of(make.NOW.date(), 20)},
        {"status": "arrived"},
        {"status": "cancelled", "cancelled_at": make.NOW},
        {"email": ""},
        {"booked_at": make.NOW - timedelta(hours=1)},  # has just read the confirmation
    ],
    ids=["in two days", "today", "arrived", "cancelled", "no mail", "booked today"],
)
def test_nobody_else_is_reminded(other: dict[str, Any]) -> None:
    coming(**other)

    tasks.remind()

    assert not OutboundMessage.objects.exists()


def test_who_moves_to_another_day_is_reminded_of_that_one() -> None:
    appointment = coming()
    tasks.remind()
    Appointment.objects.update(start=appointment.start + timedelta(days=1))

    with patch("django.utils.timezone.now", lambda: make.NOW + timedelta(days=1)):
        tasks.remind()

    assert OutboundMessage.objects.count() == 2


def test_a_crash_between_the_note_and_the_mail_loses_nothing() -> None:
    coming()
    with patch("madoguchi.booking.actions.messaging.post", side_effect=RuntimeError):
        tasks.remind()

    tasks.remind()

    assert OutboundMessage.objects.count() == 1


def test_one_bad_row_does_not_stop_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    bad = coming()
    Appointment.objects.filter(pk=bad.pk).update(email="two@example.jp,more@example.jp")
    good = coming(made=make.service("税の相談", counters=[make.counter("2番")]))

    tasks.remind()

    assert OutboundMessage.objects.get().about == good.number
    assert f"appointment {bad.pk}" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_remind_once() -> None:
    appointment = coming()

    ends = rush(
        lambda number: str(actions.remind(appointment=appointment, at=make.NOW)), times=AT_ONCE * 2
    )

    assert ends["True"] == 1
    assert OutboundMessage.objects.count() == 1
