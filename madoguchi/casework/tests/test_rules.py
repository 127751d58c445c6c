from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.casework import rules
from madoguchi.casework.rules import HandoverKind, HandoverState, Status


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (Status.RECEIVED, Status.ANSWERED),
        (Status.IN_PROGRESS, Status.RECEIVED),
        (Status.CLOSED, Status.HANDED_OVER),
        (Status.CLOSED, Status.CLOSED),
    ],
)
def test_a_case_does_not_take_a_step_the_table_does_not_know(now: Status, then: Status) -> None:
    with pytest.raises((rules.StepNotAllowed, rules.CaseClosed)):
        rules.check_step(now, then)


def test_every_open_case_can_be_closed_and_a_closed_one_only_reopened() -> None:
    for status in set(Status) - {Status.CLOSED}:
        rules.check_step(status, Status.CLOSED)

    assert rules.STEPS[Status.CLOSED] == {Status.IN_PROGRESS}


def test_only_a_request_to_come_has_somebody_arrive() -> None:
    rules.check_handover_step(
        HandoverState.ACCEPTED, HandoverState.ARRIVED, kind=HandoverKind.COME
    )

    with pytest.raises(rules.StepNotAllowed, match="到着"):
        rules.check_handover_step(
            HandoverState.ACCEPTED, HandoverState.ARRIVED, kind=HandoverKind.TAKE
        )


@pytest.mark.parametrize("state", sorted(set(HandoverState) - rules.OUTSTANDING))
def test_a_finished_request_stays_finished(state: HandoverState) -> None:
    for then in HandoverState:
        with pytest.raises(rules.StepNotAllowed):
            rules.check_handover_step(state, then, kind=HandoverKind.COME)


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ([], Status.IN_PROGRESS),
        ([HandoverState.DECLINED], Status.IN_PROGRESS),
        ([HandoverState.DECLINED, HandoverState.ASKED], Status.HANDED_OVER),
        ([HandoverState.RETURNED, HandoverState.ARRIVED], Status.HANDED_OVER),
        ([HandoverState.RETURNED, HandoverState.WITHDRAWN], Status.ANSWERED),
    ],
)
def test_the_requests_say_where_an_open_case_stands(
    states: list[HandoverState], status: Status
) -> None:
    assert rules.status_of(states) is status


@pytest.mark.parametrize(
    ("on", "number"),
    [
        (date(2026, 4, 1), "R8-00012"),
        (date(2027, 3, 31), "R8-00012"),
        (date(2019, 4, 1), "R1-00012"),
        (date(2019, 3, 31), "H30-00012"),
    ],
)
def test_a_number_belongs_to_the_fiscal_year_of_its_day(on: date, number: str) -> None:
    assert rules.case_number(on=on, number=12) == number


def test_five_days_skip_closed_days_unless_the_city_counts_them() -> None:
    friday = date(2026, 11, 20)  # the 23rd is 勤労感謝の日

    assert rules.record_due_on(friday, days=5, counts_closed_days=False) == date(2026, 11, 30)
    assert rules.record_due_on(friday, days=5, counts_closed_days=True) == date(2026, 11, 25)
    assert rules.record_due_on(friday, days=1, counts_closed_days=True) == date(2026, 11, 24)


@given(st.text(alphabet="0123456789", min_size=11, max_size=11), st.integers(0, 10))
def test_the_check_digit_finds_every_slip_of_a_writing_hand(digits: str, place: int) -> None:
    code = digits + rules.check_digit(digits)
    assert rules.is_survey_code(code)

    for other in set("0123456789") - {code[place]}:
        assert not rules.is_survey_code(code[:place] + other + code[place + 1 :])
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert swapped == code or not rules.is_survey_code(swapped)


@pytest.mark.parametrize("code", ["", "１２３", "12345678901", "abcdefghijkl", "1234567890123"])
def test_what_we_never_printed_is_no_code(code: str) -> None:
    assert not rules.is_survey_code(code)


def test_every_word_of_a_choice_has_its_label() -> None:
    assert set(rules.STATUS_LABELS) == set(Status)
    assert set(rules.KIND_LABELS) == set(rules.Kind)
    assert set(rules.CHANNEL_LABELS) == set(rules.Channel)
    assert set(rules.HANDOVER_STATE_LABELS) == set(HandoverState)
    assert set(rules.RESULT_LABELS) == set(rules.Result)
    assert set(rules.UNDERSTANDING_LABELS) == set(rules.Understanding)
    assert set(rules.SURVEY_LABELS) == set(rules.SurveyItem)


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 11, 2), date(2026, 11, 16)),
        (date(2026, 12, 18), date(2027, 1, 4)),  # 1 January, the holidays, a Sunday
    ],
)
def test_an_answer_is_due_in_two_weeks_on_an_open_day(received: date, due: date) -> None:
    assert rules.answer_due_on(received) == due


TEXTS = [
    ("", ""),
    ("", "夫が亡くなった。"),
    ("夫が亡くなった。", ""),
    ("年金の手続きが分からない。", "年金と保険の手続きが分からない。"),
    ("10日に来庁\n電話は午前", "11日に来庁\n\n電話は午後のみ"),
    ("𠮷田さん（髙橋）ABC-12", "吉田さん（髙橋）abc 12"),
    ("長い話。" * 900, "長い話。" * 450 + "途中で変わった。" + "長い話。" * 450),
]


@pytest.mark.parametrize(("saved", "mine"), TEXTS)
def test_a_comparison_loses_no_letter_of_either_text(saved: str, mine: str) -> None:
    pieces = rules.compare(saved, mine)

    assert "".join(text for side, text in pieces if side != rules.Side.MINE) == saved
    assert "".join(text for side, text in pieces if side != rules.Side.SAVED) == mine


def test_a_comparison_is_by_words() -> None:
    assert rules.compare("電話は午前に限る", "電話は午後に限る") == [
        (rules.Side.BOTH, "電話は"),
        (rules.Side.SAVED, "午前"),
        (rules.Side.MINE, "午後"),
        (rules.Side.BOTH, "に限る"),
    ]
