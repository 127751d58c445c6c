"""
What a rota is made of, what it must never do, and what makes one fair.

The rules that always hold: nobody is on duty twice a day, without the skill, while away, on a
weekday or kind of day they do not serve, on closed days that follow each other too closely, or
on more days in a row than agreed (労働基準法第35条 demands one day of rest a week, so never more
than six). What is only weighed against each other stands in WEIGHTS.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import StrEnum
from functools import cached_property
from math import ceil, floor

from madoguchi.offices import rules as offices
from madoguchi.offices.rules import Hours

WEEKDAYS = "月火水木金土日"
NOON = time(12)
MOST_IN_ROW = 6
LONG_LEAVE = 28  # days; from here on a leave lowers the fair share, a shorter one does not
EPSILON = 1e-6


class DayKind(StrEnum):
    WEEKDAY = "weekday"
    CLOSED = "closed"


DAY_KIND_LABELS = {DayKind.WEEKDAY: "平日", DayKind.CLOSED: "閉庁日"}


class Shift(StrEnum):
    DAY = "day"
    MORNING = "morning"
    AFTERNOON = "afternoon"


SHIFT_LABELS = {Shift.DAY: "終日", Shift.MORNING: "午前", Shift.AFTERNOON: "午後"}


class Burden(StrEnum):
    """What is shared out fairly; a day may carry several."""

    WEEKDAY = "weekday"
    CLOSED = "closed"
    WEEKEND = "weekend"
    YEAR_END = "year_end"


BURDEN_LABELS = {
    Burden.WEEKDAY: "平日",
    Burden.CLOSED: "閉庁日",
    Burden.WEEKEND: "うち土日",
    Burden.YEAR_END: "うち年末年始",
}


class Soft(StrEnum):
    """What may be broken, at a price."""

    MUST = "must"
    YEAR_END = "year_end"
    CLOSED = "closed"
    WEEKEND = "weekend"
    AVOID = "avoid"
    TURN = "turn"
    WANT = "want"
    WEEKDAY = "weekday"


WEIGHTS = {  # the price of one: a day beyond the fair share, a wish, a division's turn
    Soft.MUST: 200,
    Soft.YEAR_END: 40,
    Soft.CLOSED: 20,
    Soft.WEEKEND: 10,
    Soft.AVOID: 8,
    Soft.TURN: 6,
    Soft.WANT: 4,
    Soft.WEEKDAY: 3,
}


class Hindrance(StrEnum):
    """Why someone cannot take a duty; the first that applies is the one people are told."""

    SKILL = "skill"
    KIND = "kind"
    AWAY = "away"
    WEEKDAY = "weekday"
    TWICE = "twice"
    BACK_TO_BACK = "back_to_back"
    IN_ROW = "in_row"


HINDRANCE_LABELS = {
    Hindrance.SKILL: "役割が合わない",
    Hindrance.KIND: "この種類の日は担当しない",
    Hindrance.AWAY: "休暇",
    Hindrance.WEEKDAY: "出られない曜日",
    Hindrance.TWICE: "同じ日に別の当番",
    Hindrance.BACK_TO_BACK: "前後の閉庁日に当番",
    Hindrance.IN_ROW: "連続勤務の上限",
}

REMEDIES = {  # what makes room; nobody is asked to serve a kind of day that is not theirs
    Hindrance.AWAY: "休暇の日を分ける",
    Hindrance.WEEKDAY: "出られる曜日を広げる",
    Hindrance.TWICE: "時間帯をまとめる",
    Hindrance.BACK_TO_BACK: "閉庁日の当番どうしの間を短くする",
    Hindrance.IN_ROW: "連続勤務の上限を延ばす",
}


@dataclass(frozen=True)
class Person:
    """Someone who takes duties. `share` in percent of a full one; `excused` is part of `away`."""

    id: int
    skills: frozenset[int]
    division: int = 0
    kinds: frozenset[DayKind] = frozenset(DayKind)
    weekdays: frozenset[int] = frozenset(range(7))  # as date.weekday(), for weekdays only
    share: int = 100
    away: frozenset[date] = frozenset()
    excused: frozenset[date] = frozenset()
    avoid: frozenset[date] = frozenset()
    want: frozenset[date] = frozenset()
    must: frozenset[date] = frozenset()  # wanted so firmly that only the hard rules outweigh it
    carried: tuple[tuple[Burden, float], ...] = ()  # days above the fair share so far this year


@dataclass(frozen=True, order=True)
class Place:
    """So many people of one skill who are needed in one shift of one day."""

    on: date
    kind: DayKind
    shift: Shift
    skill: int
    count: int = 1


@dataclass(frozen=True, order=True)
class Assignment:
    """One person on duty. `person` 0 stands for nobody."""

    on: date
    shift: Shift
    skill: int
    person: int


@dataclass(frozen=True)
class Problem:
    """
    Everything a plan depends on; the same problem and seed give the same plan.

    `fixed` stays as it is, whatever rule it breaks: the past, and what was set by hand.
    `around` are duties of the neighbouring plans, as (person, day). With `previous`, as few of
    these assignments as possible are changed.
    """

    people: tuple[Person, ...]
    places: tuple[Place, ...]
    most_in_row: int = 5
    closed_gap: int = 1  # whole days that must lie between two duties on closed days
    turns: Mapping[date, int] = field(
        default_factory=dict
    )  # closed day: division whose turn it is
    fixed: frozenset[Assignment] = frozenset()
    around: frozenset[tuple[int, date]] = frozenset()
    previous: frozenset[Assignment] = frozenset()

    @cached_property
    def person(self) -> dict[int, Person]:
        return {person.id: person for person in self.people}

    @cached_property
    def kind(self) -> dict[date, DayKind]:
        return {place.on: place.kind for place in self.places}


def day_kind(on: date) -> DayKind:
    return DayKind.CLOSED if offices.closed_day_reason(on) else DayKind.WEEKDAY


def shift_hours(hours: Hours, shift: Shift) -> Hours:
    """Return when the shift begins and ends on a day with these opening hours."""
    opens, closes = hours
    if shift is Shift.DAY or not opens < NOON < closes:
        return hours
    return (opens, NOON) if shift is Shift.MORNING else (NOON, closes)


def burdens(on: date) -> tuple[Burden, ...]:
    """Return what a duty on this day counts as."""
    if day_kind(on) is DayKind.WEEKDAY:
        return (Burden.WEEKDAY,)
    found = [Burden.CLOSED]
    if on.weekday() >= 5:
        found.append(Burden.WEEKEND)
    if offices.is_year_end(on):
        found.append(Burden.YEAR_END)
    return tuple(found)


def turns(days: Iterable[date], divisions: list[int], *, start: int = 0) -> dict[date, int]:
    """Give each closed day, in order, to the next division (各課の持ち回り)."""
    if not divisions:
        return {}
    closed = (on for on in sorted(days) if day_kind(on) is DayKind.CLOSED)
    return {on: divisions[(start + n) % len(divisions)] for n, on in enumerate(closed)}


def hindrance(person: Person, place: Place) -> Hindrance | None:
    """Return what keeps the person from the place, whatever else they do; None when nothing."""
    if place.skill not in person.skills:
        return Hindrance.SKILL
    if place.kind not in person.kinds:
        return Hindrance.KIND
    if place.on in person.away:
        return Hindrance.AWAY
    if place.kind is DayKind.WEEKDAY and place.on.weekday() not in person.weekdays:
        return Hindrance.WEEKDAY
    return None


def hindrance_among(
    person: Person, place: Place, *, duties: Collection[date], problem: Problem
) -> Hindrance | None:
    """As `hindrance`, also in view of the person's other duty days."""
    if found := hindrance(person, place):
        return found
    if place.on in duties:
        return Hindrance.TWICE
    if place.kind is DayKind.CLOSED and any(
        on != place.on and abs((on - place.on).days) <= problem.closed_gap
        for on in duties
        if day_kind(on) is DayKind.CLOSED
    ):
        return Hindrance.BACK_TO_BACK
    if row_length(place.on, duties) > problem.most_in_row:
        return Hindrance.IN_ROW
    return None


def row_length(on: date, duties: Collection[date]) -> int:
    """Return how many days in a row someone works who takes this day too."""
    day = timedelta(days=1)
    length, before, after = 1, on - day, on + day
    while before in duties:
        length, before = length + 1, before - day
    while after in duties:
        length, after = length + 1, after + day
    return length


def duty_days(problem: Problem, plan: Iterable[Assignment]) -> dict[int, set[date]]:
    """Return everyone's duty days, those of the neighbouring plans included."""
    days: dict[int, set[date]] = {person.id: set() for person in problem.people}
    for person, on in problem.around:
        if person in days:
            days[person].add(on)
    for each in plan:
        if each.person in days:
            days[each.person].add(each.on)
    return days


@dataclass(frozen=True)
class Breach:
    """A duty that breaks a rule; allowed by hand only, and shown."""

    assignment: Assignment
    hindrance: Hindrance


def breaches(problem: Problem, plan: Collection[Assignment]) -> list[Breach]:
    """Return every duty of the plan that its person could not take beside their other duties."""
    places = {(place.on, place.shift, place.skill): place for place in problem.places}
    days = duty_days(problem, plan)
    times = Counter((each.person, each.on) for each in plan)
    found = []
    for each in sorted(plan):
        person = problem.person.get(each.person)
        place = places.get((each.on, each.shift, each.skill))
        if person is None or place is None:
            continue
        others = days[person.id] - {each.on}
        why = hindrance_among(person, place, duties=others, problem=problem)
        if why is None and times[person.id, each.on] > 1:
            why = Hindrance.TWICE
        if why:
            found.append(Breach(each, why))
    return found


@dataclass(frozen=True)
class Hole:
    """A place that stays empty, and what keeps everyone with the skill from it."""

    place: Place
    filled: int
    reasons: tuple[tuple[Hindrance, int], ...]

    def words(self, skill: str) -> str:
        """Return 1月2日：相談員が足りません（必要1、出られる人0。休暇3人）."""
        place = self.place
        shift = "" if place.shift is Shift.DAY else SHIFT_LABELS[place.shift]
        why_not = "、".join(f"{HINDRANCE_LABELS[why]}{count}人" for why, count in self.reasons)
        return (
            f"{place.on.month}月{place.on.day}日{shift}：{skill}が足りません"
            f"（必要{place.count}、出られる人{self.filled}。"
            f"{why_not or f'{skill}の当番員がいません'}）"
        )


def holes(problem: Problem, plan: Collection[Assignment]) -> list[Hole]:
    """Return the places that the plan leaves empty, with the reasons person by person."""
    filled: dict[tuple[date, Shift, int], set[int]] = defaultdict(set)
    for each in plan:
        filled[each.on, each.shift, each.skill].add(each.person)
    days = duty_days(problem, plan)
    found = []
    for place in sorted(problem.places):
        here = filled[place.on, place.shift, place.skill]
        if len(here) >= place.count:
            continue
        reasons = Counter(
            why
            for person in problem.people
            if person.id not in here and place.skill in person.skills
            if (why := hindrance_among(person, place, duties=days[person.id], problem=problem))
        )
        ordered = tuple((why, reasons[why]) for why in Hindrance if why in reasons)
        found.append(Hole(place, len(here), ordered))
    return found


@dataclass(frozen=True)
class Cause:
    """Why places of one kind stay empty: how many, who could serve there, what hinders them."""

    kind: DayKind
    skill: int
    missing: int
    able: int
    hindrance: Hindrance | None

    def words(self, skill: str) -> str:
        """Return the cause as a sentence, and what would help."""
        what = f"{DAY_KIND_LABELS[self.kind]}の{skill}が、のべ{self.missing}か所足りません"
        if self.hindrance is None:
            return f"{what}。この日に入れる当番員がいません。当番員を加えてください。"
        return (
            f"{what}。入れる当番員は{self.able}人で、"
            f"いちばん多い理由は「{HINDRANCE_LABELS[self.hindrance]}」です。"
            f"{REMEDIES[self.hindrance]}か、当番員を加えるか、必要人数を減らしてください。"
        )


def causes(problem: Problem, empty: Iterable[Hole]) -> list[Cause]:
    """Return the reasons of many holes in a few sentences, the most holes first."""
    missing: Counter[tuple[DayKind, int]] = Counter()
    reasons: dict[tuple[DayKind, int], Counter[Hindrance]] = defaultdict(Counter)
    for hole in empty:
        group = (hole.place.kind, hole.place.skill)
        missing[group] += hole.place.count - hole.filled
        reasons[group].update({why: n for why, n in hole.reasons if why in REMEDIES})
    found = []
    for (kind, skill), count in missing.most_common():
        able = sum(skill in each.skills and kind in each.kinds for each in problem.people)
        main = max(reasons[kind, skill].items(), key=lambda each: each[1], default=(None, 0))[0]
        found.append(Cause(kind, skill, count, able, main))
    return found


def fair_shares(problem: Problem) -> dict[tuple[int, Burden], float]:
    """
    Return how many days of each burden are each person's part.

    Every place is divided among those who could serve it, by their share; a short leave does
    not lower the part, a long one or not being a member that day does. What someone did too
    much earlier in the year is taken off.
    """
    parts: dict[tuple[int, Burden], float] = defaultdict(float)
    for place in problem.places:
        able = [
            person
            for person in problem.people
            if place.on not in person.excused
            and hindrance(person, place) in (None, Hindrance.AWAY)
        ]
        total = sum(person.share for person in able)
        for person in able:
            for burden in burdens(place.on):
                parts[person.id, burden] += place.count * person.share / total
    for person in problem.people:
        for burden, days in person.carried:
            if (person.id, burden) in parts:
                parts[person.id, burden] = max(0.0, parts[person.id, burden] - days)
    return dict(parts)


def band(part: float) -> tuple[int, int]:
    """Return the whole numbers of days that count as fair for this part."""
    return floor(part + EPSILON), ceil(part - EPSILON)


def counts(plan: Iterable[Assignment]) -> Counter[tuple[int, Burden]]:
    return Counter((each.person, burden) for each in plan for burden in burdens(each.on))


def costs(problem: Problem, plan: Collection[Assignment]) -> dict[Soft, int]:
    """Return how often each soft rule is broken: days outside the fair band, wishes, turns."""
    found = dict.fromkeys(Soft, 0)
    done = counts(plan)
    for (person, burden), part in fair_shares(problem).items():
        low, high = band(part)
        days = done[person, burden]
        found[Soft(burden.value)] += max(0, low - days, days - high)
    on_duty = {(each.person, each.on) for each in plan}
    for each in problem.people:
        found[Soft.AVOID] += sum((each.id, on) in on_duty for on in each.avoid)
        for soft, days_wanted in ((Soft.WANT, each.want), (Soft.MUST, each.must)):
            possible = wishes_possible(each, days_wanted, problem)
            found[soft] += sum((each.id, on) not in on_duty for on in possible)
    for place in turn_places(problem):
        kept = any(
            problem.person[each.person].division == problem.turns[place.on]
            for each in plan
            if (each.on, each.shift, each.skill) == (place.on, place.shift, place.skill)
            and each.person in problem.person
        )
        found[Soft.TURN] += not kept
    return found


def price(found: Mapping[Soft, int]) -> int:
    return sum(WEIGHTS[soft] * count for soft, count in found.items())


def wishes_possible(person: Person, days: Collection[date], problem: Problem) -> list[date]:
    """Return those of the days that have a place for the person at all."""
    places = [place for place in problem.places if place.on in days]
    return sorted({place.on for place in places if hindrance(person, place) is None})


def turn_places(problem: Problem) -> Iterator[Place]:
    """Yield the places of closed days that a division takes in turn: those its people can fill."""
    able = {
        (person.division, skill)
        for person in problem.people
        if DayKind.CLOSED in person.kinds
        for skill in person.skills
    }
    for place in sorted(problem.places):
        if (problem.turns.get(place.on), place.skill) in able:
            yield place
