"""The decisions of reception and calling, in plain Python."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from madoguchi.foundation.errors import RuleBroken

GRACE = timedelta(minutes=5)  # 予約時刻からこれを過ぎると、予約の順番を失う
DELAY = timedelta(minutes=15)  # 後回し: so much later than the clock says does a walk-in arrive
BUSY = timedelta(minutes=30)  # 混んでいる: from this wait on help is suggested


class VisitStatus(StrEnum):
    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    DONE = "done"
    ABSENT = "absent"
    PARKED = "parked"


VISIT_LABELS = {
    VisitStatus.WAITING: "お待ち",
    VisitStatus.CALLED: "呼出中",
    VisitStatus.SERVING: "対応中",
    VisitStatus.DONE: "終了",
    VisitStatus.ABSENT: "不在",
    VisitStatus.PARKED: "保留",
}
# What may follow what. A called visit may wait again (呼び戻し), an absent or parked one too.
VISIT_STEPS = {
    VisitStatus.WAITING: {VisitStatus.CALLED, VisitStatus.PARKED},
    VisitStatus.CALLED: {
        VisitStatus.SERVING,
        VisitStatus.ABSENT,
        VisitStatus.WAITING,
        VisitStatus.PARKED,
    },
    VisitStatus.SERVING: {VisitStatus.DONE, VisitStatus.PARKED},
    VisitStatus.ABSENT: {VisitStatus.WAITING},
    VisitStatus.PARKED: {VisitStatus.WAITING},
    VisitStatus.DONE: set(),
}
AT_A_COUNTER = frozenset({VisitStatus.CALLED, VisitStatus.SERVING})


class Remark(StrEnum):
    """Why somebody comes without a booking, counted to see what the introduction still lacks."""

    DID_NOT_KNOW = "did_not_know"
    NO_SMARTPHONE = "no_smartphone"
    CANNOT_OPERATE = "cannot_operate"
    PHONED = "phoned"
    FULL = "full"
    URGENT = "urgent"
    PREFERS_QUEUE = "prefers_queue"
    AT_TERMINAL = "at_terminal"
    OTHER = "other"


REMARK_LABELS = {
    Remark.DID_NOT_KNOW: "予約を知らなかった",
    Remark.NO_SMARTPHONE: "スマートフォンがない",
    Remark.CANNOT_OPERATE: "操作できなかった",
    Remark.PHONED: "電話した（つながらない・案内違い）",
    Remark.FULL: "空きがなかった",
    Remark.URGENT: "急ぎの用件",
    Remark.PREFERS_QUEUE: "来て待ちたい",
    Remark.AT_TERMINAL: "受付機（理由は聞いていない）",
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


class Order(StrEnum):
    """How bookings and walk-ins stand in one queue: the office declares one of these."""

    BOOKED_FIRST = "booked_first"
    BY_TIME = "by_time"
    WALK_INS_LATER = "walk_ins_later"


ORDER_LABELS = {
    Order.BOOKED_FIRST: "予約優先",
    Order.BY_TIME: "時刻順",
    Order.WALK_INS_LATER: "予約なしは後回し",
}


@dataclass(frozen=True)
class CallOrder:
    """
    The order of calling as a site declares it.

    :param grace: who booked and comes later than this is called like somebody without a booking.
    :param delay: with WALK_INS_LATER, the weight against walk-ins, in minutes of their arrival.
    """

    order: Order = Order.BOOKED_FIRST
    grace: timedelta = GRACE
    delay: timedelta = DELAY

    def keeps_place(self, person: Waiting) -> bool:
        booked = person.booked_for
        return booked is not None and person.arrived_at <= booked + self.grace

    @property
    def words(self) -> str:
        """The rule as the public reads it."""
        grace, delay = (round(span.total_seconds() / 60) for span in (self.grace, self.delay))
        if self.order is Order.BOOKED_FIRST:
            first = "予約の時刻になった方を、先にお呼びします。予約のない方は、受け付けた順です。"
        elif self.order is Order.BY_TIME:
            first = "予約の方は予約の時刻、予約のない方は受け付けた時刻の、早い順にお呼びします。"
        else:
            first = (
                "予約の方は予約の時刻、"
                f"予約のない方は受け付けた時刻に{delay}分を足した時刻の、早い順にお呼びします。"
            )
        return f"{first}予約の時刻に{grace}分を超えて遅れると、予約のない方と同じ順になります。"


class Turn(IntEnum):
    """Who goes before whom with 予約優先; the other orders know one class only."""

    BOOKED_AND_DUE = 0
    WITHOUT_BOOKING = 1
    BOOKED_AND_EARLY = 2


DECLARED = CallOrder()


def turn_of(
    person: Waiting, *, now: datetime, by: CallOrder = DECLARED
) -> tuple[int, datetime, int]:
    """
    Return the sort key of a waiting visit under the declared order.

    予約優先: whoever booked comes first, in booked order; a visit without a booking waits until
    no booked visit is due. 時刻順: booked time or arrival, whichever the person has. 後回し: the
    same, but an arrival counts `delay` later. Arriving more than `grace` late loses the booking.
    """
    booked = person.booked_for if by.keeps_place(person) else None
    if by.order is not Order.BOOKED_FIRST:
        later = by.delay if by.order is Order.WALK_INS_LATER else timedelta()
        return (0, booked or person.arrived_at + later, person.visit)
    if booked is None:
        return (Turn.WITHOUT_BOOKING, person.arrived_at, person.visit)
    if booked > now:
        return (Turn.BOOKED_AND_EARLY, booked, person.visit)
    return (Turn.BOOKED_AND_DUE, booked, person.visit)


def in_turn(
    waiting: Iterable[Waiting], *, now: datetime, by: CallOrder = DECLARED
) -> list[Waiting]:
    """Return the queue in the order in which it will be called."""
    return sorted(waiting, key=lambda person: turn_of(person, now=now, by=by))


def next_to_call(
    waiting: Iterable[Waiting], *, now: datetime, by: CallOrder = DECLARED
) -> Waiting | None:
    """Return who is called next."""
    return min(waiting, key=lambda person: turn_of(person, now=now, by=by), default=None)


def check_step(now: VisitStatus, to: VisitStatus) -> None:
    """:raises StepNotAllowed: the visit cannot go from the one state to the other."""
    if to not in VISIT_STEPS[now]:
        raise StepNotAllowed(
            f"この来庁者は「{VISIT_LABELS[now]}」です。画面を新しくして、もう一度お確かめください。"
        )


def new_key() -> str:
    """Return the key of a terminal: 192 random bits."""
    return secrets.token_urlsafe(24)


def hash_of(key: str) -> str:
    """Return what is kept of a key; a random one needs no salt."""
    return hashlib.sha256(key.encode()).hexdigest()
