from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from madoguchi.messaging import actions, registry, rules, tasks
from madoguchi.messaging.models import OutboundMessage
from madoguchi.messaging.ports import Envelope, SendFailed
from tests import make

SENT: list[Envelope] = []
FAIL: list[Exception] = []


class Recorder:
    """A carrier that notes what it is given, or fails as the test says."""

    def send(self, envelope: Envelope) -> None:
        if FAIL:
            raise FAIL[-1]
        SENT.append(envelope)


@pytest.fixture(autouse=True)
def _recorder(settings: Settings) -> Iterator[None]:
    settings.MESSAGING_SENDERS = {"mail": f"{__name__}.Recorder"}
    SENT.clear()
    FAIL.clear()
    registry.forget()
    yield
    registry.forget()


def post(to: str = "a@example.jp", at: datetime = make.NOW) -> OutboundMessage:
    return actions.post(
        channel="mail", to=to, subject="予約 A-1", body="確認してください。", at=at
    )


@pytest.mark.django_db
def test_a_message_queued_twice_leaves_once() -> None:
    message = post()

    actions.deliver(message_id=message.pk, at=make.NOW)
    actions.deliver(message_id=message.pk, at=make.NOW + timedelta(hours=1))

    assert [envelope.key for envelope in SENT] == [message.key]


@pytest.mark.django_db(transaction=True)
def test_a_message_leaves_when_the_transaction_commits_and_not_before() -> None:
    with transaction.atomic():
        message = post(at=timezone.now())
        assert SENT == []

    message.refresh_from_db()
    assert len(SENT) == 1
    assert message.sent_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_rollback_takes_the_message_back() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        post(at=timezone.now())
        raise ZeroDivisionError

    assert SENT == []
    assert not OutboundMessage.objects.exists()


@pytest.mark.django_db
def test_a_failure_is_tried_again_after_a_growing_while() -> None:
    message = post()
    FAIL.append(SendFailed("SMTP 451", permanent=False))
    waits = []

    for _ in range(9):
        due = OutboundMessage.objects.get(pk=message.pk).next_try_at
        actions.deliver(message_id=message.pk, at=due)
        waits.append(OutboundMessage.objects.get(pk=message.pk).next_try_at - due)

    minutes = [wait.total_seconds() / 60 for wait in waits]
    assert minutes == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert OutboundMessage.objects.get(pk=message.pk).last_error == "SMTP 451"


@pytest.mark.django_db
def test_a_mail_server_that_is_down_for_a_day_loses_nothing() -> None:
    message = post()
    FAIL.append(SendFailed("ConnectionRefusedError", permanent=False))
    at = make.NOW
    while at < make.NOW + timedelta(days=1):
        actions.deliver(message_id=message.pk, at=at)
        at += timedelta(minutes=1)
    FAIL.clear()

    actions.deliver(message_id=message.pk, at=at + rules.LONGEST_WAIT)

    assert [envelope.key for envelope in SENT] == [message.key]


@pytest.mark.django_db
def test_after_three_days_it_is_given_up_and_stays_to_be_seen() -> None:
    message = post()
    FAIL.append(SendFailed("SMTP 451", permanent=False))

    actions.deliver(message_id=message.pk, at=make.NOW + rules.KEPT)

    message.refresh_from_db()
    assert message.gave_up_at is not None
    assert not OutboundMessage.objects.due(at=make.NOW + timedelta(days=9)).exists()


@pytest.mark.django_db
def test_a_final_no_is_not_asked_again() -> None:
    message = post()
    FAIL.append(SendFailed("SMTP 550", permanent=True))

    actions.deliver(message_id=message.pk, at=make.NOW)

    message.refresh_from_db()
    assert message.gave_up_at == make.NOW
    assert message.last_error == "SMTP 550"


@pytest.mark.django_db
def test_a_poisoned_message_blocks_nobody_and_its_text_is_not_kept_as_the_error() -> None:
    poisoned, healthy = post("p@example.jp"), post("h@example.jp")
    FAIL.append(ValueError("山田太郎さんの相談"))
    actions.deliver(message_id=poisoned.pk, at=make.NOW)
    FAIL.clear()

    actions.deliver(message_id=healthy.pk, at=make.NOW)

    poisoned.refresh_from_db()
    assert [envelope.to for envelope in SENT] == ["h@example.jp"]
    assert poisoned.last_error == "ValueError"
    assert poisoned.next_try_at > make.NOW


@pytest.mark.django_db
def test_the_sweep_sends_what_the_queue_lost_and_leaves_what_is_not_due() -> None:
    lost = post("lost@example.jp", at=timezone.now())
    post("later@example.jp", at=timezone.now() + timedelta(hours=1))

    tasks.sweep_out_tray()

    assert [envelope.key for envelope in SENT] == [lost.key]


@pytest.mark.django_db
def test_a_message_of_a_dead_worker_is_due_again_when_the_claim_ends() -> None:
    message = post()
    OutboundMessage.objects.filter(pk=message.pk).update(next_try_at=make.NOW + rules.CLAIM)

    actions.deliver(message_id=message.pk, at=make.NOW + timedelta(minutes=1))
    assert SENT == []
    actions.deliver(message_id=message.pk, at=make.NOW + rules.CLAIM)

    assert len(SENT) == 1
