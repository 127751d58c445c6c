"""The decisions of the staged introduction, in plain Python."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from madoguchi.booking.rules import STAGE_LABELS, Stage
from madoguchi.foundation.errors import RuleBroken

ORDER = tuple(Stage)  # 告知 → 予約制 → オンライン予約
NOTICE_DAYS = 28  # a change announced later than this reaches many people only at the counter


class Change(StrEnum):
    """Where one change of a service's stage stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    DONE = "done"
    STOPPED = "stopped"


CHANGE_LABELS = {
    Change.PROPOSED: "承認待ち",
    Change.APPROVED: "承認済み（GO）",
    Change.DONE: "実施済み",
    Change.STOPPED: "中止",
}
CHANGE_STEPS = {
    Change.PROPOSED: {Change.APPROVED, Change.STOPPED},
    Change.APPROVED: {Change.DONE, Change.STOPPED},
    Change.DONE: set(),
    Change.STOPPED: set(),
}
OPEN = frozenset({Change.PROPOSED, Change.APPROVED})


class Event(StrEnum):
    """What reception counts besides who comes."""

    SENT_HOME = "sent_home"
    COMPLAINT = "complaint"


EVENT_LABELS = {
    Event.SENT_HOME: "予約がなく、お帰りいただいた",
    Event.COMPLAINT: "予約制への苦情",
}
UNDO = timedelta(minutes=10)  # a wrong press can be taken back for so long


class StepNotAllowed(RuleBroken):
    """The change is not in a state for this step, or this person may not take it."""


class PlanNotPossible(RuleBroken):
    """The dates and stages do not fit together; `field` says where it shows."""

    def __init__(self, message: str, *, field: str = "on") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Planned:
    """A change that is still to come."""

    stage: Stage
    on: date


def check_plan(new: Planned, *, now: Stage, others: Iterable[Planned], today: date) -> None:
    """
    Hold that stages only rise, one after the other, from tomorrow on.

    :raises PlanNotPossible: with the reason in words.
    """
    if new.on <= today:
        raise PlanNotPossible("切り替える日は、明日より後にしてください。")
    if _rank(new.stage) <= _rank(now):
        raise PlanNotPossible(
            f"今の段階は「{STAGE_LABELS[now]}」です。先の段階を選んでください。"
            "前の段階に戻すときは「前の段階に戻す」を使います。",
            field="stage",
        )
    for other in others:
        if other.stage is new.stage:
            raise PlanNotPossible(
                f"「{STAGE_LABELS[new.stage]}」への切り替えは、もう予定にあります。"
                "日を変えるときは、先にその予定を中止してください。",
                field="stage",
            )
        if (_rank(other.stage) < _rank(new.stage)) != (other.on < new.on):
            raise PlanNotPossible(
                f"「{STAGE_LABELS[other.stage]}」の予定と順番が合いません。"
                "段階は、予約制、オンライン予約の順に進めます。"
            )


def check_step(now: Change, to: Change) -> None:
    """:raises StepNotAllowed: the change cannot go from the one state to the other."""
    if to not in CHANGE_STEPS[now]:
        raise StepNotAllowed(
            f"この切り替えは「{CHANGE_LABELS[now]}」です。画面を新しくして、お確かめください。"
        )


def check_go(*, proposed_by: int, by: int, on: date, today: date) -> None:
    """
    Hold the four eyes: who proposed a change does not approve it, and not after its day.

    :raises StepNotAllowed: the same person, or the day has come.
    """
    if proposed_by == by:
        raise StepNotAllowed("計画した人は承認できません。ほかの人に承認を頼んでください。")
    if on <= today:
        raise StepNotAllowed("切り替える日が来ています。中止して、日を改めて計画してください。")


def check_return(*, now: Stage, to: Stage) -> None:
    """:raises PlanNotPossible: the stage is not an earlier one."""
    if _rank(to) >= _rank(now):
        raise PlanNotPossible("今より前の段階を選んでください。", field="stage")


def is_short_notice(on: date, *, today: date) -> bool:
    """Say whether a change comes sooner than letters with a slip in them reach everybody."""
    return (on - today).days < NOTICE_DAYS


def later_stages(now: Stage) -> list[Stage]:
    return [stage for stage in ORDER if _rank(stage) > _rank(now)]


def earlier_stages(now: Stage) -> list[Stage]:
    return [stage for stage in ORDER if _rank(stage) < _rank(now)]


def _rank(stage: Stage) -> int:
    return ORDER.index(stage)


def month_before(day: date) -> tuple[date, date]:
    """Return the first and last day of the month before."""
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def weeks_until(day: date, *, since: date) -> list[tuple[date, date]]:
    """Return the weeks from Monday to Sunday, from the one of `since` to the one of `day`."""
    monday = since - timedelta(days=since.weekday())
    weeks = []
    while monday <= day:
        weeks.append((monday, monday + timedelta(days=6)))
        monday += timedelta(days=7)
    return weeks


# --- the wizard ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """One thing to do before the change, and whether it is done. `name` is its page."""

    words: str
    name: str
    is_done: bool


def tasks(
    *, has_plan: bool, has_questions: bool, has_trial: bool, was_printed: bool, is_approved: bool
) -> list[Task]:
    """Return the five things of an introduction, in the order in which they are done."""
    return [
        Task("段階と日を決める", "propose", has_plan),
        Task("先月の来庁で試算する", "trial", has_trial),
        Task("想定問答をそろえる", "save_questions", has_questions),
        Task("お知らせを印刷する", "save_notice", was_printed),
        Task("承認を受ける（GO）", "introduction", is_approved),
    ]
