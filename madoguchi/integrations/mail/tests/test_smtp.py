"""Against a real SMTP server on the loopback: what leaves, what returns, what never doubles."""

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.db import connection, connections
from pytest_django import Settings

from madoguchi.integrations.mail.sender import SmtpSender
from madoguchi.messaging import actions, registry
from madoguchi.messaging.models import OutboundMessage
from madoguchi.messaging.ports import Envelope, SendFailed
from tests import make


class MailServer:
    """What the other side took over, and how it misbehaves."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refuse = ""
        self.die_after_data = 0

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append((envelope.rcpt_tos, mail))
        if self.die_after_data:
            self.die_after_data -= 1
            server.transport.abort()  # taken over, but the 250 never arrives
        return "250 OK"


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    handler = MailServer()
    controller = Controller(handler, hostname="127.0.0.1", port=0)
    controller.port = _free_port()
    controller.start()
    settings.MESSAGING_SENDERS = {"mail": "madoguchi.integrations.mail.sender.SmtpSender"}
    settings.SMTP_HOST, settings.SMTP_PORT = "127.0.0.1", controller.port
    settings.SMTP_FROM = "madoguchi@city.example.jp"
    settings.SMTP_TIMEOUT = 5
    registry.forget()
    yield handler
    controller.stop()
    registry.forget()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def post() -> OutboundMessage:
    return actions.post(
        channel="mail",
        to="hanako@example.jp",
        subject="【汐見市】予約を受け付けました（髙橋様）",
        body="受付番号は A-1 です。\n変更はこちら: http://localhost/",
        at=make.NOW,
    )


@pytest.mark.django_db
def test_a_mail_arrives_with_its_japanese_subject_and_its_headers(mail_server: MailServer) -> None:
    message = post()

    actions.deliver(message_id=message.pk, at=make.NOW)

    [(recipients, mail)] = mail_server.mails
    assert recipients == ["hanako@example.jp"]
    assert str(mail["Subject"]).strip() == "【汐見市】予約を受け付けました（髙橋様）"
    assert mail["To"] == "hanako@example.jp"
    assert mail["From"] == "madoguchi@city.example.jp"
    assert mail["Message-ID"] == f"<{message.key}@city.example.jp>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"]
    assert "受付番号は A-1 です。" in mail.get_content()


@pytest.mark.django_db
def test_a_server_that_is_down_is_tried_again(settings: Settings, mail_server: MailServer) -> None:
    message = post()
    port, settings.SMTP_PORT = settings.SMTP_PORT, _free_port()
    actions.deliver(message_id=message.pk, at=make.NOW)
    message.refresh_from_db()
    assert (message.last_error, message.sent_at) == ("ConnectionRefusedError", None)

    settings.SMTP_PORT = port
    actions.deliver(message_id=message.pk, at=message.next_try_at)

    assert len(mail_server.mails) == 1


@pytest.mark.django_db
def test_a_death_after_data_doubles_at_most_once_with_the_same_message_id(
    mail_server: MailServer,
) -> None:
    message = post()
    mail_server.die_after_data = 1
    actions.deliver(message_id=message.pk, at=make.NOW)
    message.refresh_from_db()
    assert message.sent_at is None

    for hours in range(1, 5):
        actions.deliver(message_id=message.pk, at=make.NOW + timedelta(hours=hours))

    ids = [mail["Message-ID"] for _, mail in mail_server.mails]
    assert ids == [f"<{message.key}@city.example.jp>"] * 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("answer", "is_final"), [("550 no such user", True), ("450 mailbox busy", False)]
)
def test_a_final_no_and_a_not_yet_are_told_apart(
    mail_server: MailServer, answer: str, is_final: bool
) -> None:
    message = post()
    mail_server.refuse = answer

    actions.deliver(message_id=message.pk, at=make.NOW)

    message.refresh_from_db()
    assert message.last_error == f"SMTP {answer[:3]}"
    assert (message.gave_up_at is not None) is is_final


@pytest.mark.django_db(transaction=True)
def test_ten_workers_at_once_send_one_mail(mail_server: MailServer) -> None:
    message = post()
    OutboundMessage.objects.filter(pk=message.pk).update(sent_at=None, next_try_at=make.NOW)
    mail_server.mails.clear()
    ready = threading.Barrier(10)

    def work() -> None:
        try:
            ready.wait()
            actions.deliver(message_id=message.pk, at=make.NOW)
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(10)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len(mail_server.mails) == 1
    assert connection.is_usable()


def test_without_a_mail_server_in_the_settings_the_message_waits(
    settings: Settings,
) -> None:
    settings.SMTP_HOST = ""

    with pytest.raises(SendFailed) as failure:
        SmtpSender().send(Envelope(make.KEY, "a@example.jp", "件", "文"))

    assert not failure.value.permanent
