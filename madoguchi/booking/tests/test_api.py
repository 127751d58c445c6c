import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from madoguchi.booking import actions, rules
from madoguchi.booking.models import Appointment, CounterDay, Service
from tests import make

pytestmark = pytest.mark.django_db
NINE = rules.start_of(make.NOW.date() + timedelta(days=1), 8)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    monkeypatch.setattr("madoguchi.booking.api.timezone.now", lambda: make.NOW)
    return make.NOW


@pytest.fixture
def service() -> Service:
    made = make.service(code="hoiku")
    make.open_counters(made)
    return made


def body(**more: object) -> dict[str, object]:
    site = make.site().code
    start = "2026-11-25T09:00:00+09:00"
    return {"service": "hoiku", "site": site, "start": start, "name": "髙橋 花子"} | more


def post(client: Client, fields: Any, **headers: str) -> Any:
    return client.post(
        "/api/v1/bookings",
        data=fields if isinstance(fields, str) else json.dumps(fields),
        content_type="application/json",
        headers=headers,
    )


class TestServices:
    def test_what_can_be_booked_and_where(self, client: Client, service: Service) -> None:
        make.service("窓口だけ", stage="announced", counters=[])

        found = client.get("/api/v1/services").json()

        assert found == [
            {
                "code": "hoiku",
                "name": "保育所の入所相談",
                "minutes": 30,
                "sites": [make.site().code],
            }
        ]


class TestSlots:
    def url(self, query: str = "from=2026-11-25&days=1") -> str:
        return f"/api/v1/services/hoiku/slots?{query}"

    def test_every_start_with_its_free_counters(self, client: Client, service: Service) -> None:
        make.appointment(service)

        slots = client.get(self.url()).json()["slots"]

        assert slots[0] == {
            "start": "2026-11-25T08:30:00+09:00",
            "minutes": 30,
            "site": make.site().code,
            "free": 1,
        }
        starts = [slot["start"][11:16] for slot in slots]
        assert "08:45" not in starts  # would run into the booking at nine
        assert "09:00" not in starts
        assert "09:30" in starts

    def test_ninety_days_of_twenty_counters_take_three_queries(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        made = make.service(code="hoiku", counters=[make.counter(f"{n}番") for n in range(20)])
        make.open_counters(made, days=90)

        with django_assert_num_queries(4):  # the service itself, and three for its slots
            slots = client.get(self.url("from=2026-11-24&days=90")).json()["slots"]

        assert len(slots) > 2900
        assert {slot["free"] for slot in slots} == {20}

    @pytest.mark.parametrize(
        "query",
        ["days=0", "days=181", "days=x", "from=2026-13-01", "from=1764547200", "from=1999-12-31"],
    )
    def test_a_wrong_question_names_the_parameter(
        self, client: Client, service: Service, query: str
    ) -> None:
        answer = client.get(self.url(query))

        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"][-1] == query.partition("=")[0]

    @pytest.mark.parametrize("query", ["", "from=2999-12-31&days=180", "from=2000-01-01"])
    def test_days_outside_the_window_are_simply_empty(
        self, client: Client, service: Service, query: str
    ) -> None:
        assert client.get(self.url(query)).status_code == 200

    def test_an_unknown_service_is_not_found(self, client: Client) -> None:
        assert client.get("/api/v1/services/nothing/slots").status_code == 404


class TestBookings:
    def test_booked_looked_at_and_cancelled(self, client: Client, service: Service) -> None:
        made = post(client, body(kana="たかはし", phone="090-1234-5678", email="h@example.jp"))
        token = made.json()["token"]
        seen = client.get(f"/api/v1/bookings/{token}")
        gone = client.delete(f"/api/v1/bookings/{token}")
        again = client.delete(f"/api/v1/bookings/{token}")

        assert made.status_code == 201
        assert set(made.json()) == {"number", "token", "start", "url"}
        assert made.json()["start"] == "2026-11-25T09:00:00+09:00"
        assert seen.json()["status"] == "booked"
        assert "髙橋" not in seen.content.decode()
        assert (gone.status_code, again.status_code) == (204, 204)
        assert client.get(f"/api/v1/bookings/{token}").json()["status"] == "cancelled"
        actions.release_lapsed(at=make.NOW + timedelta(minutes=46))  # not at once: resale
        assert not CounterDay.objects.exclude(busy=0).exists()

    def test_full_is_409(self, client: Client, service: Service) -> None:
        post(client, body())

        answer = post(client, body())

        assert answer.status_code == 409
        assert answer.json()["code"] == "full"

    def test_the_same_key_gives_the_same_answer(self, client: Client, service: Service) -> None:
        answers = [post(client, body(), **{"Idempotency-Key": "abc"}) for _ in range(10)]

        assert {answer.content for answer in answers} == {answers[0].content}
        assert {answer.status_code for answer in answers} == {201}
        assert Appointment.objects.count() == 1

    def test_the_same_key_with_another_body_is_422_and_tells_nothing(
        self, client: Client, service: Service
    ) -> None:
        first = post(client, body(), **{"Idempotency-Key": "abc"}).json()

        answer = post(client, body(name="別の人"), **{"Idempotency-Key": "abc"})

        assert answer.status_code == 422
        assert first["token"] not in answer.content.decode()

    def test_a_start_without_zone_is_japanese_time(self, client: Client, service: Service) -> None:
        assert post(client, body(start="2026-11-25T09:00:00")).status_code == 201
        assert Appointment.objects.get().start == NINE

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("service", "nothing"),
            ("service", None),
            ("site", "nowhere"),
            ("start", "2026-11-25T09:07:00+09:00"),
            ("start", "2026-11-25T03:00:00+09:00"),
            ("start", "2020-01-01T09:00:00+09:00"),
            ("start", "9999-12-31T23:59:59+00:00"),
            ("start", 1764547200),
            ("start", "morning"),
            ("name", ""),
            ("name", "　 "),
            ("name", "あ" * 121),
            ("name", "a\x00b"),
            ("name", "\ud800"),
            ("name", 7),
            ("phone", "call me"),
            ("email", "nobody"),
            ("kana", ["x"]),
        ],
    )
    def test_a_wrong_field_is_named(
        self, client: Client, service: Service, field: str, value: object
    ) -> None:
        answer = post(client, body(**{field: value}))

        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"][2] == field
        assert not Appointment.objects.exists()

    @pytest.mark.parametrize("raw", ["", "{", "[]", "null", '"x"', "\x00", "1" * 5000])
    def test_what_is_no_booking_is_422(self, client: Client, service: Service, raw: str) -> None:
        assert post(client, raw).status_code == 422

    def test_optional_fields_may_be_null(self, client: Client, service: Service) -> None:
        assert post(client, body(kana=None, phone=None, email=None)).status_code == 201

    def test_too_many_are_asked_to_wait(self, client: Client, service: Service) -> None:
        answers = [post(client, body(start="2026-11-25T03:00:00")) for _ in range(31)]

        assert answers[29].status_code == 422
        assert answers[30].status_code == 429
        assert answers[30].json()["code"] == "too_many"
        assert int(answers[30]["Retry-After"]) > 0

    @pytest.mark.parametrize("token", ["x" * 32, "short", "%00" * 20, "あ" * 20, "x" * 100])
    def test_an_unknown_token_tells_nothing(self, client: Client, token: str) -> None:
        assert client.get(f"/api/v1/bookings/{token}").status_code in (404, 422)
        assert client.delete(f"/api/v1/bookings/{token}").status_code in (404, 422)

    def test_after_the_hour_it_is_too_late_to_cancel(
        self, client: Client, service: Service
    ) -> None:
        row = make.appointment(service, start=make.NOW - timedelta(hours=1))

        answer = client.delete(f"/api/v1/bookings/{row.token}")

        assert (answer.status_code, answer.json()["code"]) == (409, "too_late")


class TestDescription:
    def test_it_is_served_and_names_every_answer(self, client: Client) -> None:
        described = client.get("/api/v1/openapi.json").json()

        booking = described["paths"]["/api/v1/bookings"]["post"]
        assert set(booking["responses"]) == {"201", "409", "422", "429"}
        names = {p["name"] for p in booking["parameters"]}
        assert "Idempotency-Key" in names

    def test_no_page_of_it_loads_anything_from_outside(self, client: Client) -> None:
        assert client.get("/api/v1/docs").status_code == 404
