"""
Last month once more under the new rule: the real arrivals, with bookings.

Everybody who came on a day comes again. A share of them books the free place nearest to the
minute at which they really came (or the first one of a later day), some of those do not appear,
the others come without a booking at their real minute. The hall is then played by the simulator
of `reception.rules.waiting`, once for each play, with lengths of talks drawn from what the
service took. The same arrivals, supposition and seed give the same answer.

What it leaves out: who hears of the bookings and stays at home, who comes at another hour
because of them, and visitors of other services at the same counters.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random

from madoguchi.reception.rules import CallOrder
from madoguchi.reception.rules.waiting import (
    EARLY,
    EARLY_SPREAD,
    Hall,
    Length,
    Person,
    Range,
    forecast,
)

MOST_PLAYS, FEWEST_PLAYS = 20, 4
PEOPLE = 12_000  # so many people are played in all; a busy service is played less often
SERVICE = 1
CELL = 15  # places begin on the quarter of an hour, as bookings do


@dataclass(frozen=True)
class Came:
    """One real arrival: minutes after opening; when it had booked, for which minute."""

    minute: float
    booked: float | None = None


@dataclass(frozen=True)
class Day:
    """One open day of the month: how many minutes it is open, and who came."""

    on: date
    minutes: float
    came: tuple[Came, ...] = ()


@dataclass(frozen=True)
class Supposition:
    """What the trial supposes. Shares from 0 to 1; `per_hour` places an hour for bookings."""

    share_booking: float = 0.7
    no_show: float = 0.1
    per_hour: int = 4
    counters: int = 1
    order: CallOrder = field(default_factory=CallOrder)


@dataclass(frozen=True)
class Group:
    """How long people of one group wait: minutes; `people` a month, on average over the plays."""

    people: float
    wait: Range | None


@dataclass(frozen=True)
class Outcome:
    """One month under one rule. `sent_home`, `moved` and `missed` count people in the month."""

    booked: Group
    walk_in: Group
    sent_home: Range
    moved: Range
    missed: Range
    idle: Range  # hours of all counters together on one open day


@dataclass
class _Tally:
    """What the plays add up to."""

    waits: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})
    sent_home: list[float] = field(default_factory=list)
    moved: list[float] = field(default_factory=list)
    missed: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)


def as_it_was(
    days: Sequence[Day], *, length: Length, supposed: Supposition, seed: int = 1
) -> Outcome:
    """Play the month as people really came: to be held against what was recorded."""
    return _played(days, length=length, supposed=supposed, seed=seed, is_new=False)


def under_bookings(
    days: Sequence[Day], *, length: Length, supposed: Supposition, seed: int = 1
) -> Outcome:
    """Play the month as it would have been with bookings."""
    return _played(days, length=length, supposed=supposed, seed=seed, is_new=True)


def plays_for(days: Iterable[Day]) -> int:
    """Return how often a month is played: less often the more people there are."""
    people = sum(len(day.came) for day in days)
    return max(FEWEST_PLAYS, min(MOST_PLAYS, PEOPLE // max(people, 1)))


def _played(
    days: Sequence[Day], *, length: Length, supposed: Supposition, seed: int, is_new: bool
) -> Outcome:
    random = Random(seed)  # noqa: S311  a trial, not a secret
    tally, plays = _Tally(), plays_for(days)
    for _ in range(plays):
        rearranged = _with_bookings(days, supposed, random) if is_new else _as_came(days)
        _play_month(rearranged, tally, length=length, supposed=supposed, random=random)
    return Outcome(
        booked=_group(tally.waits[True], plays),
        walk_in=_group(tally.waits[False], plays),
        sent_home=_spread(tally.sent_home),
        moved=_spread(tally.moved),
        missed=_spread(tally.missed),
        idle=_spread(tally.idle),
    )


@dataclass
class _Month:
    """The people of each day in one play; who booked another day or stayed away is counted."""

    days: list[tuple[float, list[Came]]]
    moved: int = 0
    missed: int = 0


def _as_came(days: Sequence[Day]) -> _Month:
    return _Month([(day.minutes, list(day.came)) for day in days])


def _with_bookings(days: Sequence[Day], supposed: Supposition, random: Random) -> _Month:
    """Let a share of the people book, day after day; a full day sends them on to the next."""
    month = _Month([(day.minutes, []) for day in days])
    free = [_places(day.minutes, supposed.per_hour) for day in days]
    for index, day in enumerate(days):
        for came in day.came:
            if random.random() >= supposed.share_booking:
                month.days[index][1].append(Came(came.minute))
                continue
            place = _nearest(free, index, came.minute)
            if place is None:  # nothing free until the end of the month
                month.moved += 1
                continue
            on, minute = place
            month.moved += on != index
            if random.random() < supposed.no_show:
                month.missed += 1
                continue
            early = max(minute + random.gauss(EARLY, EARLY_SPREAD), 0.0)
            month.days[on][1].append(Came(early, booked=minute))
    return month


def _places(minutes: float, per_hour: int) -> list[float]:
    """Return the places of a day: so many an hour, spread over its quarters."""
    cells = int(minutes // CELL)
    return [float(cell * CELL) for cell in range(cells) for _ in range(_in_cell(cell, per_hour))]


def _in_cell(cell: int, per_hour: int) -> int:
    quarter = cell % 4
    return (quarter + 1) * per_hour // 4 - quarter * per_hour // 4


def _nearest(free: list[list[float]], index: int, minute: float) -> tuple[int, float] | None:
    """Take the free place nearest to the minute; on a later day, the nearest of that day."""
    for on in range(index, len(free)):
        if free[on]:
            place = min(free[on], key=lambda each: abs(each - minute))
            free[on].remove(place)
            return on, place
    return None


def _play_month(
    month: _Month, tally: _Tally, *, length: Length, supposed: Supposition, random: Random
) -> None:
    sent_home, idle = 0, 0.0
    for minutes, people in month.days:
        called = _called(people, length=length, supposed=supposed, seed=random.getrandbits(32))
        served = 0
        for came, moment in zip(people, called, strict=True):
            if moment > minutes:  # still waiting when the office closes
                sent_home += 1
                continue
            served += 1
            since = came.minute if came.booked is None else max(came.minute, came.booked)
            tally.waits[came.booked is not None].append(max(moment - since, 0.0))
        idle += max(supposed.counters * minutes - served * length.mean, 0.0)
    tally.sent_home.append(sent_home)
    tally.moved.append(month.moved)
    tally.missed.append(month.missed)
    tally.idle.append(idle / 60 / max(len(month.days), 1))


def _called(
    people: Sequence[Came], *, length: Length, supposed: Supposition, seed: int
) -> list[float]:
    """Return at which minute of the day each one is called."""
    if not people:
        return []
    hall = Hall(
        counters={number: frozenset({SERVICE}) for number in range(1, supposed.counters + 1)},
        lengths={SERVICE: length},
        waiting=[
            Person(visit=number, service=SERVICE, arrived=came.minute, booked=came.booked)
            for number, came in enumerate(people, start=1)
        ],
        order=supposed.order,
    )
    played = forecast(hall, seed=seed, plays=1)
    return [played.visits[number].middle for number in range(1, len(people) + 1)]


def _group(waits: list[float], plays: int) -> Group:
    return Group(people=len(waits) / plays, wait=_spread(waits) if waits else None)


def spread_of(values: Iterable[float]) -> Range | None:
    """Return the middle and the range in which four of five values lie; None without values."""
    found = list(values)
    return _spread(found) if found else None


def _spread(values: list[float]) -> Range:
    ordered = sorted(values)
    last = len(ordered) - 1
    return Range(*(ordered[round(share * last)] for share in (0.1, 0.5, 0.9)))
