"""A change of hours leaves nobody who booked without a place."""

from datetime import date, datetime, time, timedelta

import pytest
from django.test import Client

from madoguchi.audit.models import AuditEvent
from madoguchi.booking import actions, queries, rules
from madoguchi.booking.models import (
    Appointment,
    AppointmentPlace,
    Errand,
    OpeningRule,
    Service,
)
from madoguchi.messaging.models import OutboundMessage
from madoguchi.offices.models import Counter
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db
TOMORROW = make.NOW.date() + timedelta(days=1)
NINE = rules.start_of(TOMORROW, 8)


@pytest.fixture
def admin() -> User:
    return make.staff(Role.ADMIN)


def opened(counter: Counter, admin: User, **more: object) -> OpeningRule:
    fields: dict[str, object] = {
        "counter": counter,
        "weekdays": 0b0011111,
        "opens_at": time(9),
        "closes_at": time(16),
        "valid_from": make.NOW.date(),
        "by": admin,
        "at": make.NOW,
    }
    return actions.add_opening_rule(**fields | more)  # type: ignore[arg-type]


def book(service: Service, start: datetime = NINE, **more: object) -> Appointment:
    fields: dict[str, object] = {"name": "髙橋 花子", "at": make.NOW}
    return actions.book(
        service=service,
        site=make.site(),
        start=start,
        **fields | more,  # type: ignore[arg-type]
    )


def nobody_is_left_out() -> bool:
    counters = Counter.objects.all()
    return (
        not queries.orphans(counters=counters, at=make.NOW)
        and not queries.mask_differences()
        and not queries.overlapping_appointments()
    )


def close(service: Service, admin: User, **more: object) -> list[Appointment]:
    return actions.close_day(
        counters=service.counters.all(),
        day=TOMORROW,
        by=admin,
        at=make.NOW,
        **more,  # type: ignore[arg-type]
    )


def refused(service: Service, admin: User) -> list[queries.Proposal]:
    with pytest.raises(actions.WouldOrphan) as reason:
        close(service, admin)
    return reason.value.proposals


class TestPreview:
    def test_everybody_gets_a_place_of_their_own_and_nothing_has_changed(
        self, admin: User
    ) -> None:
        service = make.service(counters=[make.counter("1番")])
        opened(service.counters.get(), admin)
        booked = [book(service, NINE + timedelta(minutes=30 * n)) for n in range(4)]

        proposals = refused(service, admin)

        assert [row.appointment for row in proposals] == booked
        starts = [row.start for row in proposals if row.start]
        assert len(set(starts)) == 4
        assert all(start.astimezone(rules.JST).date() != TOMORROW for start in starts)
        assert list(Appointment.objects.values_list("start", flat=True)) == [
            row.start for row in booked
        ]
        assert not OpeningRule.objects.filter(is_closure=True).exists()
        assert nobody_is_left_out()

    def test_another_counter_at_the_same_time_comes_first(self, admin: User) -> None:
        desks = [make.counter("1番"), make.counter("2番")]
        service = make.service(counters=desks)
        for desk in desks:
            opened(desk, admin)
        mine = book(service, email="hanako@example.jp")
        OutboundMessage.objects.all().delete()

        moved = actions.change_hours(
            withdraw=list(desks[0].opening_rules.all()),
            moves={mine.pk: NINE},
            by=admin,
            at=make.NOW,
        )

        assert [(row.counter, row.start) for row in moved] == [(desks[1], NINE)]
        assert not OutboundMessage.objects.exists()  # nobody notices, nobody is told
        assert nobody_is_left_out()

    def test_whoever_cannot_go_anywhere_stops_the_change(self, admin: User) -> None:
        service = make.service(counters=[make.counter("1番")])
        rule = opened(service.counters.get(), admin, valid_until=TOMORROW)
        book(service)

        with pytest.raises(actions.WouldOrphan) as reason:
            actions.withdraw_opening_rule(rule=rule, by=admin, at=make.NOW)

        assert [row.start for row in reason.value.proposals] == [None]


class TestApproval:
    def test_the_approved_places_are_taken_and_told(self, admin: User) -> None:
        service = make.service(counters=[make.counter("1番")])
        opened(service.counters.get(), admin)
        with_mail = book(service, email="hanako@example.jp")
        by_phone = book(service, NINE + timedelta(hours=1), phone="0312345678")
        OutboundMessage.objects.all().delete()
        moves = {row.appointment.pk: row.start for row in refused(service, admin) if row.start}

        moved = close(service, admin, moves=moves)

        assert {row.pk: row.start for row in moved} == moves
        message = OutboundMessage.objects.get()
        assert message.to == "hanako@example.jp"
        assert "市の都合により" in message.body
        untold = queries.untold_moves(service)
        assert [place.appointment for place in untold] == [by_phone]
        assert AuditEvent.objects.filter(verb="appointment.move").count() == 2
        assert with_mail.number in message.subject.replace("-", "")
        assert nobody_is_left_out()

        actions.mark_told(place=untold[0], by=admin, at=make.NOW)

        assert not queries.untold_moves(service)

    def test_a_place_that_was_taken_meanwhile_is_proposed_anew(self, admin: User) -> None:
        service = make.service(counters=[make.counter("1番")])
        opened(service.counters.get(), admin)
        mine = book(service)
        [proposal] = refused(service, admin)
        assert proposal.start
        book(service, proposal.start)

        with pytest.raises(actions.WouldOrphan) as again:
            close(service, admin, moves={mine.pk: proposal.start})

        assert [row.start for row in again.value.proposals] != [proposal.start]
        mine.refresh_from_db()
        assert mine.start == NINE
        assert nobody_is_left_out()

    def test_a_counter_that_no_longer_receives_the_service_is_a_change_too(
        self, admin: User
    ) -> None:
        desks = [make.counter("1番"), make.counter("2番")]
        service = make.service(counters=desks)
        for desk in desks:
            opened(desk, admin)
        mine = book(service)
        fields = {"minutes": 30}

        with pytest.raises(actions.WouldOrphan):
            actions.save_service(
                service=service, fields=fields, counters=[desks[1]], by=admin, at=make.NOW
            )
        actions.save_service(
            service=service,
            fields=fields,
            counters=[desks[1]],
            moves={mine.pk: NINE},
            by=admin,
            at=make.NOW,
        )

        mine.refresh_from_db()
        assert mine.counter == desks[1]
        assert nobody_is_left_out()

    def test_hours_for_one_service_alone_are_guarded_too(self, admin: User) -> None:
        counter = make.counter("1番")
        service = make.service(counters=[counter])
        opened(counter, admin)
        book(service)

        with pytest.raises(actions.WouldOrphan):
            opened(counter, admin, service=service, is_closure=True)
        assert nobody_is_left_out()

    def test_without_the_guard_somebody_is_left_out(
        self, admin: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The control: hours are laid out and nobody asks who stands there."""
        service = make.service(counters=[make.counter("1番")])
        opened(service.counters.get(), admin)
        book(service)

        def lay_out_only(counters: list[Counter], **_: object) -> list[Appointment]:
            first = make.NOW.date()
            actions._lay_out(list(counters), first=first, last=first + timedelta(days=30))
            return []

        monkeypatch.setattr(actions, "_settle", lay_out_only)
        close(service, admin)

        assert not nobody_is_left_out()


class TestPage:
    def test_the_officer_sees_whom_it_moves_and_approves(self, client: Client) -> None:
        admin = make.staff(Role.ADMIN)
        service = make.service(counters=[make.counter("1番")])
        opened(service.counters.get(), admin, valid_from=date(2020, 1, 1))
        client.force_login(admin)
        day = next(row for row in queries.coming_days(service, at=_now()) if _is_free(row)).day
        book(service, rules.start_of(day, 12), phone="0312345678", at=_now())
        url = f"/staff/services/{service.code}/closures/"

        page = client.post(url, {"day": day.isoformat(), "note": "研修"})
        [proposal] = page.context["proposals"]
        approved = {f"move-{proposal.appointment.pk}": f"{_local(proposal.start):%Y-%m-%dT%H:%M}"}
        after = client.post(url, {"day": day.isoformat(), "note": "研修"} | approved, follow=True)

        assert page.status_code == 409
        assert "まだ何も変わっていません" in page.content.decode()
        assert "電話でお知らせが必要な予約" in after.content.decode()
        assert AppointmentPlace.objects.get(left_at=None).is_moved_by_office


def _now() -> datetime:
    return datetime.now(rules.JST)


def _local(moment: datetime) -> datetime:
    return moment.astimezone(rules.JST)


def _is_free(row: queries.ComingDay) -> bool:
    return bool(row.open_minutes) and row.day > _now().date() + timedelta(days=1)


class TestSetUp:
    """What a service may say about its places."""

    def slots(self, errand: Errand, **more: object) -> list[datetime]:
        window = queries.window_of(errand, at=make.NOW, **more)  # type: ignore[arg-type]
        found = queries.free_slots(errand, first=TOMORROW, last=TOMORROW, window=window)
        return [slot.start for slot in found]

    def test_buffers_lie_around_the_visit(self, admin: User) -> None:
        service = make.service(
            counters=[make.counter("1番")], minutes=30, buffer_before=15, buffer_after=15
        )
        opened(service.counters.get(), admin, closes_at=time(11))

        first = book(service, self.slots(Errand((service,)))[0])

        assert first.start == NINE + timedelta(minutes=15)
        assert self.slots(Errand((service,))) == [NINE + timedelta(minutes=75)]
        assert nobody_is_left_out()

    def test_a_family_stays_longer_and_two_matters_are_one_appointment(self, admin: User) -> None:
        desk = make.counter("1番")
        moving = make.service(
            "転入", counters=[desk], may_be_combined=True, most_people=4, minutes_per_person=15
        )
        child = make.service("児童手当", counters=[desk], minutes=15, may_be_combined=True)
        opened(desk, admin)

        made = book(moving, also=[child], people=3)

        assert (made.minutes, made.cells) == (75, 5)
        assert list(made.also.all()) == [child]
        assert queries.together_with(moving) == [child]
        with pytest.raises(rules.NotBookable):
            book(moving, NINE + timedelta(hours=2), people=5)

    @pytest.mark.parametrize(("source", "places"), [("web", 4), ("phone", 6), ("counter", 8)])
    def test_shares_keep_places_for_the_telephone_and_for_walk_ins(
        self, admin: User, source: str, places: int
    ) -> None:
        service = make.service(
            counters=[make.counter("1番")], online_share=50, booking_share=75, lead_minutes=0
        )
        opened(service.counters.get(), admin, closes_at=time(13))
        asked = {"source": rules.Source(source), "by": None if source == "web" else admin}

        taken = 0
        while starts := self.slots(Errand((service,)), source=rules.Source(source)):
            book(service, starts[0], **asked)
            taken += 1

        assert taken == places
        if source != "counter":
            with pytest.raises(rules.Full):
                book(service, NINE + timedelta(hours=3, minutes=30), **asked)

    def test_one_person_holds_so_many_appointments_and_no_more(self, admin: User) -> None:
        service = make.service(counters=[make.counter("1番")], most_per_person=1)
        opened(service.counters.get(), admin)
        first = book(service, phone="0312345678")
        later = NINE + timedelta(hours=1)

        with pytest.raises(rules.NotBookable) as refusal:
            book(service, later, phone="0312345678")
        assert refusal.value.field == "phone"
        with pytest.raises(rules.NotBookable):
            book(service, later)  # nobody one could count
        assert book(service, later, phone="0399999999")
        actions.cancel(appointment=first, by=make.staff(), at=make.NOW)
        assert book(service, NINE, phone="0312345678")

    @pytest.mark.parametrize(
        ("now", "first_day"),
        [
            (datetime(2026, 11, 24, 16, 59, tzinfo=rules.JST), date(2026, 11, 26)),
            (datetime(2026, 11, 24, 17, 0, tzinfo=rules.JST), date(2026, 11, 27)),
            # Friday evening: Monday and Tuesday count, Saturday and Sunday do not.
            (datetime(2026, 11, 27, 17, 0, tzinfo=rules.JST), date(2026, 12, 2)),
        ],
    )
    def test_booking_ends_working_days_before_at_the_hour_said(
        self, now: datetime, first_day: date
    ) -> None:
        window = rules.booking_window(
            now=now,
            lead_minutes=60,
            opens_days_before=31,
            closes_days_before=2,
            closes_at=time(17),
        )

        assert window.earliest == datetime.combine(first_day, time(), rules.JST)

    def test_an_exception_wins_over_rules_and_closures(self, admin: User) -> None:
        counter = make.counter("1番")
        service = make.service(counters=[counter])
        opened(counter, admin, lunch_from=time(12), lunch_until=time(13))
        opened(counter, admin, is_closure=True, valid_from=TOMORROW, valid_until=TOMORROW)
        assert self.slots(Errand((service,))) == []

        opened(
            counter,
            admin,
            is_exception=True,
            opens_at=time(10),
            closes_at=time(11),
            valid_from=TOMORROW,
            valid_until=TOMORROW,
        )

        assert self.slots(Errand((service,))) == [
            NINE + timedelta(minutes=60 + 15 * n) for n in range(3)
        ]
