"""Fifty words of residents through every way of failing: none of them is in the logs."""

import io
import logging
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings as project
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from madoguchi.foundation.logs import RouteInsteadOfPath, WithoutMessages
from madoguchi.messaging import actions as messaging
from madoguchi.residents import access as residents
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db
KINDS = {
    "name": "山田カナリア{}郎",
    "phone": "0905551{:04}",
    "email": "canary{}@kanaria.example",
    "address": "カナリア町{}丁目",
    "text": "カナリアの相談{}です",
}
ROUNDS = [[shape.format(number) for shape in KINDS.values()] for number in range(10)]
CANARIES = [word for words in ROUNDS for word in words]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the product's own handler writes, with its own filter and formatter."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(WithoutMessages("%(levelname)s %(name)s %(message)s"))
    handler.addFilter(RouteInsteadOfPath())
    loggers = [logging.getLogger(name) for name in ("", "madoguchi", "django")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    yield stream
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


@pytest.fixture
def browser(settings: Settings) -> Client:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    client = Client(raise_request_exception=False)
    client.force_login(make.staff(Role.COUNSELLOR))
    return client


def not_found(browser: Client, word: str, patch: pytest.MonkeyPatch) -> None:
    assert browser.get(f"/staff/{word}/", {"q": word}).status_code == 404
    assert browser.get(reverse("booking:appointment", args=[f"x{abs(hash(word))}"])).status_code


def forbidden(browser: Client, word: str, patch: pytest.MonkeyPatch) -> None:
    assert browser.get(reverse("staff:people"), {"q": word}).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(reverse("staff:log_in"), {"username": word}).status_code == 403


def wrong_form(browser: Client, word: str, patch: pytest.MonkeyPatch) -> None:
    typed = {"name": word, "phone": word + "x", "email": word + "@", "birth_on": word}
    assert browser.post(reverse("residents:register"), typed).status_code == 200
    assert browser.post(reverse("staff:log_in"), {"username": word, "password": word}).status_code


def broken_page(browser: Client, word: str, patch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT %s FROM no_such_table", [word])
        except DatabaseError as error:
            raise ValueError(f"{word}さんの行が読めません") from error

    patch.setattr(residents, "residents_found", fail)
    assert browser.get(reverse("residents:list"), {"q": word}).status_code == 500


def failing_mail(browser: Client, word: str, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(project, "MESSAGING_SENDERS", {"mail": f"{__name__}.Refusing"})
    message = messaging.post(
        channel="mail", to="jumin@kanaria.example", subject=word, body=word, at=timezone.now()
    )
    messaging.deliver(message_id=message.pk, at=timezone.now())


class Refusing:
    """A server that quotes the message it refuses."""

    def send(self, envelope: object) -> None:
        raise RuntimeError(f"550 refused: {envelope}")


def failing_task(browser: Client, word: str, patch: pytest.MonkeyPatch) -> None:
    try:
        raise KeyError(word)
    except KeyError:
        logging.getLogger("huey").exception("Unhandled exception in task %s", "deliver_message")


WAYS: list[Callable[[Client, str, pytest.MonkeyPatch], None]] = [
    not_found,
    forbidden,
    wrong_form,
    broken_page,
    failing_mail,
    failing_task,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_no_word_of_a_resident_is_in_the_log(
    way: Callable[[Client, str, pytest.MonkeyPatch], None],
    browser: Client,
    log: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for words in ROUNDS:  # all kinds at once in each field
        with monkeypatch.context() as patch:
            way(browser, " ".join(words), patch)

    text = log.getvalue()
    assert len(text.splitlines()) >= len(ROUNDS)  # every failure was really logged
    assert [word for word in CANARIES if word in text] == []


def test_an_ordinary_formatter_would_have_written_them(
    browser: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the same failure, formatted as logging does by itself."""
    with monkeypatch.context() as patch:
        broken_page(browser, " ".join(ROUNDS[0]), patch)

    plain = logging.Formatter()
    text = "".join(plain.formatException(r.exc_info) for r in caplog.records if r.exc_info)
    assert all(word in text for word in ROUNDS[0])
