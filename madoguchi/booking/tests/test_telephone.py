import pytest
from django.test import Client

from madoguchi.audit.models import AuditEvent
from madoguchi.booking import queries, rules
from madoguchi.booking.models import Appointment, Service
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: make.NOW)


@pytest.fixture
def officer() -> User:
    return make.staff(Role.RECEPTION)


@pytest.fixture
def service() -> Service:
    return make.service()


class TestTelephone:
    @pytest.fixture
    def desk(self, client: Client, officer: User) -> Client:
        client.force_login(officer)
        return client

    def test_staff_book_in_the_same_places(self, desk: Client, service: Service) -> None:
        make.open_counters(service)
        Service.objects.update(stage="required")
        assert service.name in desk.get("/staff/appointments/").content.decode()
        page = desk.get(f"/staff/appointments/new/{service.code}/").content.decode()
        assert "10:00" in page
        url = f"/staff/appointments/new/{service.code}/person/?site={make.site().code}"
        answer = desk.post(
            f"{url}&start=2026-11-25T09:00",
            {"name": "髙橋 花子", "source": "phone"},
            follow=True,
        )

        made = Appointment.objects.get()
        assert made.shown_number in answer.content.decode()
        assert made.source == "phone"
        assert not queries.mask_differences()

    def test_a_full_place_offers_others_and_keeps_the_input(
        self, desk: Client, service: Service
    ) -> None:
        make.open_counters(service)
        make.appointment(service)

        page = desk.post(
            f"/staff/appointments/new/{service.code}/person/"
            f"?site={make.site().code}&start=2026-11-25T09:00",
            {"name": "髙橋 花子", "source": "phone"},
        ).content.decode()

        assert 'name="instead"' in page
        assert "髙橋 花子" in page

    def test_staff_change_and_cancel_by_number(self, desk: Client, service: Service) -> None:
        make.open_counters(service)
        row = make.appointment(service)
        base = f"/staff/appointments/{row.number}/"

        assert desk.get(f"/staff/appointments/?number={row.number}")["Location"] == base
        assert "山田 太郎" in desk.get(base).content.decode()
        desk.post(f"{base}change/?site={make.site().code}&start=2026-11-26T13:00")
        row.refresh_from_db()
        assert row.start.astimezone(rules.JST).hour == 13
        desk.post(f"{base}cancellation/")
        row.refresh_from_db()
        assert row.status == "cancelled"
        assert AuditEvent.objects.filter(verb="appointment.read").count() >= 3
