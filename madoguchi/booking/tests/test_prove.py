import re
from datetime import timedelta
from itertools import count

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from madoguchi.booking import rules
from madoguchi.booking.models import Appointment, Hold
from madoguchi.foundation import work
from tests import make

pytestmark = pytest.mark.django_db
FREE = rules.WORK[0][0]


@pytest.fixture(autouse=True)
def _little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "WORK", ((FREE, 6),))
    monkeypatch.setattr(timezone, "now", lambda: make.NOW)


def open_service() -> None:
    service = make.service(code="hoiku", counters=[make.counter(f"{n}番") for n in range(8)])
    make.open_counters(service, days=5)


def press(client: Client, **more: str) -> HttpResponse:
    start = rules.start_of(make.NOW.date() + timedelta(days=1), 8)
    fields = {"site": make.site().code, "start": f"{start:%Y-%m-%dT%H:%M}"} | more
    return client.post("/services/hoiku/hold/", fields)  # type: ignore[return-value]


def answer(page: HttpResponse) -> str:
    found = re.search(r'challenge="([^"]+)"', page.content.decode())
    assert found
    text = found[1]
    return next(f"{text}~{n}" for n in count() if work.zero_bits(f"{text}:{n}") >= 6)


def test_people_see_nothing_of_it(client: Client) -> None:
    open_service()

    pages = [press(client) for _ in range(FREE)]

    assert {page.status_code for page in pages} == {302}


def test_whoever_asks_more_often_computes_first(client: Client) -> None:
    open_service()
    for _ in range(FREE):
        press(Client())

    page = press(Client())

    assert page.status_code == 429
    assert "お電話で予約" in page.content.decode()
    assert Hold.objects.count() == FREE
    assert press(Client(), work=answer(page)).status_code == 302


def test_an_answer_is_good_for_one_place(client: Client) -> None:
    open_service()
    for _ in range(FREE):
        press(Client())
    found = answer(press(Client()))

    assert press(Client(), work=found).status_code == 302
    assert press(Client(), work=found).status_code == 429


def test_the_form_asks_for_it_too_and_keeps_what_was_typed(client: Client) -> None:
    open_service()
    start = rules.start_of(make.NOW.date() + timedelta(days=1), 8)
    address = f"/services/hoiku/appointment/?site={make.site().code}&start={start:%Y-%m-%dT%H:%M}"
    for number in range(FREE):
        client.post(address, {"name": f"予約 {number}", "key": f"key{number}"})

    page = client.post(address, {"name": "髙橋 花子", "key": "another"})

    assert page.status_code == 429
    assert "髙橋 花子" in page.content.decode()
    assert Appointment.objects.count() == FREE
    fields = {"name": "髙橋 花子", "key": "another", "work": answer(page)}  # type: ignore[arg-type]
    assert client.post(address, fields).status_code == 302


def test_addresses_do_not_add_up(client: Client) -> None:
    open_service()
    for number in range(FREE + 2):
        page = Client(REMOTE_ADDR=f"192.0.2.{number}")
        assert press(page).status_code == 302
