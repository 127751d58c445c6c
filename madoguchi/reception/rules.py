"""The decisions of reception and calling, in plain Python."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from madoguchi.foundation.errors import RuleBroken

GRACE = timedelta(minutes=5)  # 予約時刻からこれを過ぎると、予約の順番を失う


class VisitStatus(StrEnum):
    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    DONE = "done"
    ABSENT = "absent"


VISIT_LABELS = {
    VisitStatus.WAITING: "お待ち",
    VisitStatus.CALLED: "呼出中",
    VisitStatus.SERVING: "対応中",
    VisitStatus.DONE: "終了",
    VisitStatus.ABSENT: "不在",
}
# What may follow what. A called visit may wait again (呼び戻し), an absent one too.
VISIT_STEPS = {
    VisitStatus.WAITING: {VisitStatus.CALLED},
    VisitStatus.CALLED: {VisitStatus.SERVING, VisitStatus.ABSENT, VisitStatus.WAITING},
    VisitStatus.SERVING: {VisitStatus.DONE},
    VisitStatus.ABSENT: {VisitStatus.WAITING},
    VisitStatus.DONE: set(),
}


class Remark(StrEnum):
    """Why somebody comes without a booking, counted to see what the introduction still lacks."""

    DID_NOT_KNOW = "did_not_know"
    NO_SMARTPHONE = "no_smartphone"
    CANNOT_OPERATE = "cannot_operate"
    PHONED = "phoned"
    FULL = "full"
    URGENT = "urgent"
    PREFERS_QUEUE = "prefers_queue"
    OTHER = "other"


REMARK_LABELS = {
    Remark.DID_NOT_KNOW: "予約を知らなかった",
    Remark.NO_SMARTPHONE: "スマートフォンがない",
    Remark.CANNOT_OPERATE: "操作できなかった",
    Remark.PHONED: "電話した（つながらない・案内違い）",
    Remark.FULL: "空きがなかった",
    Remark.URGENT: "急ぎの用件",
    Remark.PREFERS_QUEUE: "来て待ちたい",
    Remark.OTHER: "その他",
}


class StepNotAllowed(RuleBroken):
    """The visit is not in a state for this step."""


# --- the queue -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Waiting:
    """A visit in the queue, as far as its turn is concerned."""

    visit: int
    arrived_at: datetime
    booked_for: datetime | None = None


class Turn(IntEnum):
    """Who goes before whom."""

    BOOKED_AND_DUE = 0
    WITHOUT_BOOKING = 1
    BOOKED_AND_EARLY = 2


def turn_of(person: Waiting, *, now: datetime) -> tuple[Turn, datetime, int]:
    """
    Return the sort key of a waiting visit (予約優先).

    Whoever booked comes first, in booked order; a visit without a booking waits until no
    booked visit is due (予約なしは後回し). Arriving more than GRACE late loses the booking.
    """
    booked = person.booked_for
    if booked is None or person.arrived_at > booked + GRACE:
        return (Turn.WITHOUT_BOOKING, person.arrived_at, person.visit)
    if booked > now:
        return (Turn.BOOKED_AND_EARLY, booked, person.visit)
    return (Turn.BOOKED_AND_DUE, booked, person.visit)


def in_turn(waiting: Iterable[Waiting], *, now: datetime) -> list[Waiting]:
    """Return the queue in the order in which it will be called."""
    return sorted(waiting, key=lambda person: turn_of(person, now=now))


def next_to_call(waiting: Iterable[Waiting], *, now: datetime) -> Waiting | None:
    """Return who is called next."""
    return min(waiting, key=lambda person: turn_of(person, now=now), default=None)


def check_step(now: VisitStatus, to: VisitStatus) -> None:
    """:raises StepNotAllowed: the visit cannot go from the one state to the other."""
    if to not in VISIT_STEPS[now]:
        raise StepNotAllowed(
            f"この来庁者は「{VISIT_LABELS[now]}」です。画面を新しくして、もう一度お確かめください。"
        )
