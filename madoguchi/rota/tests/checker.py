"""A second opinion on plans, written from the rules of the office and not from the model."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import date, timedelta
from itertools import combinations, product

import jpholiday

from madoguchi.rota.rules.duties import Assignment, Person, Place, Problem, Shift

ONE_DAY = timedelta(days=1)


def is_closed(on: date) -> bool:
    year_end = (on.month == 12 and on.day >= 29) or (on.month == 1 and on.day <= 3)
    return year_end or on.weekday() in (5, 6) or jpholiday.is_holiday(on)


def faults(problem: Problem, plan: Collection[Assignment]) -> list[str]:
    """Return in words every hard rule that the plan breaks; empty places are no fault here."""
    found = []
    people = {person.id: person for person in problem.people}
    asked = {(place.on, place.shift, place.skill): place.count for place in problem.places}
    at_place: dict[object, list[int]] = defaultdict(list)
    days: dict[int, list[date]] = defaultdict(list)
    for person, on in problem.around:
        days[person].append(on)
    for each in plan:
        at_place[each.on, each.shift, each.skill].append(each.person)
        days[each.person].append(each.on)
        who = people[each.person]
        if each.skill not in who.skills:
            found.append(f"{each} without the skill")
        if each.on in who.away:
            found.append(f"{each} while away")
        if is_closed(each.on) and "closed" not in {kind.value for kind in who.kinds}:
            found.append(f"{each} does not serve closed days")
        if not is_closed(each.on) and "weekday" not in {kind.value for kind in who.kinds}:
            found.append(f"{each} does not serve weekdays")
        if not is_closed(each.on) and each.on.weekday() not in who.weekdays:
            found.append(f"{each} on another weekday")
    for place, filled in at_place.items():
        if len(filled) > asked.get(place, 0):  # type: ignore[call-overload]
            found.append(f"{place} has too many")
    for person, worked in days.items():
        if len(worked) != len(set(worked)):
            found.append(f"{person} twice a day")
        closed = sorted(on for on in set(worked) if is_closed(on))
        for one, other in combinations(closed, 2):
            if (other - one).days <= problem.closed_gap:
                found.append(f"{person} on closed days {one} and {other}")
        for start in set(worked):
            run = 0
            while start + run * ONE_DAY in worked:
                run += 1
            if run > problem.most_in_row:
                found.append(f"{person} works {run} days from {start}")
    return found


def empty(problem: Problem, plan: Collection[Assignment]) -> int:
    return sum(place.count for place in problem.places) - len(plan)


def all_plans(problem: Problem) -> Iterator[frozenset[Assignment]]:
    """Yield every plan without a fault, places left empty included; for very small problems."""
    fixed = problem.fixed
    choices = []
    for place in problem.places:
        kept = [each for each in fixed if (each.on, each.shift, each.skill) == _key(place)]
        free = [
            Assignment(*_key(place), person.id)
            for person in problem.people
            if person.id not in {each.person for each in kept}
        ]
        choices.append(
            [
                (*kept, *rest)
                for size in range(place.count - len(kept) + 1)
                for rest in combinations(free, size)
            ]
        )
    for picked in product(*choices):
        plan = frozenset(each for group in picked for each in group)
        if not faults(problem, plan):
            yield plan


def _key(place: Place) -> tuple[date, Shift, int]:
    return (place.on, place.shift, place.skill)


def person(number: int, **more: object) -> Person:
    return Person(number, **({"skills": frozenset({1})} | more))  # type: ignore[arg-type]
