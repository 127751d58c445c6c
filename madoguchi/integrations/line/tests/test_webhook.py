import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from madoguchi.booking import rules as grid
from madoguchi.booking.models import Appointment
from madoguchi.integrations.line import actions, rules, tasks
from madoguchi.integrations.line.models import Following, LineFriend
from madoguchi.integrations.line.rules import Wish
from madoguchi.messaging import registry
from madoguchi.messaging.models import OneTimeLink, OutboundMessage
from tests import make

pytestmark = pytest.mark.django_db(transaction=False)
SECRET = "channel-secret"
FRIEND = "U4af4980629f0d7c3"


class FakeLine(BaseHTTPRequestHandler):
    """LINE's push endpoint on this machine: keeps what comes, answers as it was told to."""

    seen: ClassVar[list[tuple[dict[str, str], dict[str, Any]]]] = []
    status: ClassVar[int] = 200

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append((dict(self.headers), body))
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(
            b'{"sentMessages": [{"id": "1"}]}' if self.status == 200 else b'{"message": "no"}'
        )

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(autouse=True)
def fake_line(settings: Settings) -> Iterator[type[FakeLine]]:
    server = HTTPServer(("127.0.0.1", 0), FakeLine)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    FakeLine.seen.clear()
    FakeLine.status = 200
    settings.LINE_CHANNEL_SECRET = SECRET
    settings.LINE_CHANNEL_TOKEN = "token"
    settings.LINE_API_HOST = f"http://127.0.0.1:{server.server_port}"
    registry.forget()
    yield FakeLine
    server.shutdown()
    server.server_close()
    thread.join()


def event(text: str = "予約", *, key: str = "01H", **more: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "webhookEventId": key,
        "source": {"type": "user", "userId": FRIEND},
        "message": {"type": "text", "text": text},
    } | more


def send(client: Client, *events: Any, secret: str = SECRET, change: int = 0) -> HttpResponse:
    """Send the events as LINE does; `change` flips a bit of the signed bytes afterwards."""
    body = bytearray(json.dumps({"destination": "U1", "events": list(events)}).encode())
    digest = hmac.new(secret.encode(), bytes(body), hashlib.sha256).digest()
    if change:
        body[change] ^= 1
    return client.post(
        "/line/webhook/",
        bytes(body),
        content_type="application/json",
        headers={"X-Line-Signature": base64.b64encode(digest).decode()},
    )  # type: ignore[return-value]


def bodies() -> list[str]:
    messages = OutboundMessage.objects.filter(channel="line").order_by("pk")
    return list(messages.values_list("body", flat=True))


class TestSignature:
    def test_lines_own_is_accepted(self, client: Client) -> None:
        assert send(client, event()).status_code == 200

    @pytest.mark.parametrize("change", [1, 20, 60])
    def test_a_changed_bit_is_refused(self, client: Client, change: int) -> None:
        assert send(client, event(), change=change).status_code == 400
        assert not LineFriend.objects.exists()

    def test_another_secret_is_refused(self, client: Client) -> None:
        assert send(client, event(), secret="guessed").status_code == 400

    def test_without_a_signature_it_is_refused(self, client: Client) -> None:
        answer = client.post("/line/webhook/", b"{}", content_type="application/json")

        assert answer.status_code == 400

    def test_a_city_without_line_has_no_such_address(
        self, client: Client, settings: Settings
    ) -> None:
        settings.LINE_CHANNEL_SECRET = ""

        assert send(client, event()).status_code == 404

    @pytest.mark.parametrize(
        "strange",
        [None, 1, "x", {}, {"source": {"type": "group"}}, event(message=None), event(type="new")],
    )
    def test_what_is_none_of_ours_is_passed_over(self, client: Client, strange: Any) -> None:
        assert send(client, strange).status_code == 200


class TestOnce:
    def test_the_same_webhook_a_hundred_times_has_one_effect(self, client: Client) -> None:
        for _ in range(100):
            send(client, event())

        assert len(bodies()) == 1

    def test_two_events_are_two(self, client: Client) -> None:
        send(client, event(), event(key="01J"))

        assert len(bodies()) == 2


class TestAnswers:
    @pytest.mark.parametrize(
        ("text", "wish"),
        [
            ("予約したいです", Wish.BOOK),
            ("よやく", Wish.MENU),
            ("予約の変更", Wish.FIND),
            ("キャンセル", Wish.FIND),
            ("いま混雑してますか", Wish.WAITING),
            ("そうだんしたい。相談", Wish.CONSULT),
            ("お知らせ", Wish.FOLLOW),
            ("お知らせを停止", Wish.STOP),
            ("", Wish.MENU),
        ],
    )
    def test_a_word_in_a_sentence_is_enough(self, text: str, wish: Wish) -> None:
        assert rules.wish(text) is wish

    def test_a_sticker_gets_the_menu(self, client: Client) -> None:
        send(client, event(message={"type": "sticker"}))

        assert bodies() == [rules.MENU]

    def test_a_new_friend_is_greeted(self, client: Client) -> None:
        send(client, event(type="follow"))

        assert "窓口です" in bodies()[0]

    def test_what_people_write_of_themselves_is_neither_kept_nor_sent_back(
        self, client: Client
    ) -> None:
        send(client, event("髙橋花子です。夫から逃げています。相談したい"))

        kept = str(list(OutboundMessage.objects.values())) + str(list(LineFriend.objects.values()))
        assert "髙橋" not in kept
        assert "逃げて" not in kept


class TestFollowing:
    def link(self, client: Client) -> str:
        send(client, event("お知らせ"))
        return "/open/" + OneTimeLink.objects.get().token + "/"

    def booked(self, **more: Any) -> Appointment:
        nine = grid.start_of(timezone.localdate() + timedelta(days=1), 8)
        return make.appointment(make.service(), start=nine, phone="09055550123", **more)

    def follow(self, client: Client) -> Appointment:
        made = self.booked()
        page = client.post(self.link(client))["Location"]
        client.post(page, {"number": made.shown_number, "phone": "090-5555-0123"})
        return made

    def test_looking_at_the_link_does_not_use_it_up(self, client: Client) -> None:
        link = self.link(client)
        client.get(link)
        client.get(link)

        assert client.post(link).status_code == 302

    def test_it_opens_once(self, client: Client) -> None:
        link = self.link(client)
        client.post(link)

        answer = client.post(link)

        assert answer.status_code == 410
        assert "1回だけ" in answer.content.decode()

    def test_it_opens_in_time_only(self, client: Client) -> None:
        link = self.link(client)
        OneTimeLink.objects.update(made_at=make.NOW, until=make.NOW + timedelta(seconds=1))

        assert client.post(link).status_code == 410

    def test_on_our_own_page_one_says_which_booking(self, client: Client) -> None:
        made = self.follow(client)

        assert Following.objects.get().appointment == made

    def test_a_wrong_telephone_number_finds_nothing(self, client: Client) -> None:
        made = self.booked()
        page = client.post(self.link(client))["Location"]

        answer = client.post(page, {"number": made.shown_number, "phone": "0311112222"})

        assert "予約が見つかりません" in answer.content.decode()
        assert not Following.objects.exists()

    def test_the_day_before_a_notice_without_content_comes_once(self, client: Client) -> None:
        made = self.follow(client)
        before = len(bodies())

        tasks.remind()
        tasks.remind()

        [text] = bodies()[before:]
        assert "明日は、ご予約の日です" in text
        for secret in (made.number, made.shown_number, made.name, str(made.service), made.token):
            assert secret not in text

    def test_a_booking_that_moved_is_told_of_anew(self, client: Client) -> None:
        made = self.follow(client)
        tasks.remind()
        before = len(bodies())
        Appointment.objects.filter(pk=made.pk).update(start=made.start + timedelta(minutes=15))

        tasks.remind()

        assert len(bodies()) == before + 1

    @pytest.mark.parametrize("words", [event("停止", key="2"), event(type="unfollow", key="2")])
    def test_whoever_stops_it_hears_no_more(self, client: Client, words: dict[str, Any]) -> None:
        self.follow(client)

        send(client, words)

        assert not Following.objects.exists()


class TestSending:
    def deliver(self, at: datetime) -> OutboundMessage:
        from madoguchi.messaging import actions as messaging

        message = OutboundMessage.objects.latest("pk")
        messaging.deliver(message_id=message.pk, at=at)
        message.refresh_from_db()
        return message

    def test_it_leaves_by_the_official_kit_with_its_retry_key(self, client: Client) -> None:
        send(client, event())

        message = self.deliver(timezone.now())

        [(headers, body)] = FakeLine.seen
        assert body["to"] == FRIEND
        assert body["messages"][0]["text"] == message.body
        assert headers["X-Line-Retry-Key"] == str(message.key)
        assert message.sent_at

    @pytest.mark.parametrize(
        ("status", "sent", "given_up"),
        [(409, True, False), (500, False, False), (429, False, False), (400, False, True)],
    )
    def test_what_line_answers_decides(
        self, client: Client, status: int, sent: bool, given_up: bool
    ) -> None:
        FakeLine.status = status
        send(client, event())

        message = self.deliver(timezone.now())

        assert (bool(message.sent_at), bool(message.gave_up_at)) == (sent, given_up)

    def test_no_text_that_leaves_has_room_for_content(self) -> None:
        texts = [*rules.TEXTS.values(), rules.GREETING, rules.REMINDER, rules.FOLLOWED]

        for text in texts:
            assert text.format(link="", city="")

    def test_old_events_are_forgotten(self, client: Client) -> None:
        send(client, event())

        assert actions.forget_events(at=timezone.now() + timedelta(days=31)) == 1
