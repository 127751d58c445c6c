from datetime import datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from madoguchi.audit.models import AuditEvent
from madoguchi.booking import actions as booking
from madoguchi.booking.models import Appointment, Service
from madoguchi.booking.rules import StepNotAllowed
from madoguchi.foundation.models import LiveEvent
from madoguchi.offices.models import Counter
from madoguchi.reception import actions, queries, rules
from madoguchi.reception.models import Visit
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db
LATER = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    monkeypatch.setattr("django.utils.timezone.now", lambda: make.NOW)
    return make.NOW


@pytest.fixture
def officer() -> User:
    return make.staff(Role.RECEPTION)


@pytest.fixture
def service() -> Service:
    return make.service()


def today_at(hour: int, minute: int = 0) -> datetime:
    return make.NOW.replace(hour=hour, minute=minute)


def booked(service: Service, **more: object) -> Appointment:
    return make.appointment(service, **{"start": today_at(10, 15)} | more)


def arrive(service: Service, officer: User, at: datetime = make.NOW) -> Visit:
    return actions.walk_in(
        site=make.site(), service=service, reason=rules.Remark.DID_NOT_KNOW, by=officer, at=at
    )


class TestCheckIn:
    def test_who_booked_gets_a_number_and_keeps_the_booked_time(
        self, service: Service, officer: User
    ) -> None:
        visit = actions.check_in(
            appointment=booked(service), site=make.site(), by=officer, at=make.NOW
        )

        assert (visit.ticket, visit.booked_for) == (1, today_at(10, 15))
        assert Appointment.objects.get().status == "arrived"
        assert AuditEvent.objects.get().verb == "visit.check_in"

    def test_twice_is_refused(self, service: Service, officer: User) -> None:
        appointment = booked(service)
        actions.check_in(appointment=appointment, site=make.site(), by=officer, at=make.NOW)

        with pytest.raises(StepNotAllowed, match="すでに受付"):
            actions.check_in(appointment=appointment, site=make.site(), by=officer, at=make.NOW)

    def test_another_day_another_site_or_cancelled_says_which(
        self, service: Service, officer: User
    ) -> None:
        tomorrow = make.appointment(service)
        today = booked(service)
        gone = booked(service, start=today_at(11))
        booking.cancel(appointment=gone, at=make.NOW)

        for appointment, site, words in (
            (tomorrow, make.site(), "11月25日"),
            (today, make.site("南支所"), "本庁舎"),
            (gone, make.site(), "取り消されて"),
        ):
            with pytest.raises(StepNotAllowed, match=words):
                actions.check_in(appointment=appointment, site=site, by=officer, at=make.NOW)


class TestTickets:
    def test_numbers_run_without_gaps_per_site_and_day(
        self, service: Service, officer: User
    ) -> None:
        first = [arrive(service, officer).ticket for _ in range(3)]
        next_day = arrive(service, officer, at=make.NOW + timedelta(days=1)).ticket

        assert first == [1, 2, 3]
        assert next_day == 1

    def test_the_day_ends_in_japan_not_in_greenwich(self, service: Service, officer: User) -> None:
        late = arrive(service, officer, at=today_at(8, 45))
        evening = arrive(service, officer, at=today_at(20))

        assert late.on == evening.on == make.NOW.date()
        assert evening.ticket == 2

    @pytest.mark.parametrize("hour", [0, 8, 9, 16, 17, 21, 23])
    def test_no_hour_of_the_day_starts_the_numbers_again(
        self, service: Service, officer: User, hour: int
    ) -> None:
        before = arrive(service, officer, at=today_at(hour))
        after = arrive(service, officer, at=today_at(hour, 59))

        assert (before.ticket, after.ticket) == (1, 2)
        assert before.on == after.on == make.NOW.date()

    def test_after_midnight_the_new_day_begins_and_the_old_one_keeps_its_numbers(
        self, service: Service, officer: User
    ) -> None:
        last = arrive(service, officer, at=today_at(23, 59))
        first = arrive(service, officer, at=today_at(23, 59) + timedelta(minutes=2))

        assert (last.ticket, first.ticket) == (1, 1)
        assert first.on == last.on + timedelta(days=1)


class TestCallNext:
    def test_booked_goes_before_walk_in_once_due(self, service: Service, officer: User) -> None:
        arrive(service, officer, at=today_at(9, 50))
        appointment = booked(service)
        visit = actions.check_in(
            appointment=appointment, site=make.site(), by=officer, at=make.NOW
        )
        counter = service.counters.get()

        called = actions.call_next(counter=counter, by=officer, at=today_at(10, 15))

        assert called == visit
        topics = set(LiveEvent.objects.values_list("topic", flat=True))
        assert f"public.display.{make.site().pk}" in topics

    def test_a_counter_holds_one_visitor(self, service: Service, officer: User) -> None:
        counter = service.counters.get()
        arrive(service, officer)
        arrive(service, officer)
        actions.call_next(counter=counter, by=officer, at=make.NOW)

        with pytest.raises(rules.StepNotAllowed):
            actions.call_next(counter=counter, by=officer, at=make.NOW)

    def test_a_counter_calls_only_for_what_it_receives(
        self, service: Service, officer: User
    ) -> None:
        arrive(service, officer)
        elsewhere = make.counter("2番")

        assert actions.call_next(counter=elsewhere, by=officer, at=make.NOW) is None

    def test_the_whole_way_of_a_visit(self, service: Service, officer: User) -> None:
        counter = service.counters.get()
        arrive(service, officer)
        visit = actions.call_next(counter=counter, by=officer, at=make.NOW)
        assert visit is not None
        visit = actions.recall(visit=visit, by=officer, at=make.NOW + LATER)
        visit = actions.mark_absent(visit=visit, by=officer, at=make.NOW + LATER)
        visit = actions.recall(visit=visit, by=officer, at=make.NOW + LATER)
        visit = actions.start(visit=visit, by=officer, at=make.NOW + LATER)
        visit = actions.finish(visit=visit, by=officer, at=make.NOW + 2 * LATER)

        assert (visit.status, visit.calls) == ("done", 3)
        assert visit.finished_at == make.NOW + 2 * LATER

    def test_an_absent_one_is_not_called_over_somebody_else(
        self, service: Service, officer: User
    ) -> None:
        counter = service.counters.get()
        arrive(service, officer)
        arrive(service, officer)
        gone = actions.call_next(counter=counter, by=officer, at=make.NOW)
        assert gone is not None
        actions.mark_absent(visit=gone, by=officer, at=make.NOW)
        actions.call_next(counter=counter, by=officer, at=make.NOW)

        with pytest.raises(rules.StepNotAllowed):
            actions.recall(visit=gone, by=officer, at=make.NOW)

    def test_back_in_the_queue_one_has_the_old_place(
        self, service: Service, officer: User
    ) -> None:
        counter = service.counters.get()
        first = arrive(service, officer)
        arrive(service, officer, at=make.NOW + LATER)
        called = actions.call_next(counter=counter, by=officer, at=make.NOW + LATER)
        assert called == first
        actions.return_to_queue(visit=first, by=officer, at=make.NOW + LATER)

        assert queries.queue(site=make.site(), at=make.NOW + LATER)[0] == first


class TestCall:
    def test_one_is_called_before_whose_turn_it_is_and_it_is_recorded_and_shown(
        self, service: Service, officer: User
    ) -> None:
        arrive(service, officer)
        second = arrive(service, officer, at=make.NOW + LATER)
        LiveEvent.objects.all().delete()

        called = actions.call(
            visit=second, counter=service.counters.get(), by=officer, at=make.NOW + LATER
        )

        assert (called.pk, called.status, called.calls) == (second.pk, "called", 1)
        assert AuditEvent.objects.get(verb="visit.call").detail["out_of_turn"] is True
        topics = set(LiveEvent.objects.values_list("topic", flat=True))
        assert topics == {f"reception.{make.site().pk}", f"public.display.{make.site().pk}"}

    def test_whose_turn_it_is_anyway_is_not_recorded_as_out_of_turn(
        self, service: Service, officer: User
    ) -> None:
        first = arrive(service, officer)
        arrive(service, officer, at=make.NOW + LATER)

        actions.call(visit=first, counter=service.counters.get(), by=officer, at=make.NOW + LATER)

        assert AuditEvent.objects.get(verb="visit.call").detail["out_of_turn"] is False

    def test_nobody_is_called_to_a_counter_that_has_somebody(
        self, service: Service, officer: User
    ) -> None:
        counter = service.counters.get()
        arrive(service, officer)
        second = arrive(service, officer)
        actions.call_next(counter=counter, by=officer, at=make.NOW)

        with pytest.raises(rules.StepNotAllowed, match="先に終えて"):
            actions.call(visit=second, counter=counter, by=officer, at=make.NOW)

    def test_nobody_is_called_twice_nor_for_what_the_counter_does_not_receive(
        self, officer: User
    ) -> None:
        one, two, other = make.counter("1番"), make.counter("2番"), make.counter("3番")
        visit = arrive(make.service(counters=[one, two]), officer)

        with pytest.raises(rules.StepNotAllowed, match="お待ちではありません"):
            actions.call(visit=visit, counter=other, by=officer, at=make.NOW)
        actions.call(visit=visit, counter=one, by=officer, at=make.NOW)
        with pytest.raises(rules.StepNotAllowed, match="お待ちではありません"):
            actions.call(visit=visit, counter=two, by=officer, at=make.NOW)


class TestReceptionPage:
    url = property(lambda self: f"/staff/reception/{make.site().code}/")

    @pytest.fixture
    def desk(self, client: Client, officer: User) -> Client:
        client.force_login(officer)
        return client

    def test_it_shows_who_is_expected_and_records_that_it_did(
        self, desk: Client, service: Service
    ) -> None:
        row = booked(service, name="髙橋 花子")

        page = desk.get(self.url).content.decode()

        assert "髙橋 花子" in page
        event = AuditEvent.objects.get(verb="appointment.list")
        assert event.detail == {"appointments": [row.pk]}

    @pytest.mark.parametrize("how", ["number", "qr", "name"])
    def test_yes_by_number_qr_code_or_name(self, desk: Client, service: Service, how: str) -> None:
        row = booked(service, name="髙橋 花子")
        text = {
            "number": row.shown_number,
            "qr": f"http://localhost:8000{row.address}",
            "name": "高橋花子",
        }[how]

        page = desk.post(f"{self.url}arrivals/", {"code": text}, follow=True).content.decode()

        assert "受付番号 1 番で受け付けました" in page
        assert Visit.objects.get().appointment == row

    def test_two_of_the_same_name_are_offered_with_their_times(
        self, desk: Client, service: Service
    ) -> None:
        booked(service, name="佐藤 一")
        booked(service, name="佐藤 一郎", start=today_at(11))

        page = desk.post(f"{self.url}arrivals/", {"code": "佐藤"}).content.decode()

        assert "10:15 佐藤 一 様" in page
        assert "11:00 佐藤 一郎 様" in page
        assert not Visit.objects.exists()

    def test_who_is_not_found_is_said_and_the_input_is_kept(
        self, desk: Client, service: Service
    ) -> None:
        page = desk.post(f"{self.url}arrivals/", {"code": "だれか"}).content.decode()

        assert 'id="id_code_error"' in page
        assert "だれか" in page

    def test_no_with_service_and_reason(self, desk: Client, service: Service) -> None:
        fields = {"service": service.pk, "reason": "no_smartphone"}

        page = desk.post(f"{self.url}walk-ins/", fields, follow=True).content.decode()

        assert "受付番号 1 番" in page
        assert Visit.objects.get().reason_without_booking == "no_smartphone"

    @pytest.mark.parametrize("missing", ["service", "reason"])
    def test_no_without_service_or_reason_says_so(
        self, desk: Client, service: Service, missing: str
    ) -> None:
        fields = {"service": str(service.pk), "reason": "other"} | {missing: ""}

        page = desk.post(f"{self.url}walk-ins/", fields).content.decode()

        assert f'id="id_{missing}_error"' in page
        assert not Visit.objects.exists()

    def test_the_ticket_and_the_reasons_can_be_looked_at(
        self, desk: Client, service: Service, officer: User
    ) -> None:
        visit = arrive(service, officer)

        assert "番号票" in desk.get(f"{self.url}visits/{visit.pk}/ticket/").content.decode()
        page = desk.get(f"{self.url}remarks/").content.decode()
        assert "予約なし 1人" in page

    def test_the_board_alone_is_redrawn(self, desk: Client, service: Service) -> None:
        part = desk.get(self.url, headers={"HX-Request": "true"}).content.decode()

        assert "<html" not in part
        assert "お待ちの方" in part

    def test_a_full_hall_costs_no_more_queries(
        self,
        desk: Client,
        service: Service,
        officer: User,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for minute in range(0, 60, 15):
            booked(service, start=today_at(14, minute))
            booked(service, start=today_at(15, minute))
            arrive(service, officer)

        with django_assert_max_num_queries(45):  # whoever comes first computes the waiting times
            desk.get(self.url)
        with django_assert_max_num_queries(20):
            desk.get(self.url)

    def test_who_may_not_receive_is_refused(self, client: Client, service: Service) -> None:
        client.force_login(make.staff(Role.AUDITOR))

        assert client.get(self.url).status_code == 403
        assert client.post(f"{self.url}walk-ins/").status_code == 403


class TestCounterPage:
    @pytest.fixture
    def counter(self, service: Service) -> Counter:
        return service.counters.get()

    def test_call_start_and_finish_by_forms(
        self, client: Client, service: Service, officer: User, counter: Counter
    ) -> None:
        client.force_login(officer)
        arrive(service, officer)
        client.post(f"/staff/counters/{counter.pk}/calls/")
        visit = Visit.objects.get()
        client.post(f"/staff/visits/{visit.pk}/start/")
        page = client.get(f"/staff/counters/{counter.pk}/").content.decode()
        client.post(f"/staff/visits/{visit.pk}/finish/")

        visit.refresh_from_db()
        assert "対応を終える" in page
        assert visit.status == "done"
        assert "次の方を呼ぶ" in client.get(f"/staff/counters/{counter.pk}/").content.decode()

    def test_anyone_in_the_list_can_be_called_while_nobody_is_there(
        self, client: Client, service: Service, officer: User, counter: Counter
    ) -> None:
        client.force_login(officer)
        arrive(service, officer)
        urgent = arrive(service, officer)
        url = f"/staff/counters/{counter.pk}/"
        assert f">{urgent.ticket}番を呼ぶ</button>" in client.get(url).content.decode()

        client.post(f"{url}calls/{urgent.pk}/")

        urgent.refresh_from_db()
        assert (urgent.status, urgent.counter) == ("called", counter)
        assert "番を呼ぶ</button>" not in client.get(url).content.decode()

    def test_whom_another_counter_has_just_called_is_said(
        self, client: Client, service: Service, officer: User, counter: Counter
    ) -> None:
        client.force_login(officer)
        beside = make.counter("2番")
        service.counters.add(beside)
        visit = arrive(service, officer)
        actions.call_next(counter=beside, by=officer, at=make.NOW)

        page = client.post(f"/staff/counters/{counter.pk}/calls/{visit.pk}/", follow=True)

        assert "もうこの窓口でお待ちではありません" in page.content.decode()

    def test_a_visit_of_another_site_is_not_known_at_the_counter(
        self, client: Client, service: Service, officer: User, counter: Counter
    ) -> None:
        client.force_login(officer)
        away = actions.walk_in(
            site=make.site("南支所"),
            service=service,
            reason=rules.Remark.OTHER,
            by=officer,
            at=make.NOW,
        )

        assert client.post(f"/staff/counters/{counter.pk}/calls/{away.pk}/").status_code == 404

    def test_a_name_at_the_counter_is_recorded_as_read(
        self, client: Client, service: Service, officer: User, counter: Counter
    ) -> None:
        client.force_login(officer)
        actions.check_in(appointment=booked(service), site=make.site(), by=officer, at=make.NOW)
        actions.call_next(counter=counter, by=officer, at=make.NOW)

        page = client.get(f"/staff/counters/{counter.pk}/").content.decode()

        assert "山田 太郎" in page
        assert AuditEvent.objects.filter(verb="visit.read").count() == 1

    def test_another_division_does_not_know_the_counter(
        self, client: Client, service: Service, officer: User, counter: Counter
    ) -> None:
        arrive(service, officer)
        actions.call_next(counter=counter, by=officer, at=make.NOW)
        client.force_login(make.staff(Role.OFFICER, division=make.division("衛生課")))

        assert client.get(f"/staff/counters/{counter.pk}/").status_code == 404
        assert client.post(f"/staff/counters/{counter.pk}/calls/").status_code == 404
        pk = Visit.objects.get().pk
        assert client.post(f"/staff/counters/{counter.pk}/calls/{pk}/").status_code == 404
        assert client.post(f"/staff/visits/{pk}/start/").status_code == 404

    def test_the_list_of_counters_says_how_many_wait_for_each(
        self, client: Client, service: Service, officer: User, counter: Counter
    ) -> None:
        client.force_login(officer)
        make.counter("2番")
        arrive(service, officer)

        boards = queries.counter_boards(Counter.objects.order_by("pk"), at=make.NOW)

        assert [board.waiting for board in boards] == [1, 0]
        assert client.get("/staff/counters/").status_code == 200


class TestDisplay:
    def test_it_shows_numbers_and_counters_and_nobody(
        self, client: Client, service: Service, officer: User
    ) -> None:
        row = booked(service, name="髙橋 花子")
        actions.check_in(appointment=row, site=make.site(), by=officer, at=make.NOW)
        actions.call_next(counter=service.counters.get(), by=officer, at=make.NOW)

        page = client.get(f"/display/{make.site().code}/").content.decode()

        assert 'data-call="' in page
        assert "1番" in page
        calls, _, waits = page.partition('class="display__foot"')
        for secret in ("髙橋", row.number):
            assert secret not in page
        assert service.name not in calls  # what the one called has come for
        assert service.name in waits

    def test_two_counters_calling_at_once_are_both_shown_newest_first(
        self, client: Client, officer: User
    ) -> None:
        one, two = make.counter("1番"), make.counter("2番")
        service = make.service(counters=[one, two])
        arrive(service, officer)
        arrive(service, officer)
        actions.call_next(counter=one, by=officer, at=make.NOW)
        actions.call_next(counter=two, by=officer, at=make.NOW + LATER)

        calls = queries.calls_shown(site=make.site(), at=make.NOW)

        assert [visit.ticket for visit in calls] == [2, 1]


class TestAway:
    """担当者不在 at reception and counter: who stands in, and what they need to know."""

    def test_reception_sees_everyone_who_is_away_and_what_the_stand_in_needs(
        self, client: Client, officer: User, service: Service
    ) -> None:
        nursery = make.division("保育課")
        stand_in = make.staff(Role.OFFICER, division=nursery, name="井上 真由")
        make.absence(make.staff(Role.OFFICER, division=nursery, name="森下 拓"), stand_in=stand_in)
        client.force_login(officer)

        page = client.get(f"/staff/reception/{make.site().code}/").content.decode()

        assert "担当者不在　1人" in page
        assert "森下 拓（保育課）" in page
        assert "井上 真由（保育課" in page
        assert "R8-00012" in page

    def test_while_nobody_is_named_who_could_stand_in_is_shown(
        self, client: Client, officer: User, service: Service
    ) -> None:
        nursery = make.division("保育課")
        make.staff(Role.OFFICER, division=nursery, name="井上 真由")
        make.absence(make.staff(Role.OFFICER, division=nursery, name="森下 拓"))
        make.absence(make.staff(Role.OFFICER, division=nursery, name="大野 涼子"))
        client.force_login(officer)

        page = client.get(f"/staff/reception/{make.site().code}/").content.decode()

        assert page.count("出られる人：井上 真由") == 2

    def test_a_counter_shows_its_own_division(self, client: Client) -> None:
        desk = make.counter("1番", division=make.division("保育課"))
        officer = make.staff(Role.OFFICER, division=desk.division)
        make.absence(make.staff(Role.OFFICER, division=desk.division, name="森下 拓"))
        make.absence(make.staff(Role.OFFICER, division=make.division("納税課"), name="岡 大輔"))
        client.force_login(officer)

        page = client.get(f"/staff/counters/{desk.pk}/").content.decode()

        assert "森下 拓" in page
        assert "岡 大輔" not in page


def test_a_booking_not_yet_confirmed_by_mail_is_received_all_the_same(
    service: Service, officer: User
) -> None:
    pending = booked(
        service, status="pending", email="hana@mail.example", confirm_until=today_at(10, 10)
    )

    visit = actions.check_in(appointment=pending, site=make.site(), by=officer, at=make.NOW)

    assert visit.appointment == pending
