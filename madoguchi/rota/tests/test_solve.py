import os
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madoguchi.rota import solver
from madoguchi.rota.rules import duties
from madoguchi.rota.rules.duties import Assignment, Burden, DayKind, Place, Problem, Shift
from madoguchi.rota.rules.solve import Progress, Solution, solve
from madoguchi.rota.tests.checker import all_plans, empty, faults, person

START = date(2026, 12, 25)  # a Friday: weekdays, a weekend and the year end in ten days


def days(count: int, first: date = START) -> list[date]:
    return [first + timedelta(days=n) for n in range(count)]


def place(on: date, *, count: int = 1, skill: int = 1, shift: Shift = Shift.DAY) -> Place:
    return Place(on, duties.day_kind(on), shift, skill, count)


@st.composite
def problems(draw: st.DrawFn, *, length: int = 12, most: int = 7) -> Problem:
    """Draw a rota of a few days: people with skills, leave, wishes; needs that may not be met."""
    span = days(length)
    some_days = st.frozensets(st.sampled_from(span), max_size=3)
    people = tuple(
        person(
            number,
            skills=draw(st.frozensets(st.sampled_from([1, 2]), min_size=1)),
            division=draw(st.sampled_from([1, 2])),
            kinds=draw(st.frozensets(st.sampled_from(list(DayKind)), min_size=1)),
            weekdays=draw(st.sampled_from([frozenset(range(7)), frozenset({0, 2, 4})])),
            share=draw(st.sampled_from([100, 50])),
            away=draw(some_days),
            avoid=draw(some_days),
            want=draw(some_days),
        )
        for number in range(1, draw(st.integers(2, most)) + 1)
    )
    places = tuple(
        place(on, count=draw(st.integers(1, 2)), skill=skill)
        for on in span
        for skill in draw(st.sets(st.sampled_from([1, 2]), min_size=1))
    )
    return Problem(
        people,
        tuple(sorted(places)),
        most_in_row=draw(st.integers(2, 5)),
        closed_gap=draw(st.integers(0, 2)),
        turns=duties.turns(span, [1, 2]),
        around=draw(st.sampled_from([frozenset(), frozenset({(1, START - timedelta(days=1))})])),
    )


@settings(max_examples=30, deadline=None)
@given(problems())
def test_no_plan_breaks_a_hard_rule_and_its_figures_are_true(problem: Problem) -> None:
    found = solve(problem, limit=10)

    assert faults(problem, found.plan) == []
    assert found.holes == empty(problem, found.plan)
    assert found.price == duties.price(duties.costs(problem, found.plan))
    assert found.holes_bound <= found.holes
    assert found.bound <= found.price
    assert found.is_proven


@settings(max_examples=15, deadline=None)
@given(problems())
def test_every_empty_place_is_explained_by_everyone_with_the_skill(problem: Problem) -> None:
    found = solve(problem, limit=10)

    for hole in duties.holes(problem, found.plan):
        skilled = [each for each in problem.people if hole.place.skill in each.skills]
        assert hole.filled + sum(count for _, count in hole.reasons) == len(skilled)


@settings(max_examples=20, deadline=None)
@given(problems(length=3, most=3))
def test_nothing_better_exists_than_what_is_proven_best(problem: Problem) -> None:
    found = solve(problem)

    best = min(
        (empty(problem, plan), duties.price(duties.costs(problem, plan)))
        for plan in all_plans(problem)
    )

    assert found.is_proven
    assert (found.holes, found.price) == best


@settings(max_examples=20, deadline=None)
@given(problems(length=3, most=3), st.integers(1, 2), st.randoms(use_true_random=False))
def test_a_sick_call_changes_as_few_duties_as_possible(
    problem: Problem, sick: int, random: Random
) -> None:
    first = solve(problem)
    gone = frozenset(random.sample(days(3), 2))
    people = tuple(
        replace(each, away=each.away | gone) if each.id == sick else each
        for each in problem.people
    )
    asked = replace(problem, people=people, previous=first.plan)

    found = solve(asked)

    least = min((empty(asked, plan), len(first.plan - plan)) for plan in all_plans(asked))
    assert faults(asked, found.plan) == []
    assert (found.holes, found.changes) == least
    assert found.changes == len(first.plan - found.plan)
    assert (found.holes_bound, found.changes_bound) == least


def test_without_asking_for_few_changes_many_duties_change() -> None:
    span = days(21, date(2026, 6, 1))
    people = tuple(person(number) for number in range(1, 6))
    problem = Problem(people, tuple(place(on) for on in span))
    before = solve(problem, seed=1).plan
    sick = tuple(
        replace(each, away=frozenset(span[7:9])) if each.id == 1 else each for each in people
    )
    needed = sum(each.person == 1 and each.on in span[7:9] for each in before)

    careful = solve(replace(problem, people=sick, previous=before))
    careless = solve(replace(problem, people=sick), seed=5)

    assert careful.changes <= needed + 1
    assert len(before - careless.plan) > careful.changes


class TestFairness:
    def test_a_year_of_closed_days_differs_by_one_day_at_most(self) -> None:
        span = days(365, date(2026, 4, 1))
        closed = [on for on in span if duties.day_kind(on) is DayKind.CLOSED]
        people = tuple(person(number) for number in range(1, 11))
        problem = Problem(people, tuple(place(on) for on in closed))

        found = solve(problem, limit=20)

        done = duties.counts(found.plan)
        for burden in (Burden.CLOSED, Burden.WEEKEND, Burden.YEAR_END):
            numbers = [done[each.id, burden] for each in people]
            assert max(numbers) - min(numbers) <= 1, burden
        assert found.is_proven

    def test_half_a_share_means_half_the_days(self) -> None:
        mondays = [date(2026, 4, 6) + timedelta(weeks=n) for n in (0, 1, 2, *range(5, 14))]
        people = (person(1), person(2), person(3, share=50), person(4, share=50))

        found = solve(Problem(people, tuple(place(on) for on in mondays)))

        done = duties.counts(found.plan)
        assert [done[number, Burden.WEEKDAY] for number in range(1, 5)] == [4, 4, 2, 2]

    def test_who_did_too_much_before_does_less_now(self) -> None:
        mondays = [date(2026, 6, 1) + timedelta(weeks=n) for n in range(6)]
        people = (person(1, carried=((Burden.WEEKDAY, 2.0),)), person(2))

        found = solve(Problem(people, tuple(place(on) for on in mondays)))

        assert duties.counts(found.plan)[1, Burden.WEEKDAY] <= 2


class TestSoftRules:
    def test_the_division_whose_turn_it_is_sends_someone(self) -> None:
        saturdays = [date(2026, 6, 6) + timedelta(weeks=n) for n in range(4)]
        people = tuple(person(number, division=number) for number in range(1, 5))
        turns = dict(zip(saturdays, (3, 1, 4, 2), strict=True))

        found = solve(Problem(people, tuple(place(on) for on in saturdays), turns=turns))

        assert {each.on: each.person for each in found.plan} == turns

    def test_wishes_are_kept_when_they_cost_nobody_anything(self) -> None:
        mondays = [date(2026, 6, 1) + timedelta(weeks=n) for n in range(4)]
        people = (
            person(1, avoid=frozenset({mondays[0]}), want=frozenset({mondays[3]})),
            person(2),
        )

        plan = {
            each.on: each.person
            for each in solve(Problem(people, tuple(place(on) for on in mondays))).plan
        }

        assert plan[mondays[0]] == 2
        assert plan[mondays[3]] == 1


def test_a_fixed_wish_outweighs_turn_and_fairness_but_no_hard_rule() -> None:
    saturdays = [date(2026, 6, 6) + timedelta(weeks=n) for n in range(4)]
    people = (
        person(1, division=1, must=frozenset(saturdays), away=frozenset(saturdays[:1])),
        person(2, division=2),
    )
    turns = dict.fromkeys(saturdays, 2)

    found = solve(Problem(people, tuple(place(on) for on in saturdays), turns=turns))

    assert [each.person for each in sorted(found.plan)] == [2, 1, 1, 1]


def test_what_is_fixed_stays_even_against_a_rule() -> None:
    saturday, sunday = date(2026, 6, 6), date(2026, 6, 7)
    kept = frozenset(Assignment(on, Shift.DAY, 1, 1) for on in (saturday, sunday))
    problem = Problem((person(1), person(2)), (place(saturday), place(sunday)), fixed=kept)

    assert solve(problem).plan == kept


def test_the_same_seed_gives_the_same_plan() -> None:
    random = Random(3)
    span = days(60, date(2026, 6, 1))
    people = tuple(
        person(number, avoid=frozenset(random.sample(span, 6))) for number in range(1, 9)
    )
    problem = Problem(people, tuple(place(on, count=2) for on in span))

    assert solve(problem, seed=4).plan == solve(problem, seed=4).plan


def test_only_the_planning_process_loads_the_solver() -> None:
    code = "import django, sys; django.setup(); import config.urls, madoguchi.rota.tasks"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print('ortools' in sys.modules)"],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "False"


def test_another_process_finds_the_same_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    span = days(14, date(2026, 6, 1))
    people = tuple(person(number) for number in range(1, 6))
    before = solve(Problem(people, tuple(place(on) for on in span))).plan
    gone = frozenset(span[3:6])
    sick = (replace(people[0], away=gone), *people[1:])
    problem = Problem(sick, tuple(place(on) for on in span), previous=before)

    plans = []
    for hash_seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", hash_seed)
        *_, found = solver.search(problem, seed=1)
        assert isinstance(found, Solution)
        plans.append(found.plan)

    assert plans[0] == plans[1]


def test_an_impossible_day_stays_empty_and_the_rest_is_planned() -> None:
    span = days(5, date(2026, 6, 1))
    people = (person(1, away=frozenset({span[2]})), person(2, away=frozenset({span[2]})))
    problem = Problem(people, tuple(place(on) for on in span))

    found = solve(problem)

    [hole] = duties.holes(problem, found.plan)
    assert (found.holes, found.holes_bound) == (1, 1)
    assert hole.words("職員") == "6月3日：職員が足りません（必要1、出られる人0。休暇2人）"


@pytest.mark.parametrize("shift", list(Shift))
def test_nobody_has_two_shifts_on_one_day(shift: Shift) -> None:
    on = date(2026, 6, 1)
    places = tuple(sorted({place(on), place(on, shift=shift, skill=2)}))
    problem = Problem((person(1, skills=frozenset({1, 2})),), places)

    found = solve(problem)

    assert found.holes == 1
    assert faults(problem, found.plan) == []


def test_the_search_says_how_far_it_is() -> None:
    told: list[Progress] = []
    span = days(10, date(2026, 6, 1))
    problem = Problem(
        tuple(person(number) for number in range(1, 4)), tuple(place(on) for on in span)
    )

    solve(problem, tell=told.append)

    assert {each.stage for each in told} == {"holes", "price"}
    assert all(each.bound <= each.value for each in told)
