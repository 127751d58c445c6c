from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from madoguchi.offices.models import Division
from madoguchi.personnel import rules
from madoguchi.staff.rules import ROLE_LABELS


class MoveListQuerySet(models.QuerySet["MoveList"]):
    def due(self, *, on: date) -> Self:
        return self.filter(status=rules.Status.APPROVED.value, effective_on__lte=on)


class MoveList(models.Model):
    """人事異動一覧 — who changes place on one day; written by one person, approved by another."""

    personal_fields = ()

    effective_on = models.DateField("異動日")
    note = models.CharField("備考", max_length=100, blank=True)
    status = models.CharField(
        "状態",
        max_length=10,
        choices=[(status.value, label) for status, label in rules.STATUS_LABELS.items()],
        default=rules.Status.DRAFT.value,
    )
    made_at = models.DateTimeField("作成日時")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, verbose_name="作成者", related_name="+"
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
    done_at = models.DateTimeField("実施日時", null=True, blank=True)

    objects = MoveListQuerySet.as_manager()

    class Meta:
        verbose_name = "人事異動一覧"
        constraints = [
            models.UniqueConstraint(
                fields=["effective_on"],
                condition=Q(status__in=[rules.Status.DRAFT.value, rules.Status.APPROVED.value]),
                name="one_open_move_list_a_day",
            ),
            models.CheckConstraint(
                name="move_list_approved_by_another",
                condition=Q(approved_at=None, approved_by=None)
                | Q(approved_at__isnull=False, approved_by__isnull=False)
                & ~Q(approved_by=F("made_by")),
            ),
            models.CheckConstraint(
                name="move_list_goes_on_when_approved",
                condition=~Q(status__in=[rules.Status.APPROVED.value, rules.Status.DONE.value])
                | Q(approved_at__isnull=False),
            ),
            models.CheckConstraint(
                name="move_list_done_has_when",
                condition=Q(status=rules.Status.DONE.value, done_at__isnull=False)
                | ~Q(status=rules.Status.DONE.value) & Q(done_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.effective_on} {self.get_status_display()}"

    @property
    def is_draft(self) -> bool:
        return self.status == rules.Status.DRAFT

    @property
    def is_approved(self) -> bool:
        return self.status == rules.Status.APPROVED


class Move(models.Model):
    """異動 — one person goes to a division and a role, or leaves; a successor takes over."""

    personal_fields = ()

    list = models.ForeignKey(
        MoveList, on_delete=models.CASCADE, verbose_name="人事異動一覧", related_name="moves"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="職員",
        related_name="moves",
    )
    division = models.ForeignKey(
        Division,
        on_delete=models.PROTECT,
        verbose_name="異動先",
        related_name="+",
        null=True,
        blank=True,
    )
    role = models.CharField(
        "新しい役割",
        max_length=30,
        blank=True,
        choices=[(role.value, label) for role, label in ROLE_LABELS.items()],
    )
    successor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="後任",
        related_name="+",
        null=True,
        blank=True,
    )
    done_at = models.DateTimeField("実施日時", null=True, blank=True)
    cases = models.PositiveIntegerField("引き継いだ案件", default=0)
    requests = models.PositiveIntegerField("引き継いだ依頼", default=0)

    class Meta:
        verbose_name = "異動"
        constraints = [
            models.UniqueConstraint(fields=["list", "user"], name="move_once_per_list"),
            models.CheckConstraint(
                name="move_has_place_and_role_or_neither",
                condition=Q(division=None, role="") | Q(division__isnull=False) & ~Q(role=""),
            ),
            models.CheckConstraint(
                name="move_not_to_oneself", condition=Q(successor=None) | ~Q(successor=F("user"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.list_id}"

    @property
    def leaves(self) -> bool:
        return self.division_id is None

    @property
    def wanted(self) -> rules.Wanted:
        return rules.Wanted(self.user_id, self.division_id, self.role, self.successor_id)
