"""
Plan a fiscal year for sixty people, then again around a counsellor's sick call of two weeks.

    python -m bench.rota [seconds]

Prints the time and what the solver proved. The control of the plan always takes the least loaded
of those who are free, judged by the same rules; that of the sick call plans the rest of the year
anew, and changes whatever that changes.
"""

import sys
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from time import perf_counter

from madoguchi.rota.rules import duties
from madoguchi.rota.rules.duties import Assignment, DayKind, Person, Place, Problem, Shift
from madoguchi.rota.rules.solve import LIMIT, Solution, solve

STAFF, COUNSELLOR, CONSUMER = 1, 2, 3
FIRST, LAST = date(2027, 4, 1), date(2028, 3, 31)
SICK = date(2027, 10, 4)
NEEDS = {
    DayKind.WEEKDAY: {STAFF: 2, COUNSELLOR: 2, CONSUMER: 2},
    DayKind.CLOSED: {STAFF: 1, COUNSELLOR: 1},
}
DIVISIONS = range(1, 15)


def year() -> list[date]:
    return [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]


def sixty_people(random: Random) -> tuple[Person, ...]:
    """Six staff and sixteen counsellors of the centre, and 38 officers who take closed days."""
    people = []
    days = year()
    for number in range(1, 61):
        leave = random.choice(days[:-10])
        away = {leave + timedelta(days=n) for n in range(random.randint(3, 9))}
        away |= set(random.sample(days, 5))
        wishes = random.sample(days, 10)
        if number <= 6:
            skills, kinds, division = {STAFF}, {DayKind.WEEKDAY}, 0
        elif number <= 14:
            skills, kinds, division = {COUNSELLOR}, set(DayKind), 0
        elif number <= 18:
            skills, kinds, division = {COUNSELLOR, CONSUMER}, set(DayKind), 0
        elif number <= 22:
            skills, kinds, division = {CONSUMER}, {DayKind.WEEKDAY}, 0
        else:
            skills, kinds, division = {STAFF}, {DayKind.CLOSED}, number % len(DIVISIONS) + 1
        weekdays = (
            frozenset(random.sample(range(5), 4)) if 7 <= number <= 22 else frozenset(range(7))
        )
        people.append(
            Person(
                number,
                skills=frozenset(skills),
                division=division,
                kinds=frozenset(kinds),
                weekdays=weekdays,
                share=random.choice([100, 100, 100, 50]) if number <= 22 else 100,
                away=frozenset(away),
                avoid=frozenset(wishes[:7]),
                want=frozenset(wishes[7:]),
            )
        )
    return tuple(people)


def problem(seed: int = 7) -> Problem:
    places = tuple(
        Place(on, duties.day_kind(on), Shift.DAY, skill, count)
        for on in year()
        for skill, count in NEEDS[duties.day_kind(on)].items()
    )
    return Problem(
        people=sixty_people(Random(seed)),
        places=places,
        turns=duties.turns(year(), list(DIVISIONS)),
    )


def least_loaded(asked: Problem) -> frozenset[Assignment]:
    """Plan day by day as one does by hand: whoever has had the fewest such days, of those free."""
    plan: set[Assignment] = set()
    days = duties.duty_days(asked, ())
    done = {(person.id, kind): 0 for person in asked.people for kind in DayKind}
    for place in asked.places:
        free = [
            person
            for person in asked.people
            if duties.hindrance_among(person, place, duties=days[person.id], problem=asked) is None
        ]
        free.sort(
            key=lambda person: (
                done[person.id, place.kind] / person.share,
                place.on in person.avoid,
                person.id,
            )
        )
        for person in free[: place.count]:
            plan.add(Assignment(place.on, place.shift, place.skill, person.id))
            days[person.id].add(place.on)
            done[person.id, place.kind] += 1
    return frozenset(plan)


def report(name: str, asked: Problem, plan: frozenset[Assignment], seconds: float) -> int:
    costs = duties.costs(asked, plan)
    broken = {soft.value: count for soft, count in costs.items() if count}
    empty = sum(hole.place.count - hole.filled for hole in duties.holes(asked, plan))
    price = duties.price(costs)
    print(
        f"{name:<8} {seconds:6.1f} s  price {price:5}  empty places {empty}"
        f"  broken rules {len(duties.breaches(asked, plan))}  {broken}"
    )
    return price


def sick_call(asked: Problem, plan: frozenset[Assignment]) -> Problem:
    """Return the rest of the year without the counsellor who has the most duties in October."""
    ill = frozenset(SICK + timedelta(days=n) for n in range(14))
    hit = Counter(each.person for each in plan if each.on in ill and each.skill == COUNSELLOR)
    sick, _ = hit.most_common(1)[0]
    people = (
        replace(person, away=person.away | ill) if person.id == sick else person
        for person in asked.people
    )
    past = frozenset(each for each in plan if each.on < SICK)
    print(f"sick call: {hit[sick]} duties of one counsellor fall away")
    return replace(asked, people=tuple(people), fixed=past, previous=plan - past)


def proof(found: Solution) -> str:
    return "proven best" if found.is_proven else f"gap {found.gap:.1%}"


def main() -> None:
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else LIMIT
    asked = problem()
    print(f"{len(asked.people)} people, {sum(place.count for place in asked.places)} duties")

    start = perf_counter()
    control = report("control", asked, least_loaded(asked), perf_counter() - start)
    start = perf_counter()
    found = solve(asked, limit=limit, tell=print if "-v" in sys.argv else lambda progress: None)
    ours = report("solver", asked, found.plan, perf_counter() - start)

    print(f"bound {found.bound}, {proof(found)}; control / solver = {control / max(1, ours):.1f}")

    rest = sick_call(asked, found.plan)
    anew = solve(replace(rest, previous=frozenset()), limit=limit)
    least = solve(rest, limit=limit)
    moved = len(rest.previous - anew.plan)
    print(f"anew     {anew.seconds:6.1f} s  duties changed {moved}  empty places {anew.holes}")
    print(
        f"least    {least.seconds:6.1f} s  duties changed {least.changes} (at least "
        f"{least.changes_bound})  empty places {least.holes}  {proof(least)}"
    )
    print(f"changed by the control / by the solver = {moved / max(1, least.changes):.1f}")


if __name__ == "__main__":
    main()
