"""The aid against worked cases; every line of the built-in standard is needed by one of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from madoguchi.safety.rules import judgement
from madoguchi.safety.rules.judgement import (
    BUILT_IN,
    Act,
    Demand,
    Effect,
    Facts,
    Fault,
    Manner,
    Need,
    NotReady,
    Result,
    advise,
    check_judgement,
)

TABLE = Path(__file__).parent / "worked_cases.txt"
DEMAND = {"f": Demand.FAIR, "p": Demand.PARTLY, "u": Demand.UNFAIR, "?": Demand.UNKNOWN}
MANNER = {
    "ok": Manner.FITTING,
    "un": Manner.UNFITTING,
    "gr": Manner.GRAVE,
    "?": Manner.UNKNOWN,
}
EFFECT = {"0": Effect.NONE, "1": Effect.SLIGHT, "2": Effect.HARMED, "3": Effect.GRAVE}
FAULT = {"n": Fault.NO, "p": Fault.PARTLY, "y": Fault.YES, "?": Fault.UNKNOWN}
NEED = {"n": Need.NO, "m": Need.MET, "o": Need.OPEN, "?": Need.NOT_ASKED}


def worked_cases() -> list[tuple[str, Facts, Result]]:
    found = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split("|")]
        words, demand, manner, effect, acts, fault, need, stops, result, why, source = parts
        assert words and why and source
        facts = Facts(
            demand=DEMAND[demand],
            manner=MANNER[manner],
            effect=EFFECT[effect],
            acts=frozenset(Act(code) for code in acts.split("+") if code != "-"),
            fault=FAULT[fault],
            need=NEED[need],
            stop_requests=int(stops),
        )
        found.append((words, facts, Result(result)))
    return found


CASES = worked_cases()


def test_there_are_sixty_and_every_result_and_act_is_among_them() -> None:
    assert len(CASES) >= 60
    assert {result for _, _, result in CASES} == set(Result)
    assert {act for _, facts, _ in CASES for act in facts.acts} == set(Act)


@pytest.mark.parametrize(
    ("facts", "result"),
    [case[1:] for case in CASES],
    ids=[words for words, _, _ in CASES],
)
def test_worked_case(facts: Facts, result: Result) -> None:
    advice = advise(facts)
    assert advice.result == result
    assert advice.lines and advice.lines[0].result == result  # it says why
    assert all(line.source for line in advice.lines)


@pytest.mark.parametrize("line", BUILT_IN, ids=lambda line: line.code)
def test_every_line_of_the_standard_decides_a_case(line: judgement.Line) -> None:
    without = tuple(each for each in BUILT_IN if each is not line)
    shorter = [(advise(facts, without), result) for _, facts, result in CASES]
    assert any(advice.result != result or not advice.lines for advice, result in shorter)


def test_a_standard_is_stored_and_read_back_whole() -> None:
    assert judgement.standard_from(judgement.standard_to(BUILT_IN)) == BUILT_IN


def test_what_should_be_asked_first() -> None:
    facts = Facts(
        Demand.UNKNOWN, Manner.FITTING, Effect.NONE, fault=Fault.UNKNOWN, need=Need.NOT_ASKED
    )
    assert len(advise(facts).missing) == 3
    known = replace(facts, demand=Demand.FAIR, fault=Fault.NO, need=Need.NO)
    assert advise(known).missing == ()


@pytest.mark.parametrize(
    ("result", "need", "reason", "consulted", "words"),
    [
        (Result.NONE, Need.NO, " ", 1, "理由"),
        (Result.YES, Need.NO, "続いた", 0, "一人では"),
        (Result.CRIME, Need.NO, "殴った", 0, "一人では"),
        (Result.YES, Need.NOT_ASKED, "続いた", 1, "配慮"),
    ],
)
def test_a_judgement_that_may_not_be_written(
    result: Result, need: Need, reason: str, consulted: int, words: str
) -> None:
    with pytest.raises(NotReady, match=words):
        check_judgement(result=result, need=need, reason=reason, consulted=consulted)


def test_none_may_be_said_by_one_and_before_anything_was_asked() -> None:
    check_judgement(result=Result.NONE, need=Need.NOT_ASKED, reason="相当", consulted=0)
