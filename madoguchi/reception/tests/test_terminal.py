"""受付機: people receive themselves; only the machine that has the key may."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from madoguchi.audit.models import AuditEvent
from madoguchi.booking.models import Appointment, Service
from madoguchi.reception import actions
from madoguchi.reception.models import Terminal, Visit
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    monkeypatch.setattr("django.utils.timezone.now", lambda: make.NOW)
    return make.NOW


@pytest.fixture
def service() -> Service:
    return make.service()


@pytest.fixture
def machine(client: Client) -> Client:
    """A screen on which the address with the key has been opened once."""
    _, key = actions.add_terminal(
        site=make.site(), name="1階入口", by=make.staff(Role.ADMIN), at=make.NOW
    )
    client.get(f"{url()}?key={key}")
    return client


def url() -> str:
    return f"/terminal/{make.site().code}/"


class TestKey:
    def test_the_key_leaves_the_address_at_once(self, client: Client) -> None:
        _, key = actions.add_terminal(
            site=make.site(), name="1階入口", by=make.staff(Role.ADMIN), at=make.NOW
        )

        answer = client.get(f"{url()}?key={key}")

        assert answer["Location"] == url()
        assert client.cookies["terminal"]["httponly"]
        assert client.get(url()).status_code == 200
        assert key not in str(Terminal.objects.values().get())

    def test_without_a_key_with_a_wrong_one_or_at_another_site_there_is_nothing(
        self, client: Client, machine: Client
    ) -> None:
        stranger = Client()
        assert stranger.get(url()).status_code == 404
        assert stranger.get(f"{url()}?key=wrong").status_code == 404
        assert stranger.post(f"{url()}walk-ins/", {"service": "x"}).status_code == 404
        assert machine.get(f"/terminal/{make.site('南支所').code}/").status_code == 404

    def test_a_withdrawn_machine_opens_nothing(self, machine: Client) -> None:
        actions.withdraw_terminal(
            terminal=Terminal.objects.get(), by=make.staff(Role.ADMIN), at=make.NOW
        )

        assert machine.get(url()).status_code == 404

    def test_staff_see_how_to_open_it_once(self, client: Client) -> None:
        client.force_login(make.staff(Role.ADMIN))
        page = f"/staff/reception/{make.site().code}/terminals/"

        shown = client.post(page, {"name": "1階入口"}).content.decode()

        assert "?key=" in shown
        assert "?key=" not in client.get(page).content.decode()


class TestWalkIn:
    def test_one_press_gives_a_number_a_range_and_a_way_to_follow_it(
        self, machine: Client, service: Service
    ) -> None:
        assert service.name in machine.get(url()).content.decode()

        page = machine.post(f"{url()}walk-ins/", {"service": service.code}).content.decode()

        visit = Visit.objects.get()
        assert f'<p class="terminal__number">{visit.ticket}</p>' in page
        assert f'src="{visit.address}qr.svg"' in page
        assert visit.reason_without_booking == "at_terminal"
        terminal = Terminal.objects.get()
        assert AuditEvent.objects.get(verb="visit.walk_in").actor == f"terminal.{terminal.pk}"

    def test_what_is_not_received_here_is_not_given(
        self, machine: Client, service: Service
    ) -> None:
        far = make.service("支所の手続き", counters=[make.counter(site=make.site("南支所"))])

        answer = machine.post(f"{url()}walk-ins/", {"service": far.code})

        assert answer.status_code == 404
        assert not Visit.objects.exists()


class TestCheckIn:
    @pytest.mark.parametrize("how", ["number", "qr"])
    def test_by_number_or_qr_code(self, machine: Client, service: Service, how: str) -> None:
        row = make.appointment(service, start=make.NOW.replace(minute=15))
        code = row.shown_number if how == "number" else f"https://x.example{row.address}"

        page = machine.post(f"{url()}arrivals/", {"code": code}).content.decode()

        assert "受け付けました" in page
        assert Visit.objects.get().appointment == row
        assert row.name not in page

    @pytest.mark.parametrize("code", ["", "12345", "0000000000", "\x00"])
    def test_who_is_not_found_is_told_what_to_do(self, machine: Client, code: str) -> None:
        answer = machine.post(f"{url()}arrivals/", {"code": code})

        assert answer.status_code == 409
        assert "受付におたずねください" in answer.content.decode()


class TestBook:
    def test_a_walk_in_fixes_a_time_today(self, machine: Client, service: Service) -> None:
        make.open_counters(service)
        times = f"{url()}times/{service.code}/"
        page = machine.get(times).content.decode()
        start = make.NOW.replace(hour=13)
        assert f'value="{start.isoformat()}"' in page

        booked = machine.post(times, {"start": start.isoformat()}).content.decode()

        made = Appointment.objects.get()
        assert made.start == start
        assert made.shown_number in booked

    def test_a_taken_time_is_said_and_others_are_offered(
        self, machine: Client, service: Service
    ) -> None:
        make.open_counters(service)
        start = make.NOW.replace(hour=13)
        make.appointment(service, start=start)

        answer = machine.post(f"{url()}times/{service.code}/", {"start": start.isoformat()})

        assert answer.status_code == 409
        assert "埋まりました" in answer.content.decode()
        assert "13:30" in answer.content.decode()

    def test_another_day_can_be_chosen_and_keeps_the_place(
        self, machine: Client, service: Service
    ) -> None:
        make.open_counters(service)
        tomorrow = (make.NOW + timedelta(days=1)).replace(hour=9)
        times = f"{url()}times/{service.code}/"
        assert f"?on={tomorrow:%Y-%m-%d}" in machine.get(times).content.decode()

        machine.post(f"{times}?on={tomorrow:%Y-%m-%d}", {"start": tomorrow.isoformat()})

        assert Appointment.objects.get().start == tomorrow
