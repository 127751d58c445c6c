"""
Whose are the places that come back, when somebody sells places with a thousand addresses?

Usage: python -m bench.resale [ROUNDS [SEED]]      (1,000 rounds unless said)
Of two hundred people who want a full day twenty pay a seller: a tenth of what comes back is their
fair share. In every round one place is given up by the real actions; what counts is in whose name
it stands in the end. A place in an invented name is worth nothing, for no name can be changed.

Neither the limits nor the proof of work has a say here: a thousand addresses that look at a page
and book once each stay far below both.
"""

import sys
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from unittest.mock import patch

from bench.hall import own_database

HONEST, CLIENTS, ADDRESSES = 180, 20, 1_000
FAIR, BAR = CLIENTS / (HONEST + CLIENTS), 0.02
LOOK = 600.0  # seconds between two looks of one person, or one address, at a full day
ANSWER = 0.9  # of those to whom a place is offered


@dataclass(frozen=True)
class Scene:
    """How the seller goes about it, and what the office has against it."""

    words: str
    addresses: int = CLIENTS  # that look for the seller: at first no more than who pays
    after: float | None = None  # seconds after giving up an own place it is asked for again
    waiting: float = 0.0  # the share of all people who join the waiting list
    seller_joins_first: bool = False
    is_drawn: bool = False  # the list by lot, not in the order of joining
    is_guarded: bool = True


SCENES = (
    Scene(
        "control, back at once and no list: gives up and asks in 1 s", after=1, is_guarded=False
    ),
    Scene("gives up and asks in 1 s, else looks like anybody", after=1),
    Scene("1,000 addresses look as often as a person each", addresses=ADDRESSES),
    Scene("the same, a tenth of all people wait on the list", addresses=ADDRESSES, waiting=0.1),
    Scene("all wait; the seller's people joined first", waiting=1, seller_joins_first=True),
    Scene(
        "the same, were the list drawn by lot", waiting=1, seller_joins_first=True, is_drawn=True
    ),
)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with own_database():
        sys.stdout.write(f"{rounds} places that came back; fair are {FAIR:.0%} of them\n")
        for scene in SCENES:
            won = Town(scene, Random(seed)).play(rounds)["客"] / rounds
            chance = 1.96 * (won * (1 - won) / rounds) ** 0.5
            met = "within" if won <= FAIR + BAR else "ABOVE"
            sys.stdout.write(f"  {won:6.1%} ± {chance:4.1%}  {met:6}  {scene.words}\n")
            sys.stdout.flush()


class Town:
    """One counter with one place on a day, and everybody who wants it."""

    def __init__(self, scene: Scene, chance: Random) -> None:
        from madoguchi.booking import rules
        from tests import make

        self.scene, self.chance, self.now = scene, chance, make.NOW
        self.start = rules.start_of(make.NOW.date() + timedelta(days=1), 8)

    def play(self, rounds: int) -> Counter[str]:
        from django.db import transaction

        from madoguchi.booking import actions, queries

        found: Counter[str] = Counter()
        in_order, keep_back = queries.waiting_for, actions._keep_back

        def lined_up(hold: Any) -> list[Any]:
            rows = in_order(hold)
            if self.scene.is_drawn:
                self.chance.shuffle(rows)
            return rows

        def kept(*args: Any, **more: Any) -> bool:
            return self.scene.is_guarded and keep_back(*args, **more)

        with (
            patch.object(queries, "waiting_for", lined_up),
            patch.object(actions, "_keep_back", kept),
            patch("secrets.randbelow", self.chance.randrange),
        ):
            for _ in range(rounds):
                with transaction.atomic():
                    found[self._round()] += 1
                    transaction.set_rollback(True)
        return found

    def _round(self) -> str:
        """Return who has the place in the end: 客 (pays the seller) or 民."""
        from madoguchi.booking import actions
        from madoguchi.booking.models import CounterDay, Hold
        from tests import make

        service = make.service()
        CounterDay.objects.create(
            day=self.start.date(), counter=service.counters.get(), open=0b11 << 8
        )
        given_up = self._book(service, "前", at=self.now)
        self._line_up(service)
        actions.cancel(appointment=given_up, at=self.now)
        at = self.now
        for back in Hold.objects.all():
            actions.offer(hold=back, at=at)
        while (held := Hold.objects.select_related("waiting").first()) is not None:
            if held.waiting and self.chance.random() < ANSWER:
                return str(actions.take_offer(waiting=held.waiting, at=at).name)
            at = held.until
            actions.release_lapsed(at=at)
        return str(self._book(service, *self._first_after(at)).name)

    def _line_up(self, service: Any) -> None:
        from madoguchi.booking import rules
        from madoguchi.booking.models import Waiting

        people = ["客"] * CLIENTS + ["民"] * HONEST
        if not self.scene.seller_joins_first:
            self.chance.shuffle(people)
        Waiting.objects.bulk_create(
            Waiting(
                token=rules.new_token(),
                service=service,
                site=service.counters.get().site,
                day=self.start.date(),
                name=name,
                email="people@example.jp",
                joined_at=self.now + timedelta(seconds=number),
            )
            for number, name in enumerate(people[: round(len(people) * self.scene.waiting)])
        )

    def _first_after(self, free_from: datetime) -> tuple[str, datetime]:
        """Return who asks first; everybody looks at moments of their own."""
        looks = {
            "客": self.chance.expovariate(self.scene.addresses / LOOK),
            "民": self.chance.expovariate(HONEST / LOOK),
        }
        asked = [(free_from + timedelta(seconds=after), name) for name, after in looks.items()]
        if self.scene.after is not None:
            again = self.now + timedelta(seconds=self.scene.after)
            asked += [(again, "客")] if again >= free_from else []
        at, name = min(asked)
        return name, at

    def _book(self, service: Any, name: str, at: datetime) -> Any:
        from madoguchi.booking import actions

        site = service.counters.get().site
        return actions.book(service=service, site=site, start=self.start, name=name, at=at)


if __name__ == "__main__":
    main()
