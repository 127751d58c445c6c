from typing import Self

from django.db import models
from django.db.models import F

from madoguchi.booking.models import Appointment, AppointmentQuerySet
from madoguchi.booking.rules import AppointmentStatus


class LineFriend(models.Model):
    """LINEの友だち — an account that wrote to the city's; who it is, we neither ask nor keep."""

    personal_fields = ("line_id",)

    line_id = models.CharField("LINEの利用者ID", max_length=50, unique=True)
    since_at = models.DateTimeField("友だちになった日時")
    left_at = models.DateTimeField("ブロックした日時", null=True, blank=True)

    class Meta:
        verbose_name = "LINEの友だち"

    def __str__(self) -> str:
        return f"友だち {self.pk}"


class LineEvent(models.Model):
    """LINEの出来事 — the number of an event that was dealt with: LINE sends some of them twice."""

    personal_fields = ()

    key = models.CharField("出来事の番号", max_length=60, unique=True)
    at = models.DateTimeField("受け取った日時", db_index=True)

    class Meta:
        verbose_name = "LINEの出来事"

    def __str__(self) -> str:
        return self.key


class FollowingQuerySet(models.QuerySet["Following"]):
    def to_remind(self, appointments: AppointmentQuerySet) -> Self:
        """Who is to be told of these appointments, and was not told of this very start."""
        coming = appointments.filter(status=AppointmentStatus.BOOKED)
        mine = self.filter(appointment__in=coming, friend__left_at=None)
        return mine.exclude(reminded_of=F("appointment__start"))


class Following(models.Model):
    """LINEのお知らせ — a friend wants to be reminded of one appointment by LINE."""

    personal_fields = ()

    friend = models.ForeignKey(
        LineFriend, on_delete=models.CASCADE, verbose_name="友だち", related_name="followings"
    )
    appointment = models.ForeignKey(
        Appointment, on_delete=models.CASCADE, verbose_name="予約", related_name="line_followings"
    )
    since_at = models.DateTimeField("登録日時")
    reminded_of = models.DateTimeField("お知らせした予約日時", null=True, blank=True)

    objects = FollowingQuerySet.as_manager()

    class Meta:
        verbose_name = "LINEのお知らせ"
        constraints = [
            models.UniqueConstraint(fields=["friend", "appointment"], name="following_once")
        ]

    def __str__(self) -> str:
        return f"お知らせ {self.pk}"
