"""The difficult talks of the last weeks, and one that goes on now."""

from datetime import datetime, timedelta

from madoguchi.booking.rules import JST
from madoguchi.safety import actions
from madoguchi.safety.models import Incident
from madoguchi.safety.rules.judgement import (
    Act,
    Demand,
    Effect,
    Facts,
    Fault,
    Manner,
    Need,
    Result,
)
from madoguchi.safety.rules.measures import Measure
from madoguchi.safety.rules.response import Stage
from madoguchi.staff.models import User

LEFT_AFTER_ORDER = (
    (20, "「税金泥棒が」", None),
    (27, "", Stage.SWITCH),
    (35, "", Stage.JUDGE),
    (47, "大きな声は、おやめください。", Stage.STOP_ACT),
    (60, "そのお言葉は、おやめください。", Stage.STOP_ACT),
    (76, "「土下座しろ」", None),
    (87, "この件の本日のご対応は、ここで終わります。", Stage.END),
    (93, "お引き取りをお願いします。", Stage.LEAVE),
    (99, "庁舎の外へ出るよう求めます。", Stage.LEAVE),
    (103, "お引き取りいただけないときは、警察に連絡します。", Stage.FINAL),
    (107, "", Stage.AFTER),
)


def keep_counters_safe(*, at: datetime) -> None:
    """Enter three incidents as the divisions did: harassment, none, and one of this moment."""
    officer = User.objects.get(username="kakari")
    head = User.objects.get(username="center")
    chief = User.objects.get(username="kacho")
    actions.delegate(user=head, by=head, at=at - timedelta(days=200))

    start = at.astimezone(JST).replace(hour=13, minute=5, second=0, microsecond=0)
    long_ago = start - timedelta(days=22)
    made = actions.open_incident(
        channel="counter",
        started_at=long_ago,
        place="本庁舎1階 3番窓口",
        counterpart="50代くらいの男性、紺の上着",
        demand="保育料の延滞金を全額なしにして、書面で謝れ。",
        trigger="督促の通知が届いた。",
        by=officer,
        at=long_ago,
    )
    for minutes, words, stage in LEFT_AFTER_ORDER:
        when = long_ago + timedelta(minutes=minutes)
        if stage is None:
            actions.write_note(incident=made, text=words, by=officer, at=when)
        else:
            actions.take_step(
                incident=made, stage=stage, text=words, ordered_by=head, by=officer, at=when
            )
    _judge(
        made,
        Facts(
            Demand.UNFAIR,
            Manner.GRAVE,
            Effect.HARMED,
            frozenset({Act.TIME, Act.ABUSE, Act.EXCESS}),
            stop_requests=2,
        ),
        Result.YES,
        "求めに根拠がなく、土下座の要求と侮辱を繰り返し、107分にわたり窓口が止まった。",
        by=chief,
        consulted=head,
        at=long_ago + timedelta(minutes=36),
    )
    measure = actions.propose_measure(
        incident=made,
        kind=Measure.SEVERAL_OFFICERS,
        ground="一人での応対では、侮辱と長い拘束を防げないため。",
        remains_open="来庁と電話は、今までどおり受けます。来庁時は係長以上が加わります。",
        review_on=(long_ago + timedelta(days=60)).date(),
        by=officer,
        at=long_ago + timedelta(days=1),
    )
    actions.approve_measure(measure=measure, by=chief, at=long_ago + timedelta(days=1, hours=2))

    actions.propose_measure(
        incident=made,
        kind=Measure.TIME_LIMIT,
        ground="同じ話が続き、窓口が長く止まったため。",
        remains_open="一回30分まで、何度でも受けます。",
        review_on=(at + timedelta(days=30)).date(),
        by=officer,
        at=at - timedelta(days=1),
    )

    loud = start - timedelta(days=8)
    fair = actions.open_incident(
        channel="phone",
        started_at=loud,
        demand="回答が6日遅れた理由を説明し、謝ってほしい。",
        trigger="回答の約束の日を過ぎた。",
        by=officer,
        at=loud,
    )
    actions.take_step(
        incident=fair,
        stage=Stage.AFTER,
        text="遅れをおわびし、了承を得た。",
        by=officer,
        at=loud + timedelta(minutes=22),
    )
    _judge(
        fair,
        Facts(Demand.FAIR, Manner.FITTING, Effect.SLIGHT, fault=Fault.YES),
        Result.NONE,
        "求めは妥当で、声は大きいが罵声はない。市の遅れが原因である。",
        by=chief,
        consulted=head,
        at=loud + timedelta(minutes=50),
    )

    now = actions.open_incident(
        channel="counter",
        started_at=at - timedelta(minutes=24),
        place="本庁舎1階 4番窓口",
        demand="順番を飛ばして、先に対応してほしい。",
        by=officer,
        at=at - timedelta(minutes=4),
    )
    actions.write_note(
        incident=now, text="「いつまで待たせるんだ」", by=officer, at=at - timedelta(minutes=3)
    )


def _judge(
    incident: Incident,
    facts: Facts,
    result: Result,
    reason: str,
    *,
    by: User,
    consulted: User,
    at: datetime,
) -> None:
    known = Facts(**{**facts.__dict__, "need": Need.NO})
    actions.judge(
        incident=incident,
        facts=known,
        result=result,
        reason=reason,
        consulted=[consulted],
        by=by,
        at=at,
    )
