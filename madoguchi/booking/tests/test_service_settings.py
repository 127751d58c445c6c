from datetime import time

import pytest
from django.test import Client

from madoguchi.booking import actions
from madoguchi.booking.models import Service
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: make.NOW)


@pytest.fixture
def service() -> Service:
    return make.service()


class TestServiceSettings:
    @pytest.fixture
    def desk(self, client: Client) -> Client:
        client.force_login(make.staff(Role.ADMIN))
        return client

    def fields(self, **more: object) -> dict[str, object]:
        return {
            "name": "税の相談",
            "code": "tax",
            "division": make.division().pk,
            "minutes": 30,
            "stage": "online",
            "lead_minutes": 60,
            "opens_days_before": 31,
            "order": 10,
            "is_active": "on",
        } | more

    def test_from_an_empty_city_to_the_first_free_place(
        self, desk: Client, client: Client
    ) -> None:
        counter = make.counter()
        assert "まだありません" in desk.get("/staff/services/").content.decode()
        desk.post("/staff/services/new/", self.fields(counters=[counter.pk]))
        desk.post(
            "/staff/services/tax/hours/",
            {
                "counter": counter.pk,
                "weekdays": ["0", "1", "2", "3", "4"],
                "opens_at": "9:00",
                "closes_at": "12:00",
                "valid_from": "R8.11.24",
            },
        )

        slots = client.get("/api/v1/services/tax/slots?from=2026-11-25&days=1").json()["slots"]

        assert slots[0]["start"] == "2026-11-25T09:00:00+09:00"
        assert len(slots) == 11

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", ""),
            ("code", "日本語"),
            ("minutes", "0"),
            ("minutes", "481"),
            ("opens_days_before", "181"),
            ("lead_minutes", "-1"),
            ("division", "999999"),
        ],
    )
    def test_bad_input_is_said_on_the_field(self, desk: Client, field: str, value: str) -> None:
        page = desk.post("/staff/services/new/", self.fields(**{field: value})).content.decode()

        assert f'id="id_{field}_error"' in page
        assert not Service.objects.exists()

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("weekdays", []),
            ("opens_at", "25:00"),
            ("closes_at", "8:00"),
            ("valid_from", "R8.13.1"),
            ("valid_until", "R7.1.1"),
        ],
    )
    def test_bad_hours_are_said_on_the_field(
        self, desk: Client, service: Service, field: str, value: object
    ) -> None:
        fields: dict[str, object] = {
            "counter": service.counters.get().pk,
            "weekdays": ["0"],
            "opens_at": "9:00",
            "closes_at": "12:00",
            "valid_from": "R8.11.24",
        }
        page = desk.post(
            f"/staff/services/{service.code}/hours/", fields | {field: value}
        ).content.decode()

        assert f'id="id_{field}_error"' in page
        assert not service.counters.get().opening_rules.exists()

    def test_withdrawing_asks_first_and_changes_nothing(
        self, desk: Client, service: Service
    ) -> None:
        rule = actions.add_opening_rule(
            counter=service.counters.get(),
            weekdays=0b1111111,
            opens_at=time(8, 30),
            closes_at=time(17),
            valid_from=make.NOW.date(),
            by=make.staff(Role.ADMIN),
            at=make.NOW,
        )
        row = make.appointment(service)

        page = desk.post(
            f"/staff/opening-rules/{rule.pk}/withdrawal/", {"service": service.code}
        ).content.decode()

        assert "1件の予約が受付時間の外になります" in page
        assert "移し先の見つからない予約が1件" in page
        rule.refresh_from_db()
        row.refresh_from_db()
        assert (rule.withdrawn_at, row.status) == (None, "booked")

    def test_a_supervisor_sets_up_only_the_own_division(
        self, client: Client, service: Service
    ) -> None:
        client.force_login(make.staff(Role.SUPERVISOR, division=make.division("衛生課")))

        assert client.get(f"/staff/services/{service.code}/").status_code == 404
        assert client.get(f"/staff/services/{service.code}/hours/").status_code == 404
