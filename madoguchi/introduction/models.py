from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from madoguchi.booking.models import Service
from madoguchi.booking.rules import STAGE_LABELS, Stage
from madoguchi.introduction import rules
from madoguchi.offices.models import Site
from madoguchi.reception.rules import REMARK_LABELS, Remark


class StageChangeQuerySet(models.QuerySet["StageChange"]):
    def open(self) -> Self:
        return self.filter(status__in=rules.OPEN)

    def due(self, *, on: date) -> Self:
        return self.filter(status=rules.Change.APPROVED.value, on__lte=on)


class StageChange(models.Model):
    """
    段階の切り替え — one step of a service from queueing to booking: planned, approved, done.

    Who plans it and who says GO are two people (four eyes). Going back needs no second person,
    because it turns nobody away: it is done at once, with its reason.
    """

    personal_fields = ()

    service = models.ForeignKey(
        Service,
        on_delete=models.PROTECT,
        verbose_name="手続き・相談メニュー",
        related_name="stage_changes",
    )
    stage = models.CharField(
        "切り替え後の段階",
        max_length=20,
        choices=[(stage.value, STAGE_LABELS[stage]) for stage in Stage],
    )
    on = models.DateField("切り替える日")
    reason = models.CharField("理由", max_length=200, blank=True)
    is_return = models.BooleanField("前の段階に戻す", default=False)
    status = models.CharField(
        "状態",
        max_length=20,
        choices=[(change.value, rules.CHANGE_LABELS[change]) for change in rules.Change],
        default=rules.Change.PROPOSED.value,
    )
    proposed_at = models.DateTimeField("計画した日時")
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="計画した人",
        related_name="stage_changes_proposed",
    )
    approved_at = models.DateTimeField("承認日時", null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="承認した人",
        related_name="stage_changes_approved",
        null=True,
        blank=True,
    )
    done_at = models.DateTimeField("実施日時", null=True, blank=True)
    stopped_at = models.DateTimeField("中止日時", null=True, blank=True)
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="中止した人",
        related_name="stage_changes_stopped",
        null=True,
        blank=True,
    )
    stop_reason = models.CharField("中止の理由", max_length=200, blank=True)

    objects = StageChangeQuerySet.as_manager()

    class Meta:
        verbose_name = "段階の切り替え"
        constraints = [
            models.UniqueConstraint(
                fields=["service", "stage"],
                condition=Q(status__in=sorted(change.value for change in rules.OPEN)),
                name="stage_change_planned_once",
            ),
            models.CheckConstraint(
                name="stage_change_approved_by_another",
                condition=Q(approved_at=None, approved_by=None)
                | Q(approved_at__isnull=False, approved_by__isnull=False)
                & ~Q(approved_by=F("proposed_by")),
            ),
            models.CheckConstraint(
                name="stage_change_goes_on_with_a_go",
                condition=~Q(status__in=[rules.Change.APPROVED.value, rules.Change.DONE.value])
                | Q(approved_at__isnull=False)
                | Q(is_return=True),
            ),
            models.CheckConstraint(
                name="stage_change_done_has_when",
                condition=Q(status=rules.Change.DONE.value, done_at__isnull=False)
                | ~Q(status=rules.Change.DONE.value) & Q(done_at=None),
            ),
            models.CheckConstraint(
                name="stage_change_stopped_has_who_and_why",
                condition=Q(
                    status=rules.Change.STOPPED.value,
                    stopped_at__isnull=False,
                    stopped_by__isnull=False,
                )
                & ~Q(stop_reason="")
                | ~Q(status=rules.Change.STOPPED.value)
                & Q(stopped_at=None, stopped_by=None, stop_reason=""),
            ),
            models.CheckConstraint(
                name="stage_change_back_with_a_reason",
                condition=Q(is_return=False) | ~Q(reason=""),
            ),
        ]
        indexes = [models.Index(fields=["status", "on"], name="stage_change_due")]

    def __str__(self) -> str:
        return f"{self.service} {self.get_stage_display()} {self.on}"

    @property
    def planned(self) -> rules.Planned:
        return rules.Planned(Stage(self.stage), self.on)

    @property
    def is_open(self) -> bool:
        return self.status in rules.OPEN

    @property
    def waits_for_go(self) -> bool:
        return self.status == rules.Change.PROPOSED


class ExpectedQuestion(models.Model):
    """想定問答 — what people will ask when a service changes to bookings, and what we answer."""

    personal_fields = ()

    service = models.ForeignKey(
        Service,
        on_delete=models.CASCADE,
        verbose_name="手続き・相談メニュー",
        related_name="expected_questions",
    )
    order = models.PositiveSmallIntegerField("並び順")
    question = models.CharField("質問", max_length=100)
    answer = models.CharField("答え", max_length=600)

    class Meta:
        verbose_name = "想定問答"
        ordering = ["order", "id"]

    def __str__(self) -> str:
        return self.question


class BookingNotice(models.Model):
    """
    予約制のお知らせ — the words of the sheets and slips that say that a booking is needed.

    Readings are written as ｜予約《よやく》; `easy` is the やさしい日本語 version.
    """

    personal_fields = ()

    service = models.OneToOneField(
        Service,
        on_delete=models.CASCADE,
        verbose_name="手続き・相談メニュー",
        related_name="booking_notice",
    )
    title = models.CharField("見出し", max_length=120)
    body = models.CharField("本文", max_length=1200)
    easy_title = models.CharField("見出し（やさしい日本語）", max_length=120)
    easy_body = models.CharField("本文（やさしい日本語）", max_length=1200)
    printed_at = models.DateTimeField("最後に印刷した日時", null=True, blank=True)

    class Meta:
        verbose_name = "予約制のお知らせ"

    def __str__(self) -> str:
        return f"{self.service} お知らせ"


class Assumption(models.Model):
    """試算の前提 — what a trial of the new rule supposes, as it was last kept for a service."""

    personal_fields = ()

    service = models.OneToOneField(
        Service,
        on_delete=models.CASCADE,
        verbose_name="手続き・相談メニュー",
        related_name="assumption",
    )
    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, verbose_name="庁舎", related_name="assumptions"
    )
    share_booking = models.PositiveSmallIntegerField("予約する人の割合（％）", default=70)
    no_show = models.PositiveSmallIntegerField("予約して来ない人の割合（％）", default=10)
    per_hour = models.PositiveSmallIntegerField("1時間に予約を受ける数", default=4)
    counters = models.PositiveSmallIntegerField("窓口の数", default=1)

    class Meta:
        verbose_name = "試算の前提"
        constraints = [
            models.CheckConstraint(
                name="assumption_within_bounds",
                condition=Q(share_booking__lte=100, no_show__lte=100)
                & Q(per_hour__gte=1, per_hour__lte=60, counters__gte=1, counters__lte=20),
            )
        ]

    def __str__(self) -> str:
        return f"{self.service} 試算"


class DeskEvent(models.Model):
    """
    受付での出来事 — somebody was sent home without a booking, or complained about the change.

    Counted by one press at reception; nothing about the person is kept.
    """

    personal_fields = ()

    service = models.ForeignKey(
        Service,
        on_delete=models.PROTECT,
        verbose_name="手続き・相談メニュー",
        related_name="desk_events",
    )
    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, verbose_name="庁舎", related_name="desk_events"
    )
    kind = models.CharField(
        "種類",
        max_length=20,
        choices=[(event.value, rules.EVENT_LABELS[event]) for event in rules.Event],
    )
    reason_without_booking = models.CharField(
        "予約しなかった理由",
        max_length=20,
        blank=True,
        choices=[(remark.value, REMARK_LABELS[remark]) for remark in Remark],
    )
    on = models.DateField("日")
    at = models.DateTimeField("記録日時")
    noted_by = models.CharField("記録した人", max_length=150)

    class Meta:
        verbose_name = "受付での出来事"
        indexes = [models.Index(fields=["service", "on"], name="desk_event_counted")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.on}"
