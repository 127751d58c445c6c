from datetime import datetime, time, timedelta
from random import Random

import pytest
from django.db import IntegrityError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from madoguchi.audit.models import AuditEvent
from madoguchi.booking import actions, queries, rules
from madoguchi.booking.models import Appointment, CounterDay, Errand, Hold, Service
from madoguchi.foundation.errors import RuleBroken
from madoguchi.foundation.models import LiveEvent
from madoguchi.messaging.models import OutboundMessage
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db
TOMORROW = make.NOW.date() + timedelta(days=1)
NINE = rules.start_of(TOMORROW, 8)


def open_service(**more: object) -> Service:
    service = make.service(**more)  # type: ignore[arg-type]
    make.open_counters(service)
    return service


def book(service: Service, **more: object) -> Appointment:
    fields = {
        "service": service,
        "site": make.site(),
        "start": NINE,
        "name": "髙橋 花子",
        "at": make.NOW,
    }
    return actions.book(**fields | more)  # type: ignore[arg-type]


def masks_are_right() -> bool:
    return not queries.mask_differences() and not queries.overlapping_appointments()


class TestBook:
    def test_the_place_is_taken_with_a_number_and_a_secret(self) -> None:
        appointment = book(open_service())

        assert rules.parse_number(appointment.number) == appointment.number
        assert len(appointment.token) == 32
        assert CounterDay.objects.get(day=TOMORROW).busy == 0b11 << 8
        assert masks_are_right()

    def test_the_second_at_the_same_counter_is_told_that_it_is_full(self) -> None:
        service = open_service()
        book(service)

        with pytest.raises(rules.Full):
            book(service)
        with pytest.raises(rules.Full):
            book(service, start=NINE + timedelta(minutes=15))
        assert Appointment.objects.count() == 1

    def test_as_many_are_received_as_there_are_counters(self) -> None:
        service = open_service(counters=[make.counter("1番"), make.counter("2番")])

        taken = {book(service).counter_id for _ in range(2)}

        assert len(taken) == 2
        with pytest.raises(rules.Full):
            book(service)

    @pytest.mark.parametrize(
        ("start", "field"),
        [
            (rules.start_of(TOMORROW, 2), "start"),  # before opening
            (rules.start_of(TOMORROW, 40), "start"),  # 30 minutes would end after closing
            (rules.start_of(TOMORROW, 61), "start"),  # the run would leave the grid
            (NINE - timedelta(days=2), "start"),  # the past
            (NINE + timedelta(days=100), "start"),  # not yet released
        ],
    )
    def test_what_is_not_offered_is_not_given(self, start: datetime, field: str) -> None:
        with pytest.raises(rules.NotBookable) as refused:
            book(open_service(), start=start)
        assert refused.value.field == field

    def test_a_service_that_is_not_online_is_not_booked_online(self) -> None:
        service = open_service(stage=rules.Stage.REQUIRED.value)

        with pytest.raises(rules.NotBookable) as refused:
            book(service)
        assert refused.value.field == "service"
        assert book(service, by=make.staff(), source=rules.Source.PHONE).source == "phone"

    def test_staff_book_up_to_the_last_moment(self) -> None:
        service = open_service(lead_minutes=24 * 60)
        soon = make.NOW + timedelta(minutes=15)

        with pytest.raises(rules.NotBookable):
            book(service, start=soon)
        assert book(service, start=soon, by=make.staff(), source=rules.Source.PHONE)

    def test_hours_kept_for_another_service_are_not_offered(self) -> None:
        counter = make.counter()
        legal = make.service("法律相談", counters=[counter])
        other = make.service("税の相談", counters=[counter])
        actions.add_opening_rule(
            counter=counter,
            service=legal,
            weekdays=0b1111111,
            opens_at=rules.start_of(TOMORROW, 8).time(),
            closes_at=rules.start_of(TOMORROW, 20).time(),
            valid_from=make.NOW.date(),
            by=make.staff(Role.ADMIN),
            at=make.NOW,
        )

        with pytest.raises(rules.NotBookable):
            book(other)
        assert book(legal)

    def test_it_is_told_recorded_and_nothing_of_the_person_is_in_it(self) -> None:
        book(open_service(), email="hanako@example.jp", phone="09012345678")

        event = AuditEvent.objects.get()
        message = OutboundMessage.objects.get()
        live = LiveEvent.objects.get()
        assert (event.verb, event.actor) == ("appointment.book", "resident")
        assert live.topic == f"reception.{make.site().pk}"
        assert message.to == "hanako@example.jp"
        for text in (str(event.detail), message.subject + message.body, str(live.body)):
            assert "髙橋" not in text
            assert "09012345678" not in text
            assert "保育所" not in text

    def test_the_mail_says_number_time_place_and_link(self) -> None:
        appointment = book(open_service(), email="hanako@example.jp")

        body = OutboundMessage.objects.get().body
        assert appointment.shown_number in body
        assert "令和8年11月25日（水） 9:00" in body
        assert "本庁舎" in body
        assert appointment.token in body


class TestIdempotency:
    def test_the_same_key_ten_times_is_one_booking(self) -> None:
        service = open_service()

        made = {book(service, key="web:1").pk for _ in range(10)}

        assert len(made) == 1
        assert Appointment.objects.count() == 1
        assert AuditEvent.objects.count() == 1

    def test_without_a_key_twice_is_two(self) -> None:
        service = open_service(counters=[make.counter("1番"), make.counter("2番")])

        assert book(service).pk != book(service).pk

    def test_another_content_under_the_same_key_learns_nothing(self) -> None:
        service = open_service()
        book(service, key="api:1")

        with pytest.raises(rules.KeyReused):
            book(service, key="api:1", name="別の人")


class TestCancel:
    def test_the_place_is_free_again(self) -> None:
        service = open_service()
        actions.cancel(appointment=book(service), by=make.staff(), at=make.NOW)

        assert book(service)
        assert masks_are_right()

    def test_twice_frees_nobody_else_s_place(self) -> None:
        service = open_service()
        first = book(service)
        actions.cancel(appointment=first, by=make.staff(), at=make.NOW)
        book(service)

        actions.cancel(appointment=first, at=make.NOW)

        assert masks_are_right()
        with pytest.raises(rules.Full):
            book(service)

    def test_after_the_hour_it_is_too_late(self) -> None:
        appointment = book(open_service())

        with pytest.raises(rules.StepNotAllowed):
            actions.cancel(appointment=appointment, at=NINE + timedelta(minutes=1))

    def test_a_stale_copy_frees_the_place_that_the_row_has_now(self) -> None:
        service = open_service()
        stale = book(service)
        actions.reschedule(
            appointment=Appointment.objects.get(),
            site=make.site(),
            start=NINE + timedelta(hours=2),
            by=make.staff(),
            at=make.NOW,
        )
        book(service, name="別の人")

        actions.cancel(appointment=stale, at=make.NOW)

        assert masks_are_right()


class TestReschedule:
    def move(self, appointment: Appointment, start: datetime, **more: object) -> Appointment:
        return actions.reschedule(
            appointment=appointment,
            site=make.site(),
            start=start,
            **{"at": make.NOW} | more,  # type: ignore[arg-type]
        )

    def test_number_and_link_stay_and_the_old_place_is_free(self) -> None:
        service = open_service()
        before = book(service)

        after = self.move(before, NINE + timedelta(hours=1))
        actions.release_lapsed(at=make.NOW + timedelta(hours=1))

        assert (after.number, after.token) == (before.number, before.token)
        assert after.start == NINE + timedelta(hours=1)
        assert book(service).start == NINE
        assert masks_are_right()

    def test_when_the_new_place_is_taken_the_old_one_is_kept(self) -> None:
        service = open_service()
        mine = book(service)
        book(service, start=NINE + timedelta(hours=1))

        with pytest.raises(rules.Full):
            self.move(mine, NINE + timedelta(hours=1))

        mine.refresh_from_db()
        assert mine.start == NINE
        assert masks_are_right()

    def test_one_may_move_by_a_quarter_of_an_hour_over_one_s_own_place(self) -> None:
        moved = self.move(book(open_service()), NINE + timedelta(minutes=15))

        assert moved.start == NINE + timedelta(minutes=15)
        assert masks_are_right()

    def test_a_cancelled_appointment_does_not_move(self) -> None:
        appointment = book(open_service())
        actions.cancel(appointment=appointment, at=make.NOW)

        with pytest.raises(rules.StepNotAllowed):
            self.move(appointment, NINE + timedelta(hours=1))


class TestOpeningHours:
    def rule(self, service: Service) -> None:
        actions.add_opening_rule(
            counter=service.counters.get(),
            weekdays=0b0011111,
            opens_at=rules.start_of(TOMORROW, 8).time(),
            closes_at=rules.start_of(TOMORROW, 12).time(),
            valid_from=make.NOW.date(),
            by=make.staff(Role.ADMIN),
            at=make.NOW,
        )

    def test_days_are_laid_out_within_the_hours_of_the_site(self) -> None:
        service = make.service()
        self.rule(service)

        row = CounterDay.objects.get(day=TOMORROW)
        saturday = CounterDay.objects.get(day=TOMORROW + timedelta(days=3))
        assert row.open == 0b1111 << 8
        assert saturday.open == 0

    def test_an_edit_never_loses_a_booking(self) -> None:
        service = make.service()
        self.rule(service)
        kept = book(service)
        rule = service.counters.get().opening_rules.get()

        with pytest.raises(actions.WouldOrphan) as refused:
            actions.withdraw_opening_rule(rule=rule, by=make.staff(Role.ADMIN), at=make.NOW)

        kept.refresh_from_db()
        rule.refresh_from_db()
        assert [row.appointment for row in refused.value.proposals] == [kept]
        assert (kept.status, kept.start, rule.withdrawn_at) == ("booked", NINE, None)
        assert masks_are_right()
        assert book(service, start=NINE + timedelta(minutes=30))

    def test_laying_out_again_changes_nothing(self) -> None:
        service = make.service()
        self.rule(service)

        again = actions.lay_out_days(counters=queries.serving_counters(), first=make.NOW.date())

        assert again == 0


class TestCheck:
    def test_a_lost_bit_is_found_and_mended(self) -> None:
        book(open_service())
        CounterDay.objects.filter(day=TOMORROW).update(busy=0, online=0)

        assert len(queries.mask_differences()) == 1
        assert actions.rebuild_busy() == 1
        assert masks_are_right()

    def test_overlapping_rows_are_found(self) -> None:
        service = open_service()
        make.appointment(service, start=NINE)
        make.appointment(service, start=NINE + timedelta(minutes=15))

        assert len(queries.overlapping_appointments()) == 1


class TestConstraints:
    def test_two_never_hold_the_same_start_at_a_counter(self) -> None:
        service = open_service()
        make.appointment(service)

        with pytest.raises(IntegrityError):
            make.appointment(service)

    def test_a_cancelled_one_says_when(self) -> None:
        with pytest.raises(IntegrityError):
            make.appointment(status="cancelled")

    def test_a_mask_stays_within_the_grid(self) -> None:
        with pytest.raises(IntegrityError):
            CounterDay.objects.create(day=TOMORROW, counter=make.counter(), busy=-1)

    def test_a_walk_in_says_why(self) -> None:
        with pytest.raises(IntegrityError):
            make.visit(reason_without_booking="")


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["book", "cancel", "move", "close"]),
            st.integers(4, 20),
            st.integers(0, 5),
        ),
        max_size=25,
    )
)
def test_whatever_happens_masks_and_appointments_agree(
    steps: list[tuple[str, int, int]],
) -> None:
    Appointment.objects.all().delete()
    Hold.objects.all().delete()
    CounterDay.objects.all().delete()
    Service.objects.all().delete()
    desks = [make.counter(f"{make._number.__next__()}番") for _ in range(2)]
    service = make.service(f"相談{make._number.__next__()}", counters=desks)
    make.open_counters(service, days=3)
    for verb, cell, which in steps:
        rows = list(Appointment.objects.order_by("pk"))
        start = rules.start_of(TOMORROW, cell)
        try:
            if verb == "book":
                book(service, start=start)
            elif verb == "close":
                CounterDay.objects.filter(counter=desks[which % 2]).update(open=0b1111 << cell)
            elif rows and verb == "cancel":
                actions.cancel(appointment=rows[which % len(rows)], at=make.NOW)
            elif rows:
                actions.reschedule(
                    appointment=rows[which % len(rows)],
                    site=make.site(),
                    start=start,
                    at=make.NOW,
                )
        except RuleBroken:
            pass
        assert masks_are_right()


class TestWhatIsShownIsBookable:
    def test_every_cell_of_the_day_can_be_taken_once_and_given_back(self) -> None:
        desk = make.counter()
        CounterDay.objects.create(day=TOMORROW, counter=desk, open=rules.WHOLE_DAY)

        for cell in range(rules.CELLS):
            place = {"day": TOMORROW, "counter_id": desk.pk, "mask": 1 << cell}
            assert actions.claim(**place), f"cell {cell} is free"  # type: ignore[arg-type]
            assert not actions.claim(**place), f"cell {cell} is taken"  # type: ignore[arg-type]
            actions.free(**place)  # type: ignore[arg-type]
        assert CounterDay.objects.get().busy == 0

    @settings(
        max_examples=12,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        minutes=st.sampled_from([15, 30, 45, 60, 150]),
        openings=st.lists(
            st.tuples(
                st.integers(0, 1),  # which counter
                st.integers(7, 20),  # from this hour
                st.integers(1, 4),  # for so many hours
                st.booleans(),  # a closure
                st.booleans(),  # for this service alone
            ),
            min_size=2,
            max_size=6,
        ),
        seed=st.integers(0, 99),
    )
    def test_no_place_that_is_offered_is_refused(
        self, minutes: int, openings: list[tuple[int, int, int, bool, bool]], seed: int
    ) -> None:
        desks = [make.counter(f"{next(make._number)}番") for _ in range(2)]
        service = make.service(f"相談{next(make._number)}", minutes=minutes, counters=desks)
        admin = make.staff(Role.ADMIN)
        make.site().opening_days.get_or_create(
            on=TOMORROW,
            defaults={"opens_at": time(7), "closes_at": time(22, 30), "reason": "夜間開庁"},
        )
        for desk, hour, hours, is_closure, is_own in openings:
            actions.add_opening_rule(
                counter=desks[desk],
                weekdays=0b1111111,
                opens_at=NINE.replace(hour=hour).time(),
                closes_at=NINE.replace(hour=min(hour + hours, 22)).time(),
                valid_from=TOMORROW,
                valid_until=TOMORROW,
                service=service if is_own else None,
                is_closure=is_closure,
                by=admin,
                at=make.NOW,
            )
        random = Random(seed)

        def offered() -> list[queries.Slot]:
            window = queries.window_of(Errand((service,)), at=make.NOW)
            return queries.free_slots(
                Errand((service,)), first=TOMORROW, last=TOMORROW, window=window
            )

        while slots := offered():
            slot = random.choice(slots)
            for _ in range(slot.free):
                book(service, start=slot.start)

        assert masks_are_right()


def test_who_did_not_come_is_noted_at_night() -> None:
    service = make.service()
    make.appointment(service, start=make.NOW)
    tomorrow = make.appointment(service)

    moved = actions.mark_missed(
        before=make.NOW.date() + timedelta(days=1), at=make.NOW + timedelta(days=1)
    )

    assert moved == 1
    tomorrow.refresh_from_db()
    assert tomorrow.status == "booked"
