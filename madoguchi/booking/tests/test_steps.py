"""In whatever order things happen: nobody overbooked, nobody left out, nothing in vain."""

from collections.abc import Iterator
from datetime import date
from random import Random

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from madoguchi.booking import actions, queries, rules
from madoguchi.booking.models import CounterDay
from tests.steps import VERBS, Office, Violation

NUMBERS = st.integers(0, 10_000)


@pytest.fixture(autouse=True)
def short_horizon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "HORIZON_DAYS", 6)


class AnyOrder(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.episode = transaction.atomic()
        self.episode.__enter__()
        self.office = Office()

    @rule(verb=st.integers(0, len(VERBS) - 1), a=NUMBERS, b=NUMBERS)
    def step(self, verb: int, a: int, b: int) -> None:
        self.office.step(verb, a, b)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.episode.__exit__(None, None, None)


AnyOrder.TestCase.settings = settings(
    max_examples=6,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.django_db
def test_any_order_of_steps_keeps_what_must_hold() -> None:
    AnyOrder.TestCase("runTest").runTest()


def walk(*, steps: int, seed: int) -> Office:
    random = Random(seed)
    office = Office(seed=seed)
    for _ in range(steps):
        office.step(
            random.randrange(len(VERBS)), random.randrange(10_000), random.randrange(10_000)
        )
    return office


@pytest.mark.django_db
def test_a_long_walk_does_everything_and_breaks_nothing() -> None:
    office = walk(steps=150, seed=3)

    assert {verb.__name__ for verb in VERBS} <= {
        said.removesuffix(", refused") for said in office.done
    }


@pytest.fixture
def without_the_guard_of_places(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def take(*, day: date, counter_id: int, mask: int, is_online: bool = False) -> bool:
        rows = CounterDay.objects.filter(day=day, counter_id=counter_id)
        columns = ("busy", "online") if is_online else ("busy",)
        return rows.update(**{column: F(column).bitor(mask) for column in columns}) == 1

    monkeypatch.setattr(actions, "claim", take)
    yield


@pytest.mark.django_db
@pytest.mark.usefixtures("without_the_guard_of_places")
def test_without_the_guard_of_places_the_walk_overbooks() -> None:
    # Two at one start meet the table's own uniqueness, the second lock, first.
    with pytest.raises((Violation, IntegrityError), match=r"taken twice|unique|UNIQUE"):
        walk(steps=400, seed=3)


@pytest.mark.django_db
def test_without_the_guard_of_hours_somebody_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settle = actions._settle

    def settle_anyhow(*args: object, **more: object) -> object:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(queries, "orphans", lambda **_: [])
            return settle(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(actions, "_settle", settle_anyhow)

    with pytest.raises(Violation, match="left without a place"):
        walk(steps=150, seed=3)
