"""The stages and the clock, with a clock that is moved."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from madoguchi.safety.rules import response
from madoguchi.safety.rules.response import (
    BUILDING_MANAGER,
    DEFAULT_LIMITS,
    SCRIPTS,
    Level,
    Limits,
    Stage,
    StepNotAllowed,
    Way,
    advised,
    check_step,
    may_undo,
    next_stages,
    read_clock,
)

START = datetime(2026, 11, 24, 23, 50, tzinfo=ZoneInfo("Asia/Tokyo"))
WINDOW = DEFAULT_LIMITS[Way.WINDOW]


@pytest.mark.parametrize(
    ("minutes", "level", "next_in"),
    [
        (0, Level.CALM, 20),
        (19, Level.CALM, 20),
        (20, Level.NOTICE, 30),  # past midnight
        (30, Level.SECOND, 60),
        (59, Level.SECOND, 60),
        (60, Level.END, None),
        (24 * 60, Level.END, None),
    ],
)
def test_the_clock(minutes: int, level: Level, next_in: int | None) -> None:
    clock = read_clock(WINDOW, started_at=START, at=START + timedelta(minutes=minutes))
    assert (clock.minutes, clock.level) == (minutes, level)
    assert clock.next_at == (START + timedelta(minutes=next_in) if next_in else None)


def test_a_telephone_call_runs_out_after_thirty() -> None:
    at = START + timedelta(minutes=30)
    assert read_clock(DEFAULT_LIMITS[Way.PHONE], started_at=START, at=at).level == Level.END


@given(
    st.integers(-600, 6000),
    st.lists(st.integers(1, 120), min_size=3, max_size=3).map(sorted),
    st.sampled_from(["Asia/Tokyo", "UTC", "America/New_York"]),
)
def test_the_clock_is_of_the_moments_alone(seconds: int, marks: list[int], zone: str) -> None:
    limits = Limits(*marks)
    at = START + timedelta(seconds=seconds)
    clock = read_clock(limits, started_at=START, at=at)
    assert clock == read_clock(limits, started_at=START.astimezone(UTC), at=at.astimezone(UTC))
    elsewhere = read_clock(limits, started_at=START, at=at.astimezone(ZoneInfo(zone)))
    assert (elsewhere.minutes, elsewhere.level) == (clock.minutes, clock.level)
    if clock.next_at:  # drawn again then, it says the next level
        assert clock.next_at > max(at, START)
        assert read_clock(limits, started_at=START, at=clock.next_at).level != clock.level


@given(st.lists(st.sampled_from(list(Stage)), max_size=40), st.sampled_from(list(Way)))
def test_whatever_is_pressed_the_order_holds(pressed: list[Stage], way: Way) -> None:
    stage, taken = Stage.FIRST, []
    for wanted in pressed:
        try:
            check_step(stage, wanted, way=way, is_ordered=True)
        except StepNotAllowed:
            continue
        taken.append(wanted)
        stage = wanted
    if Stage.LEAVE in taken:
        assert way == Way.WINDOW
        assert Stage.END in taken[: taken.index(Stage.LEAVE)]
    if Stage.FINAL in taken:
        assert Stage.LEAVE in taken[: taken.index(Stage.FINAL)]
    if Stage.POLICE in taken:
        before = taken[: taken.index(Stage.POLICE)]
        assert Stage.FINAL in before or Stage.EMERGENCY in before
    if Stage.AFTER in taken:
        assert taken.index(Stage.AFTER) == len(taken) - 1


@given(
    st.sampled_from(list(Stage)),
    st.sampled_from(list(Way)),
    st.sampled_from(list(Level)),
    st.lists(st.sampled_from(list(Stage)), max_size=8),
)
def test_the_card_names_only_what_may_be_pressed(
    stage: Stage, way: Way, level: Level, asked: list[Stage]
) -> None:
    assume(way == Way.WINDOW or stage not in BUILDING_MANAGER)  # nobody gets there
    found = advised(stage, way=way, level=level, asked=asked, limits=WINDOW)
    assert found is None or found in next_stages(stage, way=way)


def test_the_way_to_the_police_asks_as_often_as_the_city_says() -> None:
    stage, taken = Stage.JUDGE, [Stage.JUDGE]
    while (
        found := advised(stage, way=Way.WINDOW, level=Level.CALM, asked=taken, limits=WINDOW)
    ) is not None:
        check_step(stage, found, way=Way.WINDOW, is_ordered=True)
        taken.append(found)
        stage = found
    assert [taken.count(each) for each in (Stage.STOP_ACT, Stage.LEAVE)] == [3, 2]
    assert taken[-3:] == [Stage.FINAL, Stage.POLICE, Stage.AFTER]


@pytest.mark.parametrize("stage", sorted(BUILDING_MANAGER))
def test_only_who_manages_the_building_orders_to_leave(stage: Stage) -> None:
    before = Stage.END if stage == Stage.LEAVE else Stage.LEAVE
    check_step(before, stage, way=Way.WINDOW, is_ordered=True)
    with pytest.raises(StepNotAllowed, match="庁舎管理者"):
        check_step(before, stage, way=Way.WINDOW, is_ordered=False)


@pytest.mark.parametrize("stage", [s for s in Stage if s not in (Stage.POLICE, Stage.AFTER)])
def test_an_emergency_jumps_over_everything(stage: Stage) -> None:
    if stage != Stage.EMERGENCY:
        check_step(stage, Stage.EMERGENCY, way=Way.PHONE, is_ordered=False)
    check_step(Stage.EMERGENCY, Stage.POLICE, way=Way.PHONE, is_ordered=False)


def test_a_step_is_taken_back_within_a_minute_only() -> None:
    assert may_undo(taken_at=START, at=START + timedelta(seconds=60))
    assert not may_undo(taken_at=START, at=START + timedelta(seconds=61))


def test_every_stage_but_the_last_has_words_and_a_key_of_its_own() -> None:
    assert all(SCRIPTS[stage] for stage in Stage if stage != Stage.AFTER)
    keys = list(response.STAGE_KEYS.values())
    assert len(keys) == len(set(keys))
