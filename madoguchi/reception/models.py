from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from madoguchi.booking.models import Appointment, Service
from madoguchi.offices.models import Counter, Site
from madoguchi.reception import rules
from madoguchi.residents.models import Resident


class VisitQuerySet(models.QuerySet["Visit"]):
    def today(self, *, site: Site, day: date) -> Self:
        visits = self.filter(site=site, on=day).select_related("service", "counter", "appointment")
        return visits.order_by("arrived_at", "id")

    def waiting(self) -> Self:
        return self.filter(status=rules.VisitStatus.WAITING)

    def at_a_counter(self) -> Self:
        return self.filter(status__in=[rules.VisitStatus.CALLED, rules.VisitStatus.SERVING])


class Visit(models.Model):
    """
    来庁 — somebody who stands in the office today, with a ticket number; booked or walk-in.

    `booked_for` None means without a booking (予約なし), and then the reason is counted.
    """

    personal_fields = ()

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
                condition=Q(status=rules.VisitStatus.WAITING.value)
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
