from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from madoguchi.casework.models import Case
from madoguchi.letters import rules
from madoguchi.residents.models import Resident


class MayorLetterQuerySet(models.QuerySet["MayorLetter"]):
    def open(self) -> Self:
        return self.filter(answered_at=None)

    def overdue(self, *, on: date) -> Self:
        return self.open().filter(due_on__lt=on)


class MayorLetter(models.Model):
    """市長への手紙 — one letter as it came; what it says is split into items."""

    personal_fields = ("text", "answer")

    number = models.CharField("手紙の番号", max_length=20, unique=True)
    key = models.UUIDField("受付キー", unique=True, null=True, blank=True)
    channel = models.CharField("経路", max_length=20)
    resident = models.ForeignKey(
        Resident,
        on_delete=models.PROTECT,
        verbose_name="差出人",
        related_name="letters",
        null=True,
        blank=True,
    )
    text = models.TextField("手紙の全文")
    wants_reply = models.BooleanField("回答を希望", default=True)
    received_on = models.DateField("受付日", db_index=True)
    received_at = models.DateTimeField("登録日時")
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, verbose_name="登録者", related_name="+"
    )
    due_on = models.DateField("回答期限")
    answer = models.TextField("回答文", blank=True)
    answered_at = models.DateTimeField("回答日時", null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="回答者",
        related_name="+",
        null=True,
        blank=True,
    )

    objects = MayorLetterQuerySet.as_manager()

    class Meta:
        verbose_name = "市長への手紙"
        constraints = [
            models.CheckConstraint(
                name="mayor_letter_answered_when_and_who",
                condition=Q(answered_at=None, answered_by=None)
                | Q(answered_at__isnull=False, answered_by__isnull=False),
            ),
            models.CheckConstraint(name="mayor_letter_says_something", condition=~Q(text="")),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_answered(self) -> bool:
        return self.answered_at is not None


class LetterItem(models.Model):
    """手紙の項目 — one thing the letter says: a case of its own, and what came of it."""

    personal_fields = ()

    letter = models.ForeignKey(
        MayorLetter, on_delete=models.PROTECT, verbose_name="市長への手紙", related_name="items"
    )
    position = models.PositiveSmallIntegerField("項目の番号")
    case = models.OneToOneField(
        Case, on_delete=models.PROTECT, verbose_name="案件", related_name="letter_item"
    )
    outcome = models.CharField(
        "結果",
        max_length=20,
        blank=True,
        choices=[(each.value, label) for each, label in rules.OUTCOME_LABELS.items()],
    )

    class Meta:
        verbose_name = "手紙の項目"
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["letter", "position"], name="letter_item_once")
        ]

    def __str__(self) -> str:
        return f"{self.letter_id} {self.position}"
