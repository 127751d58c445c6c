from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from madoguchi.audit.models import AuditEvent
from madoguchi.messaging import actions, rules
from madoguchi.messaging.models import OutboundMessage
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db
URL = "/staff/operations/"


def waiting(minutes: int, **more: object) -> OutboundMessage:
    since = timezone.now() - timedelta(minutes=minutes)
    return OutboundMessage.objects.create(
        **{
            "channel": "mail",
            "to": "secret@example.jp",
            "subject": "秘密の件名",
            "body": "秘密の本文",
            "about": "R8-00012",
            "created_at": since,
            "next_try_at": since,
        }
        | more
    )


def as_admin(client: Client) -> None:
    client.force_login(make.staff(Role.ADMIN))


def test_the_page_shows_what_waits_but_neither_content_nor_address(client: Client) -> None:
    waiting(3, tries=2, last_error="SMTP 451")
    as_admin(client)

    page = client.get(URL).content.decode()

    assert "R8-00012" in page
    assert "SMTP 451" in page
    assert "秘密" not in page
    assert "secret@example.jp" not in page


@pytest.mark.parametrize(("minutes", "is_alarm"), [(14, False), (16, True)])
def test_the_alarm_rings_after_fifteen_minutes(
    client: Client, minutes: int, is_alarm: bool
) -> None:
    waiting(minutes)
    as_admin(client)

    assert ('role="alert"' in client.get(URL).content.decode()) is is_alarm


def test_an_empty_tray_says_so(client: Client) -> None:
    as_admin(client)

    assert "送れていない連絡はありません。" in client.get(URL).content.decode()


def test_a_given_up_message_can_be_sent_again(client: Client) -> None:
    message = waiting(60, gave_up_at=timezone.now(), last_error="SMTP 550")
    as_admin(client)

    client.post(f"{URL}messages/{message.pk}/retry/")

    message.refresh_from_db()
    assert message.gave_up_at is None
    assert AuditEvent.objects.filter(verb="message.retry", target_key=str(message.pk)).exists()


def test_what_has_left_is_not_sent_again() -> None:
    message = waiting(1, sent_at=timezone.now())

    with pytest.raises(rules.AlreadySent):
        actions.retry(message=message, by=make.staff(Role.ADMIN), at=make.NOW)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_nobody_else_may_look(client: Client, role: Role) -> None:
    client.force_login(make.staff(role))

    assert client.get(URL).status_code == 403


def test_thirty_messages_take_no_more_questions_than_one(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(30):
        waiting(1)
    as_admin(client)

    with django_assert_max_num_queries(14):
        client.get(URL)
