"""
The graded response (段階的対応): what has been done, what may come next, and when.

The order is that of the manual shared by Tokyo's bodies (東京都 各団体共通マニュアル, 2025-03):
ask to stop two or three times, end the talk, ask to leave two or three times, warn a last time,
call the police. Violence or a plain threat jumps over all of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from madoguchi.foundation.errors import RuleBroken

UNDO = timedelta(minutes=1)


class StepNotAllowed(RuleBroken):
    """The incident is not where this step begins."""


class Stage(StrEnum):
    """How far the organisation has gone."""

    FIRST = "first"
    SWITCH = "switch"
    JUDGE = "judge"
    STOP_ACT = "stop_act"
    END = "end"
    LEAVE = "leave"
    FINAL = "final"
    EMERGENCY = "emergency"
    POLICE = "police"
    AFTER = "after"


STAGE_LABELS = {
    Stage.FIRST: "一次対応",
    Stage.SWITCH: "人・場所・時間を変える",
    Stage.JUDGE: "組織で判断",
    Stage.STOP_ACT: "やめるよう求める",
    Stage.END: "対応の終了を告げる",
    Stage.LEAVE: "退去を求める",
    Stage.FINAL: "最後の警告",
    Stage.EMERGENCY: "緊急（離れる・知らせる）",
    Stage.POLICE: "110番・警察",
    Stage.AFTER: "その場は終わった",
}
STAGE_KEYS = {
    Stage.SWITCH: "1",
    Stage.JUDGE: "2",
    Stage.STOP_ACT: "3",
    Stage.END: "4",
    Stage.LEAVE: "5",
    Stage.FINAL: "6",
    Stage.POLICE: "7",
    Stage.AFTER: "8",
    Stage.EMERGENCY: "9",
}
BUILDING_MANAGER = frozenset({Stage.LEAVE, Stage.FINAL})  # 庁舎管理者 or whom it delegated to

_ALWAYS = (Stage.AFTER, Stage.EMERGENCY)
_NEXT: dict[Stage, tuple[Stage, ...]] = {
    Stage.FIRST: (Stage.SWITCH, Stage.JUDGE, Stage.STOP_ACT, Stage.END, *_ALWAYS),
    Stage.SWITCH: (Stage.JUDGE, Stage.STOP_ACT, Stage.END, *_ALWAYS),
    Stage.JUDGE: (Stage.SWITCH, Stage.STOP_ACT, Stage.END, *_ALWAYS),
    Stage.STOP_ACT: (Stage.STOP_ACT, Stage.SWITCH, Stage.JUDGE, Stage.END, *_ALWAYS),
    Stage.END: (Stage.LEAVE, *_ALWAYS),
    Stage.LEAVE: (Stage.LEAVE, Stage.FINAL, *_ALWAYS),
    Stage.FINAL: (Stage.POLICE, *_ALWAYS),
    Stage.EMERGENCY: (Stage.POLICE, Stage.AFTER),
    Stage.POLICE: (Stage.AFTER,),
    Stage.AFTER: (),
}


class Way(StrEnum):
    """How the other side is there; the time limits follow it."""

    WINDOW = "window"
    PHONE = "phone"


@dataclass(frozen=True)
class Limits:
    """The city's time limits in minutes, and how often it asks before the next stage."""

    notice: int = 20
    second: int = 30
    end: int = 60
    stop_requests: int = 3
    leave_requests: int = 2


DEFAULT_LIMITS = {Way.WINDOW: Limits(), Way.PHONE: Limits(notice=20, second=20, end=30)}


class Level(StrEnum):
    """What the clock says."""

    CALM = "calm"
    NOTICE = "notice"
    SECOND = "second"
    END = "end"


LEVEL_LABELS = {
    Level.CALM: "時間内です",
    Level.NOTICE: "お知らせの時間です",
    Level.SECOND: "二次対応に代わる時間です",
    Level.END: "終わりを告げる時間です",
}


@dataclass(frozen=True)
class Clock:
    """What the time says, computed from stored moments alone: a reload changes nothing."""

    minutes: int
    level: Level
    next_at: datetime | None  # when the level changes


def read_clock(limits: Limits, *, started_at: datetime, at: datetime) -> Clock:
    """
    Return how long it lasts and what that means under the city's limits.

    Both moments know their zone, so midnight and the server's own clock zone do not matter. A
    moment before the start counts as the start.
    """
    passed = max(at - started_at, timedelta())
    marks = ((limits.notice, Level.NOTICE), (limits.second, Level.SECOND), (limits.end, Level.END))
    level, next_at = Level.CALM, None
    for minutes, reached in marks:
        if passed >= timedelta(minutes=minutes):
            level = reached
        elif next_at is None:
            next_at = started_at + timedelta(minutes=minutes)
    return Clock(passed // timedelta(minutes=1), level, next_at)


def next_stages(stage: Stage, *, way: Way) -> tuple[Stage, ...]:
    """Return what may come next. Nobody on the telephone is asked to leave."""
    found = _NEXT[stage]
    return tuple(each for each in found if way != Way.PHONE or each not in BUILDING_MANAGER)


def check_step(stage: Stage, to: Stage, *, way: Way, is_ordered: bool) -> None:
    """
    Say whether this step may be taken.

    :param is_ordered: somebody to whom the building's management is delegated gave the order.
    :raises StepNotAllowed: it does not follow, or nobody may order it.
    """
    if stage == Stage.AFTER:
        raise StepNotAllowed(
            "この事案の対応は終わっています。続きは新しい事案として始めてください。"
        )
    if to not in next_stages(stage, way=way):
        raise StepNotAllowed(
            f"「{STAGE_LABELS[stage]}」の次に「{STAGE_LABELS[to]}」は選べません。"
            "先に、画面に出ている段階を選んでください。"
        )
    if to in BUILDING_MANAGER and not is_ordered:
        raise StepNotAllowed(
            "退去の求めと最後の警告は、庁舎管理者か委任された人が決めます。決めた人を選んでください。"
        )


def advised(
    stage: Stage, *, way: Way, level: Level, asked: Iterable[Stage], limits: Limits
) -> Stage | None:
    """
    Return the step the card shows first, or None when nothing is left to say.

    :param asked: every stage taken so far and not undone.
    """
    taken = list(asked)
    early = {Stage.FIRST, Stage.SWITCH, Stage.JUDGE}
    if stage in early and level == Level.END:
        return Stage.END
    if stage == Stage.FIRST:
        return Stage.SWITCH if level == Level.SECOND else None
    if stage == Stage.SWITCH:
        return Stage.JUDGE
    if stage == Stage.JUDGE:
        return Stage.STOP_ACT
    if stage == Stage.STOP_ACT:
        return Stage.STOP_ACT if taken.count(Stage.STOP_ACT) < limits.stop_requests else Stage.END
    if stage == Stage.END:
        return Stage.LEAVE if way == Way.WINDOW else Stage.AFTER
    if stage == Stage.LEAVE:
        return Stage.LEAVE if taken.count(Stage.LEAVE) < limits.leave_requests else Stage.FINAL
    return {
        Stage.FINAL: Stage.POLICE,
        Stage.EMERGENCY: Stage.POLICE,
        Stage.POLICE: Stage.AFTER,
    }.get(stage)


def may_undo(*, taken_at: datetime, at: datetime) -> bool:
    """Return whether a step may still be taken back: within a minute."""
    return at - taken_at <= UNDO


# The built-in words; the city changes them on its settings page.
SCRIPTS: dict[Stage, tuple[str, ...]] = {
    Stage.FIRST: (
        "ご不便をおかけしました。まず、お話を最後までうかがいます。",
        "正確にうかがうため、書き留めながらお聞きします。",
        "お困りのことは「〇〇」で合っていますか。",
    ),
    Stage.SWITCH: (
        "私一人では十分にお答えできません。責任者の〇〇と一緒にうかがいます。",
        "ほかの方もいらっしゃいますので、あちらの席で続きをうかがいます。",
        "お調べする時間をください。〇日〇時までに、こちらからご連絡します。",
    ),
    Stage.JUDGE: ("正確に残すため、ここからのお話を録音します。",),
    Stage.STOP_ACT: (
        "大きな声は、おやめください。このままでは、お話を続けられません。",
        "今のお言葉は、職員を傷つけるものです。おやめください。",
        "ほかの方が写りますので、撮影はおやめください。"
        "（障害や日本語の事情で記録が要る方には、先に事情をうかがう）",
    ),
    Stage.END: (
        "市の回答は、今お伝えしたとおりです。この件の本日のご対応は、ここで終わります。",
        "お電話が長くなりました。ほかの方もお待ちですので、これで失礼いたします。",
    ),
    Stage.LEAVE: (
        "ご用件は終わりました。お引き取りをお願いします。",
        "庁舎を管理する者として、庁舎の外へ出るよう求めます。",
    ),
    Stage.FINAL: ("お引き取りいただけないときは、警察に連絡します。",),
    Stage.EMERGENCY: ("（話さずに離れる）全員その場を離れ、周りに知らせてください。",),
    Stage.POLICE: ("警察に連絡しました。これからは警察の方がお話をうかがいます。",),
    Stage.AFTER: (),
}
