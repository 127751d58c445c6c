from datetime import date, timedelta
from random import Random
from statistics import mean

import pytest

from madoguchi.introduction import queries
from madoguchi.introduction.models import Assumption
from madoguchi.introduction.rules import trial
from madoguchi.reception.rules.waiting import Length
from tests import make

SHORT = Length(log_mean=2.9, log_spread=0.3)  # about 19 minutes
OPEN = 525.0  # 8:30 to 17:15


def month(people: int = 20, *, days: int = 20, seed: int = 7) -> list[trial.Day]:
    """A month in which most come in the morning, as they do."""
    random = Random(seed)
    return [
        trial.Day(
            date(2026, 10, 1) + timedelta(days=day),
            OPEN,
            tuple(
                trial.Came(minute)
                for minute in sorted(random.triangular(0, 480, 60) for _ in range(people))
            ),
        )
        for day in range(days)
    ]


def supposed(**more: object) -> trial.Supposition:
    return trial.Supposition(**{"per_hour": 3, "no_show": 0.0} | more)  # type: ignore[arg-type]


def after(days: list[trial.Day], **more: object) -> trial.Outcome:
    return trial.under_bookings(days, length=SHORT, supposed=supposed(**more))


def test_the_same_supposition_gives_the_same_answer() -> None:
    assert after(month()) == after(month())


def test_whoever_books_waits_less_than_people_did_before() -> None:
    before = trial.as_it_was(month(), length=SHORT, supposed=supposed()).walk_in.wait
    booked = after(month()).booked.wait

    assert before is not None
    assert booked is not None
    assert booked.middle < before.middle / 2


def test_without_bookings_nothing_changes() -> None:
    now = trial.as_it_was(month(), length=SHORT, supposed=supposed())
    none = after(month(), share_booking=0.0)

    assert none.booked.wait is None
    assert now.walk_in.wait is not None
    assert none.walk_in.wait is not None
    assert none.walk_in.wait.middle == pytest.approx(now.walk_in.wait.middle, rel=0.1)


def test_everybody_is_somewhere() -> None:
    """Served with or without booking, sent home, or not appeared: nobody is lost."""
    found = after(month(people=25), no_show=0.2)

    assert found.booked.people + found.walk_in.people + found.sent_home.middle + (
        found.missed.middle
    ) == pytest.approx(25 * 20, rel=0.01)


def test_a_counter_that_cannot_serve_all_sends_some_home() -> None:
    assert after(month(people=10)).sent_home.high == 0
    assert after(month(people=45)).sent_home.low > 50


def test_a_full_day_moves_bookings_to_another_one() -> None:
    assert after(month(people=40), share_booking=1.0).moved.low > 100
    assert after(month(people=5), share_booking=1.0).moved.high == 0


def test_so_many_places_an_hour() -> None:
    assert len(trial._places(OPEN, 3)) == 26  # 8 hours and three quarters
    assert trial._places(60, 4) == [0, 15, 30, 45]
    assert trial._places(60, 1) == [45]


def test_the_nearest_free_place_is_taken_and_then_the_next_day() -> None:
    free = [[0.0, 60.0], [30.0]]

    assert trial._nearest(free, 0, 50) == (0, 60.0)
    assert trial._nearest(free, 0, 50) == (0, 0.0)
    assert trial._nearest(free, 0, 50) == (1, 30.0)
    assert trial._nearest(free, 0, 50) is None


def test_who_does_not_come_leaves_the_staff_idle() -> None:
    assert after(month(), no_show=0.5).idle.middle > after(month()).idle.middle


def test_a_busy_month_is_played_less_often() -> None:
    assert trial.plays_for(month(people=5)) == trial.MOST_PLAYS
    assert trial.plays_for(month(people=500)) == trial.FEWEST_PLAYS


def test_the_play_agrees_with_what_is_known_of_one_counter() -> None:
    """One counter, arrivals at random: the wait is that of Pollaczek and Khinchine (M/G/1)."""
    random, length = Random(3), Length(log_mean=2.0, log_spread=0.5, known=10_000)
    rate = 0.6 / length.mean
    days = []
    for day in range(60):
        minute, came = 0.0, []
        while (minute := minute + random.expovariate(rate)) < 3000:
            came.append(trial.Came(minute))
        days.append(trial.Day(date(2026, 1, 1) + timedelta(days=day), 1e9, tuple(came)))

    tally = trial._Tally()
    trial._play_month(
        trial._as_came(days), tally, length=length, supposed=supposed(), random=random
    )

    second = length.mean**2 * 2.718281828 ** (length.log_spread**2)
    expected = rate * second / (2 * (1 - rate * length.mean))
    assert mean(tally.waits[False]) == pytest.approx(expected, rel=0.12)


@pytest.mark.django_db
class TestRealArrivals:
    def test_last_months_visits_of_the_service_are_played(self) -> None:
        service, officer = make.service(), make.staff()
        for minute in (0, 20, 40):
            arrived = make.NOW - timedelta(days=29) + timedelta(minutes=minute)
            make.visit(
                service,
                on=arrived.date(),
                arrived_at=arrived,
                status="done",
                counter=service.counters.get(),
                officer=officer,
                called_at=arrived + timedelta(minutes=minute),
                started_at=arrived + timedelta(minutes=minute),
                finished_at=arrived + timedelta(minutes=minute + 25),
            )
        make.visit(service)  # this month: not played
        other = make.service("市税の相談", counters=[])
        make.visit(other, on=make.NOW.date() - timedelta(days=29))

        found = queries.trial_of(service, queries.assumption_of(service), today=make.NOW.date())

        assert (found.first, found.last) == (date(2026, 10, 1), date(2026, 10, 31))
        assert found.people == 3
        assert found.recorded is not None
        assert found.recorded.middle == 20
        assert found.before is not None
        assert found.before.walk_in.people == 3

    def test_a_month_without_visits_is_no_answer(self) -> None:
        service = make.service()

        found = queries.trial_of(service, queries.assumption_of(service), today=make.NOW.date())

        assert (found.people, found.before, found.after) == (0, None, None)
        assert queries.wait_bars(found) == []

    def test_the_likely_supposition_fills_the_counters(self) -> None:
        service = make.service(counters=[make.counter("1番"), make.counter("2番")])

        kept = queries.assumption_of(service)

        assert isinstance(kept, Assumption)
        assert (kept.counters, kept.per_hour) == (2, 4)
