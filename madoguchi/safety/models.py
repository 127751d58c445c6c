from datetime import date
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from madoguchi.casework.models import Case
from madoguchi.casework.rules import CHANNEL_LABELS, Channel
from madoguchi.offices.models import Division
from madoguchi.safety.rules import judgement, measures, response
from madoguchi.safety.rules.response import Limits, Stage, Way
from madoguchi.staff.models import User


def _choices(labels: Any) -> list[tuple[str, str]]:
    return [(each.value, label) for each, label in labels.items()]


class TimeLimit(models.Model):
    """時間の目安 — the city's minutes for one way of talking, and how often it asks."""

    personal_fields = ()

    way = models.CharField(
        "経路",
        max_length=10,
        unique=True,
        choices=[(Way.WINDOW.value, "窓口・現場"), (Way.PHONE.value, "電話")],
    )
    notice = models.PositiveSmallIntegerField("お知らせまで（分）")
    second = models.PositiveSmallIntegerField("二次対応まで（分）")
    end = models.PositiveSmallIntegerField("終わりを告げるまで（分）")
    stop_requests = models.PositiveSmallIntegerField("やめるよう求める回数", default=3)
    leave_requests = models.PositiveSmallIntegerField("退去を求める回数", default=2)

    class Meta:
        verbose_name = "時間の目安"
        constraints = [
            models.CheckConstraint(
                name="time_limit_in_order",
                condition=Q(notice__gte=1)
                & Q(second__gte=models.F("notice"))
                & Q(end__gte=models.F("second")),
            ),
        ]

    def __str__(self) -> str:
        return self.get_way_display()

    @property
    def limits(self) -> Limits:
        return Limits(self.notice, self.second, self.end, self.stop_requests, self.leave_requests)


class Script(models.Model):
    """次に言う言葉 — the sentences of one stage in the city's own words, one a line."""

    personal_fields = ()

    stage = models.CharField(
        "段階", max_length=20, unique=True, choices=_choices(response.STAGE_LABELS)
    )
    text = models.TextField("言葉（1行に一つ）")

    class Meta:
        verbose_name = "次に言う言葉"

    def __str__(self) -> str:
        return self.get_stage_display()


class Standard(models.Model):
    """判定基準 — one version of the city's standard; a change is a new version."""

    personal_fields = ()

    definition = models.TextField("カスハラの定義")
    lines = models.JSONField("基準の行")
    made_at = models.DateTimeField("制定日時")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, verbose_name="制定者", related_name="+"
    )

    class Meta:
        verbose_name = "判定基準"

    def __str__(self) -> str:
        return f"第{self.pk}版"


class Delegation(models.Model):
    """庁舎管理の委任 — who may order to leave, besides nobody."""

    personal_fields = ()

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="委任された人",
        related_name="+",
    )
    since_at = models.DateTimeField("委任した日時")
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, verbose_name="登録者", related_name="+"
    )
    ended_at = models.DateTimeField("終えた日時", null=True, blank=True)

    class Meta:
        verbose_name = "庁舎管理の委任"
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(ended_at=None), name="delegation_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.since_at}"


class IncidentQuerySet(models.QuerySet["Incident"]):
    def going_on(self) -> Self:
        return self.exclude(stage=Stage.AFTER.value)


class Incident(models.Model):
    """
    事案 — one talk that is or became difficult, from its first minute to its end.

    What it was judged to be stands in its judgements, each at its moment. There is no mark on a
    person anywhere.
    """

    personal_fields = ("counterpart", "demand", "trigger", "place")

    number = models.CharField("事案番号", max_length=20, unique=True)
    key = models.UUIDField("受付キー", unique=True, null=True, blank=True)
    case = models.ForeignKey(
        Case,
        on_delete=models.PROTECT,
        verbose_name="案件",
        related_name="incidents",
        null=True,
        blank=True,
    )
    division = models.ForeignKey(
        Division, on_delete=models.PROTECT, verbose_name="部署", related_name="incidents"
    )
    channel = models.CharField("経路", max_length=20, choices=_choices(CHANNEL_LABELS))
    place = models.CharField("場所", max_length=120, blank=True)
    counterpart = models.CharField("相手方（氏名か特徴）", max_length=200, blank=True)
    people = models.PositiveSmallIntegerField("相手方の人数", default=1)
    trigger = models.TextField("きっかけ", blank=True)
    demand = models.TextField("求められていること", blank=True)
    started_at = models.DateTimeField("始まり", db_index=True)
    opened_at = models.DateTimeField("登録日時")
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, verbose_name="登録者", related_name="+"
    )
    stage = models.CharField(
        "段階",
        max_length=20,
        choices=_choices(response.STAGE_LABELS),
        default=Stage.FIRST.value,
        db_index=True,
    )
    ended_at = models.DateTimeField("終わり", null=True, blank=True)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        verbose_name = "事案"
        constraints = [
            models.CheckConstraint(
                name="incident_ended_when_after",
                condition=Q(stage=Stage.AFTER.value, ended_at__isnull=False)
                | (~Q(stage=Stage.AFTER.value) & Q(ended_at=None)),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def way(self) -> Way:
        is_spoken_to = self.channel in (Channel.COUNTER.value, Channel.ONSITE.value)
        return Way.WINDOW if is_spoken_to else Way.PHONE

    @property
    def is_over(self) -> bool:
        return self.ended_at is not None


class Step(models.Model):
    """経過 — one thing that was done or said, at its moment; only ever added to."""

    personal_fields = ("text",)

    incident = models.ForeignKey(
        Incident, on_delete=models.PROTECT, verbose_name="事案", related_name="steps"
    )
    key = models.UUIDField("受付キー", unique=True, null=True, blank=True)
    stage = models.CharField(
        "段階", max_length=20, blank=True, choices=_choices(response.STAGE_LABELS)
    )
    stage_before = models.CharField("前の段階", max_length=20, blank=True)
    text = models.TextField("言った言葉・記録", blank=True)
    ordered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="決めた庁舎管理者",
        related_name="+",
        null=True,
        blank=True,
    )
    undoes = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        verbose_name="取り消した経過",
        related_name="undone_by",
        null=True,
        blank=True,
    )
    at = models.DateTimeField("日時")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, verbose_name="記録者", related_name="+"
    )

    class Meta:
        verbose_name = "経過"
        constraints = [
            models.CheckConstraint(
                name="step_says_something",
                condition=~Q(stage="") | ~Q(text="") | Q(undoes__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.at}"

    @property
    def is_undone(self) -> bool:
        return hasattr(self, "undone_by")


class Judgement(models.Model):
    """判定 — what the organisation held of an incident at one moment, by whom and why."""

    personal_fields = ("reason",)

    incident = models.ForeignKey(
        Incident, on_delete=models.PROTECT, verbose_name="事案", related_name="judgements"
    )
    standard = models.ForeignKey(
        Standard,
        on_delete=models.PROTECT,
        verbose_name="判定基準",
        related_name="+",
        null=True,
        blank=True,
        help_text="空は、組み込みの基準。",
    )
    demand = models.CharField(
        "要求内容の妥当性", max_length=20, choices=_choices(judgement.DEMAND_LABELS)
    )
    manner = models.CharField(
        "手段・態様の相当性", max_length=20, choices=_choices(judgement.MANNER_LABELS)
    )
    effect = models.CharField(
        "就業環境への影響", max_length=20, choices=_choices(judgement.EFFECT_LABELS)
    )
    acts = models.JSONField("行為の類型", default=list, blank=True)
    fault = models.CharField("市側の不備", max_length=20, choices=_choices(judgement.FAULT_LABELS))
    need = models.CharField(
        "配慮すべき事情", max_length=20, choices=_choices(judgement.NEED_LABELS)
    )
    advised = models.CharField("基準の示す結果", max_length=20)
    result = models.CharField("判定", max_length=20, choices=_choices(judgement.RESULT_LABELS))
    reason = models.TextField("理由")
    consulted: "models.ManyToManyField[User, Any]" = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name="一緒に判断した人", related_name="+", blank=True
    )
    at = models.DateTimeField("判定日時")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, verbose_name="判定者", related_name="+"
    )

    class Meta:
        verbose_name = "判定"

    def __str__(self) -> str:
        return f"{self.incident_id} {self.result}"

    @property
    def act_names(self) -> str:
        return "・".join(judgement.ACT_LABELS[judgement.Act(code)] for code in self.acts)


class MeasureQuerySet(models.QuerySet["Measure"]):
    def in_force(self) -> Self:
        return self.filter(approved_at__isnull=False, ended_at=None)

    def to_review(self, *, on: date) -> Self:
        return self.in_force().filter(review_on__lte=on)


class Measure(models.Model):
    """事後の措置 — what the organisation does from now on, until it is looked at again."""

    personal_fields = ("ground", "remains_open", "ended_reason")

    incident = models.ForeignKey(
        Incident, on_delete=models.PROTECT, verbose_name="事案", related_name="measures"
    )
    kind = models.CharField("措置", max_length=20, choices=_choices(measures.MEASURE_LABELS))
    ground = models.TextField("根拠と理由")
    remains_open = models.TextField("相手方に残る方法")
    review_on = models.DateField("見直す日", db_index=True)
    proposed_at = models.DateTimeField("申し出た日時")
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="申し出た人",
        related_name="+",
    )
    approved_at = models.DateTimeField("承認日時", null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="承認者",
        related_name="+",
        null=True,
        blank=True,
    )
    ended_at = models.DateTimeField("終えた日時", null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="終えた人",
        related_name="+",
        null=True,
        blank=True,
    )
    ended_reason = models.CharField("終えた理由", max_length=400, blank=True)

    objects = MeasureQuerySet.as_manager()

    class Meta:
        verbose_name = "事後の措置"
        constraints = [
            models.CheckConstraint(
                name="measure_approved_when_and_who",
                condition=Q(approved_at=None, approved_by=None)
                | Q(approved_at__isnull=False, approved_by__isnull=False),
            ),
            models.CheckConstraint(
                name="measure_approved_by_another",
                condition=Q(approved_by=None) | ~Q(approved_by=models.F("proposed_by")),
            ),
            models.CheckConstraint(
                name="measure_ended_when_and_who",
                condition=Q(ended_at=None, ended_by=None)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.kind}"
