from collections.abc import Iterable
from datetime import date, timedelta
from typing import Self

from django.conf import settings
from django.core.signing import Signer
from django.db import models
from django.db.models import Q
from django.urls import reverse

from madoguchi.booking.models import Appointment, Service
from madoguchi.offices.models import Counter, Site
from madoguchi.reception import rules
from madoguchi.residents.models import Resident

TICKETS = "reception.ticket"  # what a ticket's signature is good for


class QueueRule(models.Model):
    """呼出の順の決まり — how one site calls bookings and walk-ins."""

    personal_fields = ()

    site = models.OneToOneField(
        Site, on_delete=models.PROTECT, verbose_name="庁舎", related_name="queue_rule"
    )
    order = models.CharField(
        "呼び出す順",
        max_length=20,
        choices=[(order.value, rules.ORDER_LABELS[order]) for order in rules.Order],
        default=rules.Order.BOOKED_FIRST.value,
    )
    grace_minutes = models.PositiveSmallIntegerField("予約に何分遅れたら順番を失うか", default=5)
    delay_minutes = models.PositiveSmallIntegerField(
        "予約なしの方を何分後回しにするか", default=15
    )
    busy_minutes = models.PositiveSmallIntegerField("何分待つと「混んでいる」とするか", default=30)
    changed_at = models.DateTimeField("変更日時")
    changed_by = models.CharField("変更者", max_length=150)

    class Meta:
        verbose_name = "呼出の順の決まり"
        constraints = [
            models.CheckConstraint(
                name="queue_rule_within_two_hours",
                condition=Q(grace_minutes__lte=120, delay_minutes__lte=120)
                & Q(busy_minutes__gte=5, busy_minutes__lte=240),
            )
        ]

    def __str__(self) -> str:
        return f"{self.site} {self.get_order_display()}"

    @property
    def call_order(self) -> rules.CallOrder:
        return rules.CallOrder(
            order=rules.Order(self.order),
            grace=timedelta(minutes=self.grace_minutes),
            delay=timedelta(minutes=self.delay_minutes),
        )


class Terminal(models.Model):
    """受付機 — a screen in the hall at which people receive themselves; opened by its own key."""

    personal_fields = ()

    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, verbose_name="庁舎", related_name="terminals"
    )
    name = models.CharField("置き場所", max_length=40)
    key_hash = models.CharField("鍵の要約値", max_length=64, unique=True)
    made_at = models.DateTimeField("登録日時")
    made_by = models.CharField("登録者", max_length=150)
    withdrawn_at = models.DateTimeField("取り外した日時", null=True, blank=True)
    withdrawn_by = models.CharField("取り外した人", max_length=150, blank=True)

    class Meta:
        verbose_name = "受付機"
        constraints = [
            models.CheckConstraint(
                name="terminal_withdrawn_by_somebody",
                condition=Q(withdrawn_at=None, withdrawn_by="")
                | (Q(withdrawn_at__isnull=False) & ~Q(withdrawn_by="")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.site} {self.name}"

    def get_username(self) -> str:
        """The name under which the trail knows it."""
        return f"terminal.{self.pk}"


class Closing(models.Model):
    """窓口の休止 — a counter that calls nobody for a while today, from when to when."""

    personal_fields = ()

    counter = models.ForeignKey(
        Counter, on_delete=models.PROTECT, verbose_name="窓口", related_name="closings"
    )
    on = models.DateField("日")
    closed_at = models.DateTimeField("休止した日時")
    closed_by = models.CharField("休止した人", max_length=150)
    opened_at = models.DateTimeField("再開した日時", null=True, blank=True)
    opened_by = models.CharField("再開した人", max_length=150, blank=True)

    class Meta:
        verbose_name = "窓口の休止"
        constraints = [
            models.CheckConstraint(
                name="closing_opened_by_somebody",
                condition=Q(opened_at=None, opened_by="")
                | (Q(opened_at__isnull=False) & ~Q(opened_by="")),
            ),
            models.UniqueConstraint(
                fields=["counter", "on"], condition=Q(opened_at=None), name="closing_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.counter} {self.on}"


class Support(models.Model):
    """応援 — a counter of another section calls for a busy service today (業務繁忙期の応援)."""

    personal_fields = ()

    counter = models.ForeignKey(
        Counter, on_delete=models.PROTECT, verbose_name="窓口", related_name="supports"
    )
    service = models.ForeignKey(
        Service,
        on_delete=models.PROTECT,
        verbose_name="手続き・相談メニュー",
        related_name="supports",
    )
    on = models.DateField("日")
    begun_at = models.DateTimeField("始めた日時")
    begun_by = models.CharField("始めた人", max_length=150)
    ended_at = models.DateTimeField("終えた日時", null=True, blank=True)
    ended_by = models.CharField("終えた人", max_length=150, blank=True)

    class Meta:
        verbose_name = "応援"
        constraints = [
            models.CheckConstraint(
                name="support_ended_by_somebody",
                condition=Q(ended_at=None, ended_by="")
                | (Q(ended_at__isnull=False) & ~Q(ended_by="")),
            ),
            models.UniqueConstraint(
                fields=["counter", "service", "on"],
                condition=Q(ended_at=None),
                name="support_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.counter} {self.service}"


class Alert(models.Model):
    """緊急の知らせ — somebody at a counter asked colleagues to come at once; who took it when."""

    personal_fields = ()

    counter = models.ForeignKey(
        Counter, on_delete=models.PROTECT, verbose_name="窓口", related_name="alerts"
    )
    raised_at = models.DateTimeField("押した日時")
    raised_by = models.CharField("押した人", max_length=150)
    acknowledged_at = models.DateTimeField("受けた日時", null=True, blank=True)
    acknowledged_by = models.CharField("受けた人", max_length=150, blank=True)

    class Meta:
        verbose_name = "緊急の知らせ"
        constraints = [
            models.CheckConstraint(
                name="alert_acknowledged_by_somebody",
                condition=Q(acknowledged_at=None, acknowledged_by="")
                | (Q(acknowledged_at__isnull=False) & ~Q(acknowledged_by="")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.counter} {self.raised_at}"


class VisitQuerySet(models.QuerySet["Visit"]):
    def today(self, *, site: Site, day: date) -> Self:
        visits = self.filter(site=site, on=day).select_related("service", "counter", "appointment")
        return visits.order_by("arrived_at", "id")

    def waiting(self) -> Self:
        return self.filter(status=rules.VisitStatus.WAITING)

    def at_a_counter(self) -> Self:
        return self.filter(status__in=rules.AT_A_COUNTER)

    def for_counter(self, counter: Counter, *, services: Iterable[int]) -> Self:
        """Whom the counter may call: sent to it, or for one of these services and to no other."""
        return self.filter(Q(desk=counter) | Q(desk=None, service__in=services))


class Visit(models.Model):
    """
    来庁 — somebody who stands in the office today, with a ticket number; booked or walk-in.

    `booked_for` None means without a booking (予約なし), and then the reason is counted. Service,
    counter and times are those of the counter where the visitor is now; see `Stop` for the others.
    """

    personal_fields = ("note",)

    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, verbose_name="庁舎", related_name="visits"
    )
    on = models.DateField("来庁日")
    ticket = models.PositiveIntegerField("受付番号")
    service = models.ForeignKey(
        Service,
        on_delete=models.PROTECT,
        verbose_name="手続き・相談メニュー",
        related_name="visits",
    )
    appointment = models.OneToOneField(
        Appointment,
        on_delete=models.PROTECT,
        verbose_name="予約",
        related_name="visit",
        null=True,
        blank=True,
    )
    booked_for = models.DateTimeField("予約日時", null=True, blank=True)
    reason_without_booking = models.CharField(
        "予約しなかった理由",
        max_length=20,
        blank=True,
        choices=[(remark.value, rules.REMARK_LABELS[remark]) for remark in rules.Remark],
    )
    resident = models.ForeignKey(
        Resident,
        on_delete=models.PROTECT,
        verbose_name="相談者",
        related_name="visits",
        null=True,
        blank=True,
    )
    status = models.CharField(
        "状態",
        max_length=20,
        choices=[(status.value, rules.VISIT_LABELS[status]) for status in rules.VisitStatus],
        default=rules.VisitStatus.WAITING.value,
    )
    counter = models.ForeignKey(
        Counter,
        on_delete=models.PROTECT,
        verbose_name="窓口",
        related_name="visits",
        null=True,
        blank=True,
    )
    officer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="呼び出した職員",
        related_name="visits",
        null=True,
        blank=True,
    )
    desk = models.ForeignKey(
        Counter,
        on_delete=models.PROTECT,
        verbose_name="指定の窓口",
        related_name="visits_sent",
        null=True,
        blank=True,
    )
    note = models.TextField("申し送り", blank=True)
    calls = models.PositiveSmallIntegerField("呼出回数", default=0)
    arrived_at = models.DateTimeField("受付日時")
    called_at = models.DateTimeField("呼出日時", null=True, blank=True)
    started_at = models.DateTimeField("開始日時", null=True, blank=True)
    finished_at = models.DateTimeField("終了日時", null=True, blank=True)

    objects = VisitQuerySet.as_manager()

    class Meta:
        verbose_name = "来庁"
        constraints = [
            models.UniqueConstraint(fields=["site", "on", "ticket"], name="visit_ticket_once"),
            models.CheckConstraint(
                name="visit_booked_or_with_a_reason",
                condition=Q(booked_for__isnull=False, reason_without_booking="")
                | (Q(booked_for=None, appointment=None) & ~Q(reason_without_booking="")),
            ),
            models.CheckConstraint(
                name="visit_called_at_a_counter",
                condition=Q(
                    status__in=[rules.VisitStatus.WAITING.value, rules.VisitStatus.PARKED.value]
                )
                | Q(counter__isnull=False, called_at__isnull=False, officer__isnull=False),
            ),
            models.CheckConstraint(
                name="visit_served_has_times",
                condition=~Q(
                    status__in=[rules.VisitStatus.SERVING.value, rules.VisitStatus.DONE.value]
                )
                | Q(started_at__isnull=False),
            ),
            models.CheckConstraint(
                name="visit_done_has_an_end",
                condition=Q(status=rules.VisitStatus.DONE.value, finished_at__isnull=False)
                | (~Q(status=rules.VisitStatus.DONE.value) & Q(finished_at=None)),
            ),
            models.UniqueConstraint(
                fields=["counter", "on"],
                condition=Q(
                    status__in=[rules.VisitStatus.CALLED.value, rules.VisitStatus.SERVING.value]
                ),
                name="visit_one_at_a_counter",
            ),
        ]
        indexes = [models.Index(fields=["site", "on", "status"], name="visit_today")]

    def __str__(self) -> str:
        return f"来庁 {self.on} {self.ticket}"

    @property
    def is_walk_in(self) -> bool:
        return self.booked_for is None

    @property
    def waiting(self) -> rules.Waiting:
        return rules.Waiting(visit=self.pk, arrived_at=self.arrived_at, booked_for=self.booked_for)

    @property
    def address(self) -> str:
        """The page on which whoever holds the ticket follows it, without an account."""
        return reverse("reception:own_ticket", args=[Signer(salt=TICKETS).sign(str(self.pk))])


class Stop(models.Model):
    """
    立ち寄り先 — another counter of the same visit: still to come, or already left.

    The one where the visitor is now stands in the visit itself.
    """

    personal_fields = ("note",)

    visit = models.ForeignKey(
        Visit, on_delete=models.CASCADE, verbose_name="来庁", related_name="stops"
    )
    service = models.ForeignKey(
        Service,
        on_delete=models.PROTECT,
        verbose_name="手続き・相談メニュー",
        related_name="stops",
    )
    counter = models.ForeignKey(
        Counter,
        on_delete=models.PROTECT,
        verbose_name="窓口",
        related_name="stops",
        null=True,
        blank=True,
    )
    note = models.TextField("申し送り", blank=True)
    officer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="対応した職員",
        related_name="stops",
        null=True,
        blank=True,
    )
    called_at = models.DateTimeField("呼出日時", null=True, blank=True)
    finished_at = models.DateTimeField("終了日時", null=True, blank=True)

    class Meta:
        verbose_name = "立ち寄り先"
        constraints = [
            models.CheckConstraint(
                name="stop_to_come_or_left",
                condition=Q(called_at=None, finished_at=None, officer=None)
                | Q(
                    called_at__isnull=False,
                    finished_at__isnull=False,
                    officer__isnull=False,
                    counter__isnull=False,
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.visit} {self.service}"
