"""
Letters to the mayor: one letter, many items.

A letter says several things, each for another division (川崎市 令和6年度: 2,160 letters, 3,783
items). Each item is a case of its own with its field, its division and its date; the letter is
answered once, when every item has its conclusion and its result. Letters and items are never
added up in one figure.
"""

from collections.abc import Iterable
from enum import StrEnum

from madoguchi.foundation.errors import RuleBroken

MOST_ITEMS = 10


class Outcome(StrEnum):
    """What came of one item; the classes in which cities publish their letters."""

    DONE = "done"
    REFLECTED = "reflected"
    NOTED = "noted"
    NOT_POSSIBLE = "not_possible"
    NOT_OURS = "not_ours"
    PASSED_ON = "passed_on"
    NO_ANSWER = "no_answer"
    OUT_OF_SCOPE = "out_of_scope"


OUTCOME_LABELS = {
    Outcome.DONE: "対応した",
    Outcome.REFLECTED: "事業・施策に反映した",
    Outcome.NOTED: "今後の参考とする",
    Outcome.NOT_POSSIBLE: "対応・反映は困難（理由を説明）",
    Outcome.NOT_OURS: "市の所管外（関係機関を案内・回送）",
    Outcome.PASSED_ON: "所管課に伝達（回答不要）",
    Outcome.NO_ANSWER: "匿名等により回答なし",
    Outcome.OUT_OF_SCOPE: "対象外（営利目的など）",
}


class StepNotAllowed(RuleBroken):
    """The letter is not where this step begins."""


class NotReady(RuleBroken):
    """An item has no conclusion or no result yet, or there is nobody to answer."""


def letter_number(*, era_letter: str, era_year: int, number: int) -> str:
    """Return 市長-R8-0187."""
    return f"市長-{era_letter}{era_year}-{number:04d}"


def check_answer(
    *, is_answered: bool, wants_reply: bool, items: Iterable[tuple[int, bool, str]], text: str
) -> None:
    """
    Say whether the letter may be finished.

    :param items: number of the item, whether its case is closed, its outcome or "".
    :raises StepNotAllowed: it is finished already.
    :raises NotReady: an item is still open or has no result, or the answer is missing.
    """
    if is_answered:
        raise StepNotAllowed("この手紙は、すでに回答済みです。")
    for number, is_closed, outcome in items:
        if not is_closed:
            raise NotReady(f"項目{number}の案件が、まだ終わっていません。")
        if not outcome:
            raise NotReady(f"項目{number}の結果を選んでください。")
    if wants_reply and not text.strip():
        raise NotReady("回答を求めている手紙です。回答文を書いてください。")
