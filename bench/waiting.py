"""
How honest the waiting times are: days of a hall that the forecast has not seen.

Four counters, talks of 5, 18 and 30 minutes (55, 30, 15 %; lognormal, coefficient of variation
0.6), 16 walk-ins an hour, an appointment every 20 minutes of which 15 % do not come and the others
come between 12 minutes early and 2 late. The days are run by a loop of their own, which calls by
`rules.next_to_call`; of those who arrive, some are told a range. The lengths of talks are learned
from five days before. The floor is the same forecast with the true lengths. Whoever finds a free
counter is called at once and is told no range: they are counted apart.

    python -m bench.waiting [days] [plays] [seed]
"""

import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from math import log, sqrt
from random import Random
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo

from madoguchi.reception import rules
from madoguchi.reception.rules import waiting
from madoguchi.reception.rules.waiting import Coming, Hall, Length, Person, Range, Talk

OPENS = datetime(2026, 11, 24, 9, 0, tzinfo=ZoneInfo("Asia/Tokyo"))
COUNTERS = 4
MINUTES = {1: 5.0, 2: 18.0, 3: 30.0}
SHARES = (0.55, 0.30, 0.15)
SPREAD = sqrt(log(1 + 0.6**2))
TRUE = {n: Length(log(mean) - SPREAD**2 / 2, SPREAD, known=1e9) for n, mean in MINUTES.items()}
ENTERED = {n: waiting.learned([], expected=mean) for n, mean in MINUTES.items()}
MEAN = sum(share * mean for share, mean in zip(SHARES, MINUTES.values(), strict=True))
WALK_INS_AN_HOUR = 16
DAY = 8 * 60
NO_SHOWS = 0.15


@dataclass
class Told:
    """What one person was told on arrival, and how long the wait was in the end."""

    has_booked: bool
    ranges: dict[str, Range]
    ahead: int
    waited: float = 0.0


@dataclass
class Day:
    """One day of the hall, in minutes from the opening of the doors."""

    random: Random
    lengths: Mapping[str, Mapping[int, Length]]  # by the name of the forecast
    plays: int
    asked: float  # share of those who arrive that are told a range
    order: rules.CallOrder = field(default_factory=rules.CallOrder)
    here: dict[int, Person] = field(default_factory=dict)
    talks: dict[int, Talk] = field(default_factory=dict)  # by counter; elapsed = its beginning
    booked: dict[int, Coming] = field(default_factory=dict)  # who has not arrived yet
    told: dict[int, Told] = field(default_factory=dict)
    took: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))

    def run(self) -> None:
        events: list[tuple[float, int, Any]] = [
            (person.arrived, person.visit, person) for person in self.people()
        ]
        events.sort(key=lambda event: event[:2])
        while events:
            now, key, person = heappop(events)
            if person is None:
                del self.talks[-key]
            else:
                self.here[person.visit] = person
                self.booked.pop(person.visit, None)
                if self.random.random() < self.asked:
                    self.tell(person, now)
            for counter in sorted({*range(1, COUNTERS + 1)} - set(self.talks)):
                if (person := self.call(now)) is not None:
                    minutes = self.random.lognormvariate(TRUE[person.service].log_mean, SPREAD)
                    self.took[person.service].append(minutes)
                    self.talks[counter] = Talk(counter, person.service, now)
                    heappush(events, (now + minutes, -counter, None))

    def people(self) -> list[Person]:
        people, number, at = [], 1, 0.0
        while (at := at + self.random.expovariate(WALK_INS_AN_HOUR / 60)) < DAY:
            people.append(Person(number, self.service(), at))
            number += 1
        for slot in range(0, DAY, 20):
            self.booked[number] = Coming(self.service(), slot)
            if self.random.random() >= NO_SHOWS:
                arrived = max(slot + self.random.uniform(-12, 2), 0.0)
                people.append(Person(number, self.booked[number].service, arrived, booked=slot))
            number += 1
        return people

    def service(self) -> int:
        return self.random.choices(tuple(MINUTES), SHARES)[0]

    def call(self, now: float) -> Person | None:
        turn = rules.next_to_call(
            (
                rules.Waiting(
                    visit=person.visit,
                    arrived_at=_at(person.arrived),
                    booked_for=None if person.booked is None else _at(person.booked),
                )
                for person in self.here.values()
            ),
            now=_at(now),
            by=self.order,
        )
        if turn is None:
            return None
        person = self.here.pop(turn.visit)
        if turn.visit in self.told:
            self.told[turn.visit].waited = now - person.arrived
        return person

    def tell(self, person: Person, now: float) -> None:
        ranges = {}
        for name, lengths in self.lengths.items():
            hall = Hall(
                counters={n: frozenset(MINUTES) for n in range(1, COUNTERS + 1)},
                lengths=lengths,
                talks=[Talk(t.counter, t.service, now - t.elapsed) for t in self.talks.values()],
                waiting=[_from(now, each) for each in self.here.values()],
                coming=[
                    Coming(each.service, each.booked - now)
                    for each in self.booked.values()
                    if each.booked > now - 60
                ],
                order=self.order,
            )
            answer = waiting.forecast(hall, seed=person.visit, plays=self.plays)
            ranges[name] = answer.visits[person.visit]
        self.told[person.visit] = Told(person.booked is not None, ranges, len(self.here) - 1)


def _at(minutes: float) -> datetime:
    return OPENS + timedelta(minutes=minutes)


def _from(now: float, person: Person) -> Person:
    booked = None if person.booked is None else person.booked - now
    return Person(person.visit, person.service, person.arrived - now, booked)


@dataclass(frozen=True)
class Figures:
    """How good a forecast was: share of waits within the range, errors in minutes."""

    people: int
    covered: float
    covered_as_shown: float
    error: float
    width: float

    def __str__(self) -> str:
        return (
            f"{self.people:6} people   covered {self.covered:6.1%} (as shown"
            f" {self.covered_as_shown:6.1%})   mean error {self.error:5.2f} min"
            f"   mean width {self.width:5.1f} min"
        )


def figures(told: list[Told], name: str) -> Figures:
    """Return the figures of one forecast over what was told."""

    def share(hits: list[bool]) -> float:
        return sum(hits) / len(hits)

    ranges = [(each.ranges[name], each.waited) for each in told]
    return Figures(
        people=len(told),
        covered=share([r.low <= waited <= r.high for r, waited in ranges]),
        covered_as_shown=share(
            [
                waiting.rounded(r.low) - 0.5 <= waited <= waiting.rounded(r.high) + 0.5
                for r, waited in ranges
            ]
        ),
        error=fmean(abs(r.middle - waited) for r, waited in ranges),
        width=fmean(r.high - r.low for r, _ in ranges),
    )


def run(*, days: int, plays: int, seed: int, asked: float = 0.25) -> list[Told]:
    """Return what was told on so many days, after five days of learning."""
    random = Random(seed)
    took: dict[int, list[float]] = defaultdict(list)
    for _ in range(5):
        before = Day(random, {}, plays, asked=0.0)
        before.run()
        for service, minutes in before.took.items():
            took[service] += minutes
    learned = {n: waiting.learned(took[n], expected=mean) for n, mean in MINUTES.items()}
    forecasts = {"learned": learned, "floor": TRUE, "entered": ENTERED}
    told: list[Told] = []
    for _ in range(days):
        day = Day(random, forecasts, plays, asked=asked)
        day.run()
        told += day.told.values()
    return told


def main() -> None:
    given = [int(word) for word in sys.argv[1:]]
    days, plays, seed = (*given, *(40, 200, 1)[len(given) :])
    told = run(days=days, plays=plays, seed=seed)
    at_once = [each for each in told if each.ranges["floor"].high == 0]
    told = [each for each in told if each.ranges["floor"].high > 0]
    walk_ins = [each for each in told if not each.has_booked]
    print(f"{days} days, {plays} plays, seed {seed}; mean wait of walk-ins", end=" ")
    print(f"{fmean(each.waited for each in walk_ins):.1f} min")
    print(f"called at once: told {len(at_once)}, true {sum(not x.waited for x in at_once)}")
    for label, people in (
        ("walk-ins", walk_ins),
        ("booked", [each for each in told if each.has_booked]),
    ):
        for name in ("learned", "floor", "entered"):
            print(f"{label:9} {name:8} {figures(people, name)}")
    ratio = figures(walk_ins, "learned").error / figures(walk_ins, "floor").error
    simple = fmean(abs(each.ahead * MEAN / COUNTERS - each.waited) for each in walk_ins)
    print(f"error against the floor: ratio {ratio:.3f}")
    print(f"people ahead x mean / counters: mean error {simple:.2f} min")


if __name__ == "__main__":
    main()
