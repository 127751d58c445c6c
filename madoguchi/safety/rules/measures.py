"""
The measures after an incident (事後の措置): each with its ground, its approval and its end.

東京都条例5条: nobody's rights are restricted without need. So every measure says until when it is
looked at again and what stays open to the citizen.
"""

from datetime import date, timedelta
from enum import StrEnum

from madoguchi.foundation.errors import RuleBroken

LONGEST = timedelta(days=184)  # six months until it must be looked at again


class NotAllowed(RuleBroken):
    """A measure needs another person, a later day, or is not where this begins."""


class Measure(StrEnum):
    ONE_CONTACT = "one_contact"
    WRITING_ONLY = "writing_only"
    TIME_LIMIT = "time_limit"
    SEVERAL_OFFICERS = "several_officers"
    WARNING_LETTER = "warning_letter"
    LAWYER = "lawyer"
    ACCESS = "access"


MEASURE_LABELS = {
    Measure.ONE_CONTACT: "窓口を一本化する",
    Measure.WRITING_ONLY: "連絡は文書に限る",
    Measure.TIME_LIMIT: "応対の時間を限る",
    Measure.SEVERAL_OFFICERS: "複数の職員で応対する",
    Measure.WARNING_LETTER: "警告書を送る",
    Measure.LAWYER: "弁護士に委ねる",
    Measure.ACCESS: "庁舎への立ち入りを制限する",
}


def check_review(*, review_on: date, today: date) -> None:
    """
    Say whether the measure is looked at again in time.

    :raises NotAllowed: on or before today, or more than six months away.
    """
    if review_on <= today:
        raise NotAllowed("見直す日は、明日より後にしてください。")
    if review_on > today + LONGEST:
        raise NotAllowed(
            "見直す日は、6か月以内にしてください。続けるときは、その日に決め直します。"
        )


def check_approval(*, is_approved: bool, is_ended: bool, by: int, proposed_by: int) -> None:
    """
    Say whether this person may approve it.

    :raises NotAllowed: it is approved or ended, or the proposer would approve it.
    """
    if is_ended:
        raise NotAllowed("この措置は、すでに終わっています。")
    if is_approved:
        raise NotAllowed("この措置は、すでに承認されています。")
    if by == proposed_by:
        raise NotAllowed("申し出た本人は承認できません。ほかの管理職が承認してください。")
