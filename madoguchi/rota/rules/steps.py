"""The steps of a rota and of a swap, and who decides them."""

from datetime import date, timedelta
from enum import StrEnum

from madoguchi.foundation.errors import RuleBroken

LONGEST = timedelta(days=366)


class Status(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"


STATUS_LABELS = {Status.DRAFT: "案", Status.PUBLISHED: "公開"}


class Run(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


RUN_LABELS = {
    Run.WAITING: "順番待ち",
    Run.RUNNING: "作成中",
    Run.DONE: "完了",
    Run.FAILED: "中断",
}
SILENCE = timedelta(minutes=2)  # a run that has said nothing for so long has died
STAGE_LABELS = {
    "start": "条件を読んでいます",
    "holes": "空きのない組み方を探しています",
    "changes": "変える当番をできるだけ少なくしています",
    "price": "公平さと希望を整えています",
}


class Wish(StrEnum):
    AVOID = "avoid"
    WANT = "want"
    MUST = "must"


WISH_LABELS = {Wish.AVOID: "避けたい", Wish.WANT: "入りたい", Wish.MUST: "必ず入る"}
OWN_WISHES = (Wish.AVOID, Wish.WANT)  # what a member says alone; the rest is agreed with the head


class Leave(StrEnum):
    HOLIDAY = "holiday"
    TRIP = "trip"
    TRAINING = "training"
    SICK = "sick"
    OTHER = "other"


LEAVE_LABELS = {
    Leave.HOLIDAY: "休暇",
    Leave.TRIP: "出張",
    Leave.TRAINING: "研修",
    Leave.SICK: "病気",
    Leave.OTHER: "その他",
}


class Swap(StrEnum):
    """A swap is asked, agreed by the colleague, approved by a supervisor; or it ends before."""

    ASKED = "asked"
    AGREED = "agreed"
    APPROVED = "approved"
    DECLINED = "declined"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


SWAP_LABELS = {
    Swap.ASKED: "返事待ち",
    Swap.AGREED: "承認待ち",
    Swap.APPROVED: "承認",
    Swap.DECLINED: "辞退",
    Swap.REFUSED: "不承認",
    Swap.WITHDRAWN: "取り下げ",
}
SWAP_OPEN = (Swap.ASKED, Swap.AGREED)
_NEXT = {
    Swap.ASKED: {Swap.AGREED, Swap.DECLINED, Swap.WITHDRAWN},
    Swap.AGREED: {Swap.APPROVED, Swap.REFUSED, Swap.WITHDRAWN},
}


class StepNotAllowed(RuleBroken):
    """The rota or the swap is not where this step begins."""


class PeriodNotPossible(RuleBroken):
    """The first and last day make no plan."""


class HolesLeft(RuleBroken):
    """A rota with empty places is not published unless someone says so."""


class RunInProgress(RuleBroken):
    """The rota is being planned at this moment."""


class DutyBroken(RuleBroken):
    """The duty would break a rule that nobody has waived."""


class WishTaken(RuleBroken):
    """The wish or leave contradicts what is there already."""


def check_period(first: date, last: date) -> None:
    """:raises PeriodNotPossible: the days are in the wrong order, or more than a year apart."""
    if last < first:
        raise PeriodNotPossible("終わりの日は、始まりの日と同じか後の日にしてください。")
    if last - first >= LONGEST:
        raise PeriodNotPossible("当番表は1年以内の期間で作ってください。")


def check_draft(status: Status) -> None:
    """:raises StepNotAllowed: the rota is published already."""
    if status is not Status.DRAFT:
        raise StepNotAllowed(
            "この当番表は公開済みです。一日ごとの変更か、急な休みの組み直しを使ってください。"
        )


def check_publish(status: Status, *, holes: int, duties: int, accept_holes: bool) -> None:
    """
    :raises StepNotAllowed: published already, or nothing planned.
    :raises HolesLeft: places are empty, and nobody said that this is known.
    """
    check_draft(status)
    if not duties:
        raise StepNotAllowed("まだ当番が決まっていません。先に「自動で組む」を実行してください。")
    if holes and not accept_holes:
        raise HolesLeft(
            f"空きが{holes}か所あります。埋めるか、「空きがあるまま公開する」を選んでください。"
        )


def check_swap(now: Swap, then: Swap) -> None:
    """:raises StepNotAllowed: the swap cannot go from here to there."""
    if then not in _NEXT.get(now, set()):
        raise StepNotAllowed(f"この申し出は「{SWAP_LABELS[now]}」のため、この操作はできません。")


def check_ahead(on: date, *, today: date) -> None:
    """:raises StepNotAllowed: the day has passed."""
    if on < today:
        raise StepNotAllowed("過ぎた日の当番は変えられません。")
