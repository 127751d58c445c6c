from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.reception import rules
from madoguchi.reception.rules import Turn, VisitStatus, Waiting
from tests import make

NINE = make.NOW.replace(hour=9)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


class TestTurn:
    def test_whoever_booked_goes_first(self) -> None:
        walk_in = Waiting(visit=1, arrived_at=NINE)
        booked = Waiting(visit=2, arrived_at=NINE + minutes(20), booked_for=NINE + minutes(30))

        assert rules.next_to_call([walk_in, booked], now=NINE + minutes(30)) == booked

    def test_a_walk_in_goes_before_a_booking_that_is_not_due(self) -> None:
        walk_in = Waiting(visit=1, arrived_at=NINE)
        early = Waiting(visit=2, arrived_at=NINE, booked_for=NINE + minutes(60))

        assert rules.next_to_call([early, walk_in], now=NINE + minutes(10)) == walk_in

    @pytest.mark.parametrize(("late", "keeps"), [(0, True), (5, True), (5.1, False), (60, False)])
    def test_who_is_late_by_more_than_the_grace_loses_the_place(
        self, late: float, keeps: bool
    ) -> None:
        person = Waiting(visit=1, arrived_at=NINE + minutes(late), booked_for=NINE)

        turn, _, _ = rules.turn_of(person, now=NINE + minutes(90))

        assert (turn is Turn.BOOKED_AND_DUE) is keeps

    def test_nobody_waits_nobody_is_called(self) -> None:
        assert rules.next_to_call([], now=NINE) is None

    @given(
        st.lists(
            st.tuples(st.integers(0, 480), st.none() | st.integers(0, 480)),
            min_size=1,
            max_size=12,
        ),
        st.integers(0, 600),
    )
    def test_the_shown_order_is_the_order_of_calling(
        self, people: list[tuple[int, int | None]], passed: int
    ) -> None:
        now = NINE + minutes(passed)
        waiting = [
            Waiting(
                visit=i,
                arrived_at=NINE + minutes(arrived),
                booked_for=None if booked is None else NINE + minutes(booked),
            )
            for i, (arrived, booked) in enumerate(people)
        ]

        called = []
        rest = list(waiting)
        while (person := rules.next_to_call(rest, now=now)) is not None:
            rest.remove(person)
            called.append(person)

        assert called == rules.in_turn(waiting, now=now)


@pytest.mark.parametrize(
    ("now", "to"),
    [
        (VisitStatus.WAITING, VisitStatus.SERVING),
        (VisitStatus.WAITING, VisitStatus.DONE),
        (VisitStatus.SERVING, VisitStatus.ABSENT),
        (VisitStatus.DONE, VisitStatus.WAITING),
        (VisitStatus.ABSENT, VisitStatus.SERVING),
    ],
)
def test_steps_that_the_hall_does_not_know_are_refused(now: VisitStatus, to: VisitStatus) -> None:
    with pytest.raises(rules.StepNotAllowed):
        rules.check_step(now, to)
