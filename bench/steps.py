"""
Random steps of an office (book, hold, lapse, move, cancel, new hours, closures) without an end.

Usage: python -m bench.steps [STEPS [SEED]]      (1,000,000 steps unless said)
After every step: no cell taken twice, masks and rows agree, nobody left without a place, what
is shown is bookable. The first violation ends the run and names its seed. The control takes the
guard of places away and has to violate, or the run fails.
"""

import sys
import time
from collections import Counter
from random import Random
from typing import Any

from bench.hall import own_database

EPISODE = 500


def main() -> None:
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with own_database():
        _run(steps, seed)


def _run(steps: int, seed: int) -> None:
    from django.db import connection

    from madoguchi.booking import rules

    rules.HORIZON_DAYS = 6
    done: Counter[str] = Counter()
    began = time.perf_counter()
    for first in range(0, steps, EPISODE):
        done.update(_episode(min(EPISODE, steps - first), seed + first))
        passed = time.perf_counter() - began
        sys.stdout.write(
            f"\r{connection.vendor}: {min(first + EPISODE, steps):,} steps, 0 violations, "
            f"{min(first + EPISODE, steps) / passed:.0f} steps/s"
        )
        sys.stdout.flush()
    sys.stdout.write("\n" + "".join(f"  {n:8} {said}\n" for said, n in sorted(done.items())))
    sys.stdout.write(f"  control without the guard of places: {_control(seed)}\n")


def _episode(steps: int, seed: int) -> dict[str, int]:
    from django.db import transaction

    from tests.steps import VERBS, Office

    random = Random(seed)
    with transaction.atomic():
        office = Office(seed=seed)
        for _ in range(steps):
            numbers = random.randrange(len(VERBS)), random.randrange(9999), random.randrange(9999)
            office.step(*numbers)
        transaction.set_rollback(True)
    return office.done


def _control(seed: int) -> str:
    from django.db import IntegrityError
    from django.db.models import F

    from madoguchi.booking import actions
    from madoguchi.booking.models import CounterDay
    from tests.steps import Violation

    def take(*, day: Any, counter_id: int, mask: int, is_online: bool = False) -> bool:
        columns = ("busy", "online") if is_online else ("busy",)
        rows = CounterDay.objects.filter(day=day, counter_id=counter_id)
        return rows.update(**{column: F(column).bitor(mask) for column in columns}) == 1

    guarded, actions.claim = actions.claim, take
    try:
        _episode(EPISODE, seed)
    except (Violation, IntegrityError) as found:
        return f"violates ({type(found).__name__}: {str(found)[:80]})"
    finally:
        actions.claim = guarded
    raise SystemExit("the control kept everything: the figures mean nothing")


if __name__ == "__main__":
    main()
