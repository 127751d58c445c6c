from datetime import date, time, timedelta

import pytest

from madoguchi.rota.rules import duties
from madoguchi.rota.rules.duties import (
    Assignment,
    Burden,
    DayKind,
    Hindrance,
    Person,
    Place,
    Problem,
    Shift,
    Soft,
)
from madoguchi.rota.tests.checker import person

FRIDAY = date(2026, 11, 27)
SATURDAY = date(2026, 11, 28)
SUNDAY = date(2026, 11, 29)
MONDAY = date(2026, 11, 30)
NEW_YEAR = date(2027, 1, 2)


def place(on: date = FRIDAY, *, count: int = 1, skill: int = 1) -> Place:
    return Place(on, duties.day_kind(on), Shift.DAY, skill, count)


def duty(on: date, who: int, skill: int = 1) -> Assignment:
    return Assignment(on, Shift.DAY, skill, who)


@pytest.mark.parametrize(
    ("on", "burdens"),
    [
        (FRIDAY, (Burden.WEEKDAY,)),
        (SATURDAY, (Burden.CLOSED, Burden.WEEKEND)),
        (date(2026, 11, 23), (Burden.CLOSED,)),
        (date(2026, 12, 29), (Burden.CLOSED, Burden.YEAR_END)),
        (NEW_YEAR, (Burden.CLOSED, Burden.WEEKEND, Burden.YEAR_END)),
        (date(2027, 1, 4), (Burden.WEEKDAY,)),
    ],
)
def test_what_a_day_counts_as(on: date, burdens: tuple[Burden, ...]) -> None:
    assert duties.burdens(on) == burdens


@pytest.mark.parametrize(
    ("hours", "shift", "expected"),
    [
        ((time(8, 30), time(17, 15)), Shift.DAY, (time(8, 30), time(17, 15))),
        ((time(8, 30), time(17, 15)), Shift.MORNING, (time(8, 30), time(12))),
        ((time(9), time(15)), Shift.AFTERNOON, (time(12), time(15))),
        ((time(13), time(17)), Shift.MORNING, (time(13), time(17))),
    ],
)
def test_a_shift_lies_within_the_opening_hours(
    hours: tuple[time, time], shift: Shift, expected: tuple[time, time]
) -> None:
    assert duties.shift_hours(hours, shift) == expected


@pytest.mark.parametrize(
    ("who", "on", "why"),
    [
        (person(1), FRIDAY, None),
        (person(1, skills=frozenset({2})), FRIDAY, Hindrance.SKILL),
        (person(1, kinds=frozenset({DayKind.CLOSED})), FRIDAY, Hindrance.KIND),
        (person(1, kinds=frozenset({DayKind.WEEKDAY})), SATURDAY, Hindrance.KIND),
        (person(1, away=frozenset({FRIDAY})), FRIDAY, Hindrance.AWAY),
        (person(1, weekdays=frozenset({0, 1})), FRIDAY, Hindrance.WEEKDAY),
        (person(1, weekdays=frozenset({0, 1})), SATURDAY, None),
    ],
)
def test_what_keeps_someone_from_a_place(who: Person, on: date, why: Hindrance | None) -> None:
    assert duties.hindrance(who, place(on)) is why


@pytest.mark.parametrize(
    ("others", "on", "gap", "why"),
    [
        ({FRIDAY}, FRIDAY, 1, Hindrance.TWICE),
        ({SATURDAY}, SUNDAY, 1, Hindrance.BACK_TO_BACK),
        ({SUNDAY}, SATURDAY, 1, Hindrance.BACK_TO_BACK),
        ({SATURDAY}, SUNDAY, 0, None),
        ({FRIDAY}, SATURDAY, 1, None),
        ({SATURDAY}, date(2026, 12, 5), 6, None),
        ({SATURDAY}, date(2026, 12, 5), 7, Hindrance.BACK_TO_BACK),
    ],
)
def test_duties_that_lie_too_close(
    others: set[date], on: date, gap: int, why: Hindrance | None
) -> None:
    problem = Problem((person(1),), (place(on),), closed_gap=gap)

    assert duties.hindrance_among(person(1), place(on), duties=others, problem=problem) is why


@pytest.mark.parametrize(
    ("before", "after", "is_too_long"), [(4, 0, False), (5, 0, True), (2, 2, False), (3, 2, True)]
)
def test_nobody_works_more_days_in_a_row_than_agreed(
    before: int, after: int, is_too_long: bool
) -> None:
    middle = date(2026, 12, 9)
    others = {middle - timedelta(days=n) for n in range(1, before + 1)}
    others |= {middle + timedelta(days=n) for n in range(1, after + 1)}
    problem = Problem((person(1),), (place(middle),), most_in_row=5, closed_gap=0)

    why = duties.hindrance_among(person(1), place(middle), duties=others, problem=problem)

    assert (why is Hindrance.IN_ROW) is is_too_long


class TestHoles:
    def test_the_words_say_day_role_and_who_is_away(self) -> None:
        people = tuple(person(number, away=frozenset({NEW_YEAR})) for number in (1, 2, 3))
        problem = Problem(people, (place(NEW_YEAR),))

        [hole] = duties.holes(problem, ())

        assert hole.words("相談員") == "1月2日：相談員が足りません（必要1、出られる人0。休暇3人）"

    def test_who_has_the_role_but_stands_next_door_is_named_too(self) -> None:
        problem = Problem((person(1), person(2)), (place(SATURDAY), place(SUNDAY, count=2)))
        plan = {duty(SATURDAY, 1), duty(SUNDAY, 2)}

        [hole] = duties.holes(problem, plan)

        assert hole.words("職員") == (
            "11月29日：職員が足りません（必要2、出られる人1。前後の閉庁日に当番1人）"
        )

    def test_a_role_that_nobody_has_is_said_to_have_nobody(self) -> None:
        problem = Problem((person(1),), (place(FRIDAY, skill=2),))

        [hole] = duties.holes(problem, ())

        assert "消費生活相談員の当番員がいません" in hole.words("消費生活相談員")

    def test_a_full_day_has_none(self) -> None:
        problem = Problem((person(1),), (place(),))

        assert duties.holes(problem, {duty(FRIDAY, 1)}) == []


class TestBreaches:
    @pytest.mark.parametrize(
        ("who", "plan", "why"),
        [
            (person(1, away=frozenset({FRIDAY})), {duty(FRIDAY, 1)}, Hindrance.AWAY),
            (person(1), {duty(SATURDAY, 1), duty(SUNDAY, 1)}, Hindrance.BACK_TO_BACK),
            (person(1, skills=frozenset({1, 2})), {duty(FRIDAY, 1), duty(FRIDAY, 1, 2)}, "twice"),
        ],
    )
    def test_a_duty_set_by_hand_is_named_with_its_rule(
        self, who: Person, plan: set[Assignment], why: str
    ) -> None:
        places = (place(FRIDAY), place(SATURDAY), place(SUNDAY), place(FRIDAY, skill=2))
        problem = Problem((who,), places)

        found = duties.breaches(problem, plan)

        assert {breach.assignment for breach in found} == plan
        assert {breach.hindrance for breach in found} == {Hindrance(why)}

    def test_a_good_plan_has_none(self) -> None:
        problem = Problem((person(1), person(2)), (place(SATURDAY), place(SUNDAY)))

        assert duties.breaches(problem, {duty(SATURDAY, 1), duty(SUNDAY, 2)}) == []


class TestFairShares:
    def test_days_are_divided_by_share(self) -> None:
        people = (person(1), person(2, share=50))
        problem = Problem(people, tuple(place(FRIDAY - timedelta(weeks=n)) for n in range(6)))

        shares = duties.fair_shares(problem)

        assert shares[1, Burden.WEEKDAY] == pytest.approx(4)
        assert shares[2, Burden.WEEKDAY] == pytest.approx(2)

    def test_a_short_leave_does_not_lower_the_part(self) -> None:
        people = (person(1, away=frozenset({FRIDAY})), person(2))
        problem = Problem(people, (place(), place(MONDAY)))

        assert duties.fair_shares(problem)[1, Burden.WEEKDAY] == pytest.approx(1)

    def test_a_long_leave_does(self) -> None:
        gone = frozenset({FRIDAY})
        people = (person(1, away=gone, excused=gone), person(2))
        problem = Problem(people, (place(), place(MONDAY)))

        assert duties.fair_shares(problem)[1, Burden.WEEKDAY] == pytest.approx(0.5)

    def test_what_was_done_too_much_earlier_is_taken_off(self) -> None:
        people = (person(1, carried=((Burden.WEEKDAY, 1.0),)), person(2))
        problem = Problem(people, tuple(place(FRIDAY + timedelta(weeks=n)) for n in range(4)))

        assert duties.fair_shares(problem)[1, Burden.WEEKDAY] == pytest.approx(1)

    @pytest.mark.parametrize(
        ("part", "band"), [(2.0, (2, 2)), (2.4, (2, 3)), (1.9999999, (2, 2)), (0.0, (0, 0))]
    )
    def test_the_fair_band_is_the_whole_numbers_around_the_part(
        self, part: float, band: tuple[int, int]
    ) -> None:
        assert duties.band(part) == band


class TestCosts:
    def test_each_soft_rule_is_counted_once(self) -> None:
        people = (
            person(1, division=1, avoid=frozenset({SATURDAY})),
            person(2, division=2, want=frozenset({SATURDAY})),
        )
        problem = Problem(people, (place(SATURDAY),), turns={SATURDAY: 2})

        costs = duties.costs(problem, {duty(SATURDAY, 1)})

        assert {soft: count for soft, count in costs.items() if count} == {
            Soft.AVOID: 1,
            Soft.WANT: 1,
            Soft.TURN: 1,
        }
        assert duties.price(costs) == 8 + 4 + 6

    def test_days_beyond_the_band_cost_by_their_kind(self) -> None:
        people = (person(1), person(2))
        saturdays = [SATURDAY + timedelta(weeks=2 * n) for n in range(2)]
        problem = Problem(people, tuple(place(on) for on in saturdays))

        costs = duties.costs(problem, {duty(on, 1) for on in saturdays})

        assert costs[Soft.CLOSED] == 2  # one has a day too many, the other one too few
        assert costs[Soft.WEEKEND] == 2

    def test_a_wish_that_nothing_could_grant_costs_nothing(self) -> None:
        who = person(1, want=frozenset({FRIDAY, MONDAY}), away=frozenset({FRIDAY}))
        problem = Problem((who,), (place(),))

        assert duties.costs(problem, ())[Soft.WANT] == 0


def test_closed_days_go_round_the_divisions_in_order() -> None:
    days = [FRIDAY, SATURDAY, SUNDAY, date(2026, 12, 5)]

    turns = duties.turns(days, [7, 8], start=1)

    assert turns == {SATURDAY: 8, SUNDAY: 7, date(2026, 12, 5): 8}


class TestCauses:
    def test_many_holes_are_one_sentence_with_what_would_help(self) -> None:
        saturdays = [SATURDAY + timedelta(weeks=n) for n in range(8)]
        people = (person(1, away=frozenset(saturdays)), person(2, kinds=frozenset()))
        problem = Problem(people, tuple(place(on, count=2) for on in saturdays))

        [cause] = duties.causes(problem, duties.holes(problem, ()))

        assert cause.words("相談員") == (
            "閉庁日の相談員が、のべ16か所足りません。入れる当番員は1人で、いちばん多い理由は「休暇」"
            "です。休暇の日を分けるか、当番員を加えるか、必要人数を減らしてください。"
        )

    def test_where_nobody_serves_more_members_are_asked_for(self) -> None:
        problem = Problem((person(1),), (place(FRIDAY, skill=2),))

        [cause] = duties.causes(problem, duties.holes(problem, ()))

        assert cause.words("消費生活相談員") == (
            "平日の消費生活相談員が、のべ1か所足りません。この日に入れる当番員がいません。"
            "当番員を加えてください。"
        )

    def test_the_worst_comes_first(self) -> None:
        problem = Problem((), (place(FRIDAY), place(SATURDAY, count=3)))

        found = duties.causes(problem, duties.holes(problem, ()))

        assert [cause.kind for cause in found] == [DayKind.CLOSED, DayKind.WEEKDAY]
