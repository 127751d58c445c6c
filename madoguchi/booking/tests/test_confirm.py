from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from madoguchi.booking import actions, queries, rules, tasks
from madoguchi.booking.models import Appointment, Service
from madoguchi.booking.rules import AppointmentStatus, Source
from madoguchi.messaging.models import OutboundMessage
from tests import make

pytestmark = pytest.mark.django_db
NINE = rules.start_of(make.NOW.date() + timedelta(days=1), 8)
IN_TIME = make.NOW + timedelta(minutes=29)
TOO_LATE = make.NOW + timedelta(minutes=30)


def confirming_service(**more: Any) -> Service:
    service = make.service(
        code="hoiku", counters=[make.counter("1番")], confirm_minutes=30, **more
    )
    make.open_counters(service, days=3)
    return service


def book(service: Service, *, at: datetime = make.NOW, **more: Any) -> Appointment:
    fields: dict[str, Any] = {"name": "髙橋 花子", "email": "hana@mail.example"} | more
    return actions.book(service=service, site=make.site(), start=NINE, at=at, **fields)


def subjects() -> list[str]:
    return list(OutboundMessage.objects.order_by("pk").values_list("subject", flat=True))


class TestPending:
    def test_an_online_booking_waits_for_its_mail_and_takes_the_place_meanwhile(self) -> None:
        service = confirming_service()

        made = book(service)

        assert made.is_pending
        assert "まだ終わっていません" in subjects()[0]
        with pytest.raises(rules.Full):
            book(service, email="other@mail.example")

    def test_without_a_mail_address_the_telephone_is_named(self) -> None:
        service = confirming_service()
        service.division.phone = "000-0000-1100"
        service.division.save()

        with pytest.raises(rules.NotBookable, match="000-0000-1100") as refused:
            book(service, email="")

        assert refused.value.field == "email"

    @pytest.mark.parametrize("source", [Source.PHONE, Source.COUNTER])
    def test_whoever_speaks_to_us_confirms_nothing(self, source: Source) -> None:
        made = book(confirming_service(), email="", source=source, by=make.staff())

        assert made.status == AppointmentStatus.BOOKED

    def test_the_machine_in_the_hall_asks_for_no_mail(self) -> None:
        made = book(confirming_service(), email="", source=Source.COUNTER)

        assert made.status == AppointmentStatus.BOOKED

    def test_the_table_knows_until_when(self) -> None:
        made = book(confirming_service())

        with pytest.raises(IntegrityError), transaction.atomic():
            Appointment.objects.filter(pk=made.pk).update(confirm_until=None)

    def test_it_never_waits_beyond_the_appointment_itself(self) -> None:
        service = confirming_service(lead_minutes=0)

        made = book(service, at=NINE - timedelta(minutes=5))

        assert made.confirm_until == NINE


class TestConfirm:
    def test_the_link_makes_it_a_booking(self) -> None:
        made = book(confirming_service())

        actions.confirm(appointment=made, at=IN_TIME)

        made.refresh_from_db()
        assert made.status == AppointmentStatus.BOOKED
        assert subjects()[-1].startswith("予約を受け付けました")

    def test_twice_is_once(self) -> None:
        made = book(confirming_service())
        actions.confirm(appointment=made, at=IN_TIME)

        actions.confirm(appointment=made, at=TOO_LATE)

        assert len(subjects()) == 2

    def test_afterwards_it_is_too_late(self) -> None:
        made = book(confirming_service())

        with pytest.raises(rules.StepNotAllowed, match="期限"):
            actions.confirm(appointment=made, at=TOO_LATE)

    def test_opening_the_link_alone_confirms_nothing(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Programs that look for harm in mails open every link."""
        made = book(confirming_service())
        monkeypatch.setattr(timezone, "now", lambda: make.NOW)

        page = client.get(f"{made.address}confirmation/")

        made.refresh_from_db()
        assert "予約を確定する" in page.content.decode()
        assert made.is_pending

    def test_the_button_confirms(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        made = book(confirming_service())
        monkeypatch.setattr(timezone, "now", lambda: make.NOW)

        client.post(f"{made.address}confirmation/")

        made.refresh_from_db()
        assert made.status == AppointmentStatus.BOOKED


class TestLapse:
    def test_in_time_nothing_is_given_back(self) -> None:
        made = book(confirming_service())

        actions.release_lapsed(at=IN_TIME)

        made.refresh_from_db()
        assert made.is_pending

    def test_afterwards_the_place_comes_back_and_the_person_is_told(self) -> None:
        service = confirming_service()
        made = book(service)

        actions.release_lapsed(at=TOO_LATE)
        actions.release_lapsed(at=TOO_LATE + timedelta(days=1))

        made.refresh_from_db()
        assert made.status == AppointmentStatus.CANCELLED
        assert "取り消しました" in subjects()[-1]
        assert not queries.mask_differences()
        place: dict[str, Any] = {
            "service": service,
            "site": make.site(),
            "start": NINE + timedelta(days=1),
        }
        assert actions.book(
            name="次の人", source=Source.PHONE, by=make.staff(), at=TOO_LATE, **place
        )

    def test_a_late_round_frees_nobody_elses_place(self) -> None:
        """Confirmed meanwhile: the round that had read it as late must not take it back."""
        made = book(confirming_service())
        actions.confirm(appointment=made, at=IN_TIME)

        actions._lapse(made, at=TOO_LATE)

        made.refresh_from_db()
        assert made.status == AppointmentStatus.BOOKED
        assert not queries.mask_differences()

    def test_the_timetable_does_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = book(confirming_service())
        monkeypatch.setattr(timezone, "now", lambda: TOO_LATE)

        tasks.release_lapsed()

        made.refresh_from_db()
        assert made.status == AppointmentStatus.CANCELLED

    def test_a_change_of_hours_leaves_no_unconfirmed_booking_outside_them(self) -> None:
        service = confirming_service()
        made = book(service)
        counter = service.counters.get()
        counter.days.update(open=0)

        assert queries.orphans(counters=[counter], at=make.NOW) == [made]


class TestPages:
    def test_the_form_says_so_beforehand_and_keeps_what_was_typed(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(timezone, "now", lambda: make.NOW)
        service = make.service(code="hoiku", counters=[make.counter("1番")], confirm_minutes=30)
        make.open_counters(service, days=5)
        start = NINE
        page = f"/services/hoiku/appointment/?site={make.site().code}&start={start:%Y-%m-%dT%H:%M}"

        answer = client.post(page, {"name": "髙橋 花子", "key": "abc"})

        text = answer.content.decode()
        assert "メールでの確認が必要です" in text
        assert "髙橋 花子" in text

    def test_staff_confirm_for_whoever_calls(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = book(confirming_service())
        monkeypatch.setattr(timezone, "now", lambda: make.NOW)
        client.force_login(make.staff())

        client.post(f"/staff/appointments/{made.number}/confirmation/")

        made.refresh_from_db()
        assert made.status == AppointmentStatus.BOOKED
