"""
How long one will wait, as an honest range: the hall is played through, many times over.

A play begins with the hall as it is: who waits for what, who is served since when, which counters
are open, who has booked and is still to come. Lengths of talks are drawn from what the service
took before; a talk that has lasted t already lasts longer than t. Counters call by the office's
declared order. Four fifths of the plays make the range that is shown.
Method, sources and figures: docs/waiting.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from math import exp, inf, log, sqrt
from random import Random
from statistics import NormalDist

from madoguchi.reception.rules import CallOrder, Order

PLAYS = 200
PRIOR = 10  # so many talks is the length entered for a service worth
PRIOR_SPREAD = 0.55  # standard deviation of the logarithm: a coefficient of variation of 0.6
PRIOR_SHOWS, PRIOR_BOOKED = 17, 20  # 15 % of who booked do not come, until we know better
EARLY, EARLY_SPREAD = -5.0, 5.0  # minutes from the booked time at which people come
SHORTEST, LONGEST = 0.5, 240.0  # minutes; beyond them somebody forgot to press the button
HOURS = 120  # minutes from which on hours are said
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Length:
    """How long talks of a service take: lognormal, in minutes; `known` talks lie behind it."""

    log_mean: float
    log_spread: float
    known: float = PRIOR

    @property
    def mean(self) -> float:
        return exp(self.log_mean + self.log_spread**2 / 2)


def learned(minutes: Iterable[float], *, expected: float) -> Length:
    """
    Return what the talks of a service teach; with few of them, mostly what was entered for it.

    The entered minutes count as PRIOR talks (a normal prior on the logarithm, Gelman et al.,
    Bayesian Data Analysis, §2.5 and §3.3).
    """
    logs = [log(each) for each in minutes if SHORTEST <= each <= LONGEST]
    prior = log(expected) - PRIOR_SPREAD**2 / 2
    known = PRIOR + len(logs)
    mean = (PRIOR * prior + sum(logs)) / known
    squares = PRIOR * PRIOR_SPREAD**2 + sum((each - mean) ** 2 for each in logs)
    return Length(mean, sqrt(squares / known), known)


@dataclass(frozen=True)
class Talk:
    """Somebody at a counter, for `elapsed` minutes."""

    counter: int
    service: int
    elapsed: float


@dataclass(frozen=True, eq=False)
class Person:
    """Who waits; minutes from now (an arrival is negative). `desk`: only this counter calls."""

    visit: int
    service: int
    arrived: float
    booked: float | None = None
    desk: int | None = None


@dataclass(frozen=True)
class Coming:
    """Who has booked and is not here yet; minutes from now, negative when overdue."""

    service: int
    booked: float


@dataclass(frozen=True)
class Hall:
    """One moment of a hall. `counters`: which services each open counter calls."""

    counters: Mapping[int, frozenset[int]]
    lengths: Mapping[int, Length]
    talks: Sequence[Talk] = ()
    waiting: Sequence[Person] = ()
    coming: Sequence[Coming] = ()
    order: CallOrder = field(default_factory=CallOrder)
    shows: float = PRIOR_SHOWS / PRIOR_BOOKED


@dataclass(frozen=True)
class Range:
    """Minutes: in four of five cases the wait is from low to high."""

    low: float
    middle: float
    high: float

    @property
    def words(self) -> str:
        """Say 「およそ15〜35分」; a single number would promise too much."""
        low, high = (rounded(minutes) for minutes in (self.low, self.high))
        if high == 0:
            return "まもなく"
        if low == high:
            return f"およそ{_said(high)}"
        if high < HOURS:
            return f"およそ{low}〜{high}分"
        return f"およそ{_said(low)}〜{_said(high)}"


def rounded(minutes: float) -> int:
    """Return the minutes as they are shown: to one below ten, to five, to thirty for hours."""
    step = 1 if minutes < 10 else 5 if minutes < HOURS else 30
    return round(minutes / step) * step


def _said(minutes: int) -> str:
    if minutes < HOURS:
        return f"{minutes}分"
    hours, half = divmod(minutes, 60)
    return f"{hours}時間{'半' if half else ''}"


@dataclass(frozen=True)
class Forecast:
    """The ranges of who waits, by visit, and of who would come just now, by service."""

    visits: Mapping[int, Range]
    newcomers: Mapping[int, Range]


def forecast(hall: Hall, *, seed: int = 1, plays: int = PLAYS) -> Forecast:
    """
    Return every range of the hall; one that no open counter can call has none.

    The same hall and seed give the same answer.
    """
    random = Random(seed)  # noqa: S311  a forecast, not a secret
    visits: dict[int, list[float]] = {person.visit: [] for person in hall.waiting}
    newcomers: dict[int, list[float]] = {service: [] for service in hall.lengths}
    for _ in range(plays):
        called, received = _play(hall, random)
        for visit, minutes in called.items():
            visits[visit].append(minutes)
        for service, minutes in received.items():
            newcomers[service].append(minutes)
    return Forecast(
        visits={key: _range(waits) for key, waits in visits.items() if waits},
        newcomers={key: _range(waits) for key, waits in newcomers.items() if waits},
    )


def _range(waits: list[float]) -> Range:
    """
    Return the range that holds four fifths of the plays, a tenth left out at either end.

    Where a tenth and more wait for the shortest time there is (often not at all), nothing is left
    out below, and a fifth above: else the range would hold nine tenths and promise too little.
    """
    waits.sort()
    has_floor = waits[len(waits) // 10] == waits[0]
    high = 0.8 if has_floor else 0.9
    return Range(*(_quantile(waits, share) for share in (0.1, 0.5, high)))


def _quantile(ordered: list[float], share: float) -> float:
    """Interpolate so that a new play falls below with just this probability (Weibull)."""
    place = min(max(share * (len(ordered) + 1) - 1, 0), len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _play(hall: Hall, random: Random) -> tuple[dict[int, float], dict[int, float]]:
    """Play the hall once; return when each visit is called, and when a newcomer would be."""
    # The mean of a service is itself uncertain: one draw for the whole play.
    means = {
        service: random.gauss(length.log_mean, length.log_spread / sqrt(length.known))
        for service, length in hall.lengths.items()
    }
    free = [(_remaining(talk, hall, means, random), talk.counter) for talk in hall.talks]
    busy = {talk.counter for talk in hall.talks}
    free += [(0.0, counter) for counter in hall.counters if counter not in busy]
    heapify(free)
    line = _Line(hall, random)
    called: dict[int, float] = {}
    received: dict[int, float] = {}
    awaited = {service for services in hall.counters.values() for service in services}
    wanted = len(hall.waiting)
    while free and (wanted or len(received) < len(awaited)):
        now, counter = heappop(free)
        services = hall.counters.get(counter, frozenset())
        person = line.next_for(counter, services, now)
        for service in services:
            if service not in received and line.newcomer_goes_first(person, now):
                received[service] = now
        if person is not None:
            line.leave(person)
            if person.visit:
                called[person.visit] = now
                wanted -= 1
            length = hall.lengths[person.service]
            talk = exp(means[person.service] + length.log_spread * random.gauss(0, 1))
            heappush(free, (now + talk, counter))
        elif (arrival := line.next_arrival(counter, services, now)) < inf:
            heappush(free, (arrival, counter))
    return called, received


def _remaining(talk: Talk, hall: Hall, means: Mapping[int, float], random: Random) -> float:
    """Draw the rest of a talk, given that it has not ended yet."""
    length = hall.lengths[talk.service]
    if talk.elapsed <= 0:
        return exp(means[talk.service] + length.log_spread * random.gauss(0, 1))
    passed = _NORMAL.cdf((log(talk.elapsed) - means[talk.service]) / length.log_spread)
    share = passed + (1 - passed) * random.random()
    if share >= 1 - 1e-9:  # far beyond all experience: it may end at any moment, or go on
        return random.expovariate(1 / max(talk.elapsed / 4, 1.0))
    whole = exp(means[talk.service] + length.log_spread * _NORMAL.inv_cdf(share))
    return max(whole - talk.elapsed, 0.0)


class _Line:
    """Everybody who waits or will come in this play, in the order of calling."""

    def __init__(self, hall: Hall, random: Random) -> None:
        self.order = hall.order
        self.newcomer = Person(visit=0, service=0, arrived=0.0)
        people = [*hall.waiting, *_arrivals(hall, random)]
        self.moments = {id(person): self._moment(person) for person in (*people, self.newcomer)}
        self.people = sorted(people, key=lambda person: self.moments[id(person)])

    def _moment(self, person: Person) -> float:
        grace = self.order.grace.total_seconds() / 60
        if person.booked is not None and person.arrived <= person.booked + grace:
            return person.booked
        later = self.order.delay.total_seconds() / 60
        return person.arrived + (later if self.order.order is Order.WALK_INS_LATER else 0)

    def _rank(self, person: Person, now: float) -> tuple[int, float]:
        """The same as `turn_of`, in minutes."""
        moment = self.moments[id(person)]
        if self.order.order is not Order.BOOKED_FIRST:
            return (0, moment)
        if person.booked is None or moment != person.booked:
            return (1, moment)
        return (2 if person.booked > now else 0, moment)

    def next_for(self, counter: int, services: frozenset[int], now: float) -> Person | None:
        best, rank = None, (9, inf)
        for person in self.people:
            if person.arrived > now or not _may_call(counter, services, person):
                continue
            if (mine := self._rank(person, now)) < rank:
                best, rank = person, mine
                if rank[0] == 0:
                    break  # in order of the moment: nobody behind can be before
        return best

    def newcomer_goes_first(self, person: Person | None, now: float) -> bool:
        """Say whether somebody who came without a booking at moment 0 would be called instead."""
        return person is None or self._rank(self.newcomer, now) < self._rank(person, now)

    def leave(self, person: Person) -> None:
        self.people.remove(person)

    def next_arrival(self, counter: int, services: frozenset[int], now: float) -> float:
        later = (
            person.arrived
            for person in self.people
            if person.arrived > now and _may_call(counter, services, person)
        )
        return min(later, default=inf)


def _may_call(counter: int, services: frozenset[int], person: Person) -> bool:
    if person.desk is not None:
        return person.desk == counter
    return person.service in services


def _arrivals(hall: Hall, random: Random) -> list[Person]:
    """Draw who of those who booked comes in this play, and when."""
    people = []
    for coming in hall.coming:
        late = -coming.booked  # so long after the booked time is it now
        still = 1 - _NORMAL.cdf((late - EARLY) / EARLY_SPREAD)
        comes = hall.shows * still / (hall.shows * still + 1 - hall.shows)
        if random.random() >= comes:
            continue
        share = min(1 - still * random.random(), 1 - 1e-12)
        offset = EARLY + EARLY_SPREAD * _NORMAL.inv_cdf(max(share, 1e-12))
        arrival = max(coming.booked + offset, 0.01)
        people.append(Person(0, coming.service, arrival, booked=coming.booked))
    return people
