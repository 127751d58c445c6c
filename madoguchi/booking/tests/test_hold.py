from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from madoguchi.booking import actions, queries, rules, tasks
from madoguchi.booking.models import Appointment, CounterDay, Errand, Hold, Service
from madoguchi.foundation.limits import Limit
from madoguchi.staff.rules import Role
from tests import make
from tests.crowd import rush

pytestmark = pytest.mark.django_db
NINE = rules.start_of(make.NOW.date() + timedelta(days=1), 8)
HALF_PAST = NINE + timedelta(minutes=30)
LATER = make.NOW + rules.HOLD


def open_service(count: int = 1) -> Service:
    service = make.service(code="hoiku", counters=[make.counter(f"{n}番") for n in range(count)])
    make.open_counters(service, days=3)
    return service


def hold(
    service: Service, *, start: datetime = NINE, at: datetime = make.NOW, **more: Any
) -> Hold:
    return actions.hold(service=service, site=make.site(), start=start, at=at, **more)


def book(
    service: Service, *, start: datetime = NINE, at: datetime = make.NOW, **more: Any
) -> Appointment:
    fields: dict[str, Any] = {"name": "髙橋 花子"} | more
    return actions.book(service=service, site=make.site(), start=start, at=at, **fields)


def times(service: Service, *, at: datetime = make.NOW) -> set[datetime]:
    day = NINE.date()
    window = queries.window_of(Errand((service,)), at=at)
    return {
        slot.start
        for slot in queries.free_slots(Errand((service,)), first=day, last=day, window=window)
    }


def masks_are_right() -> bool:
    return not queries.mask_differences() and not queries.overlapping_appointments()


class TestHold:
    def test_a_held_place_is_neither_shown_nor_given_to_others(self) -> None:
        service = open_service()
        hold(service)

        assert NINE not in times(service)
        with pytest.raises(rules.Full):
            book(service)
        with pytest.raises(rules.Full):
            hold(service)
        assert masks_are_right()

    def test_a_service_that_grew_longer_meanwhile_takes_its_new_length(self) -> None:
        service = open_service()
        held = hold(service)
        Service.objects.filter(pk=service.pk).update(minutes=service.minutes + 30)
        service.refresh_from_db()

        made = book(service, hold=held.token)

        assert made.cells == held.cells + 2
        assert masks_are_right()

    def test_it_becomes_the_booking_and_is_counted_once(self) -> None:
        service = open_service()
        held = hold(service)

        made = book(service, hold=held.token)

        assert made.counter == held.counter
        assert not Hold.objects.exists()
        assert masks_are_right()

    def test_it_outlives_the_lead_time(self) -> None:
        service = open_service()
        start = make.NOW + timedelta(minutes=service.lead_minutes)
        held = hold(service, start=start)

        assert book(service, start=start, hold=held.token, at=make.NOW + timedelta(minutes=5))

    def test_the_same_place_pressed_twice_is_held_once(self) -> None:
        service = open_service(2)
        first = hold(service)

        assert hold(service, instead_of=first.token) == first

    def test_another_time_gives_the_first_one_back(self) -> None:
        service = open_service()
        first = hold(service)

        hold(service, start=HALF_PAST, instead_of=first.token)

        assert NINE in times(service)
        assert masks_are_right()

    def test_booking_another_time_gives_it_back(self) -> None:
        service = open_service()
        first = hold(service)

        book(service, start=HALF_PAST, hold=first.token)

        assert NINE in times(service)
        assert masks_are_right()

    def test_a_place_that_is_not_offered_is_not_held(self) -> None:
        service = open_service()

        with pytest.raises(rules.NotBookable):
            hold(service, start=NINE - timedelta(days=2))

    def test_hours_changed_meanwhile_take_no_booking_outside_them(self) -> None:
        service = open_service()
        held = hold(service)
        CounterDay.objects.update(open=0)

        with pytest.raises(rules.NotBookable):
            book(service, hold=held.token)
        assert not Appointment.objects.exists()


class TestLapse:
    def test_the_timetable_gives_it_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        service = open_service()
        hold(service)
        monkeypatch.setattr("madoguchi.booking.tasks.timezone.now", lambda: LATER)

        tasks.release_lapsed()

        assert NINE in times(service)
        assert masks_are_right()

    def test_before_its_time_nothing_is_given_back(self) -> None:
        service = open_service()
        hold(service)

        assert actions.release_lapsed(at=LATER - timedelta(seconds=1)) == 0
        assert NINE not in times(service)

    def test_the_next_who_books_need_not_wait_for_the_timetable(self) -> None:
        service = open_service()
        hold(service)

        assert book(service, at=LATER)
        assert masks_are_right()

    def test_too_late_but_still_free_is_booked_all_the_same(self) -> None:
        service = open_service()
        held = hold(service)

        assert book(service, hold=held.token, at=LATER)
        assert masks_are_right()

    def test_a_late_sweep_does_not_free_the_place_of_somebody_else(self) -> None:
        """The sweep has read the lapsed hold; before it writes, another books the place."""
        service = open_service()
        stale = Hold.objects.filter(pk=hold(service).pk)
        actions.release_lapsed(at=LATER)
        book(service, at=LATER)

        assert not actions._release(stale)
        assert masks_are_right()


@pytest.mark.django_db(transaction=True)
class TestRace:
    @pytest.mark.parametrize("capacity", [1, 3])
    def test_holds_and_bookings_at_once_never_exceed_the_places(self, capacity: int) -> None:
        service = open_service(capacity)
        site = make.site()

        def attempt(number: int) -> str:
            try:
                if number % 2:
                    token = hold(service).token
                else:
                    actions.book(service=service, site=site, start=NINE, name="x", at=make.NOW)
                    return "taken"
                if number % 3 == 0:
                    book(service, hold=token)
            except rules.Full:
                return "full"
            return "taken"

        ends = rush(attempt, times=200)

        assert ends == {"taken": capacity, "full": 200 - capacity}
        assert masks_are_right()

    def test_lapse_and_booking_at_once_end_in_one_booking(self) -> None:
        service = open_service()
        for _ in range(5):
            held = hold(service)

            def attempt(number: int, token: str = held.token) -> str:
                if number % 2:
                    actions.release_lapsed(at=LATER)
                    return "swept"
                try:
                    book(service, hold=token)
                except rules.Full:
                    return "full"
                return "booked"

            ends = rush(attempt, times=50)

            assert ends["booked"] == 1
            assert masks_are_right()
            Appointment.objects.all().delete()
            CounterDay.objects.update(busy=0, online=0)

    def test_without_the_guard_a_late_sweep_frees_a_booked_place(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The control: give back whatever was read as lapsed, as a program does that trusts it."""
        service = open_service()
        stale = Hold.objects.filter(pk=hold(service).pk)
        found = stale.get()
        book(service, hold=found.token)
        monkeypatch.setattr(actions, "_delete", lambda one: True)
        monkeypatch.setattr(type(stale), "first", lambda self: found)

        actions._release(stale)

        assert not masks_are_right()


class TestPage:
    @pytest.fixture(autouse=True)
    def now(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: make.NOW)

    def press(self, client: Client, start: str = "2026-11-25T09:00") -> str:
        place = {"site": make.site().code, "start": start}
        return client.post("/services/hoiku/hold/", place)["Location"]

    def test_the_form_says_until_when_in_words(self, client: Client) -> None:
        open_service()

        form = client.get(self.press(client)).content.decode()

        assert "10:15まで</strong>押さえています" in form

    def test_without_a_hold_the_form_says_so(self, client: Client) -> None:
        open_service()

        form = client.get(
            f"/services/hoiku/appointment/?site={make.site().code}&start=2026-11-25T09:00"
        ).content.decode()

        assert "まだ押さえていません" in form

    def test_ones_own_held_time_can_be_chosen_again(self, client: Client) -> None:
        open_service()
        self.press(client)
        day = f"/services/hoiku/?site={make.site().code}&on=2026-11-25"

        assert 'value="2026-11-25T09:00"' in client.get(day).content.decode()
        assert 'value="2026-11-25T09:00"' not in Client().get(day).content.decode()

    def test_a_taken_time_leads_back_to_its_day(self, client: Client) -> None:
        open_service()
        self.press(Client())

        page = client.get(self.press(client)).content.decode()

        assert "ほかの方の予約で埋まりました" in page
        assert "11月25日" in page

    def test_a_hold_that_lapsed_while_typing_loses_nothing_typed(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service = open_service()
        form = self.press(client)
        book(service, at=LATER)
        monkeypatch.setattr("django.utils.timezone.now", lambda: LATER)

        answer = client.post(form, {"name": "髙橋 花子", "phone": "090-1234-5678"})

        page = answer.content.decode()
        assert answer.status_code == 409
        assert "髙橋 花子" in page
        assert "090-1234-5678" in page
        assert 'name="instead"' in page

    def test_staff_hold_the_place_while_the_caller_speaks(self, client: Client) -> None:
        open_service()
        client.force_login(make.staff(Role.RECEPTION))
        place = {"site": make.site().code, "start": "2026-11-25T09:00"}

        form = client.post("/staff/appointments/new/hoiku/hold/", place)["Location"]

        assert "10:15まで</strong>押さえています" in client.get(form).content.decode()
        client.post(form, {"name": "髙橋 花子", "source": "phone"})
        assert Appointment.objects.get().source == "phone"
        assert masks_are_right()

    def test_one_address_cannot_hold_place_after_place(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        open_service()
        once = Limit(name="hold", times=1, span=timedelta(minutes=10))
        monkeypatch.setattr("madoguchi.booking.access.HOLDING", once)
        self.press(Client())

        answer = Client().post(
            "/services/hoiku/hold/",
            {"site": make.site().code, "start": "2026-11-25T13:00"},
            follow=True,
        )

        assert "短い間に何度も送られました" in answer.content.decode()
        assert Hold.objects.count() == 1
