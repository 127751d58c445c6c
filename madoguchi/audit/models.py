import json
from typing import TYPE_CHECKING, Any

from django.db import models

from madoguchi.audit.rules import canonical

if TYPE_CHECKING:
    TextField = models.TextField[dict[str, Any], dict[str, Any]]
else:
    TextField = models.TextField


class CanonicalJSON(TextField):
    """A dict, kept as the very text that was hashed; jsonb would rewrite it."""

    def from_db_value(self, value: str, *_: object) -> dict[str, Any]:
        return json.loads(value)  # type: ignore[no-any-return]

    def get_prep_value(self, value: Any) -> Any:
        return canonical(value) if isinstance(value, dict) else value

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs


class AuditEvent(models.Model):
    """
    監査証跡 — one thing that was changed or read, chained to the one before it.

    The primary key counts 1, 2, 3 … without gaps and is part of the hash. Triggers refuse
    UPDATE and DELETE. No foreign keys: the trail neither blocks a deletion nor loses a line
    by one.
    """

    personal_fields = ("reason",)

    id = models.BigIntegerField("番号", primary_key=True)
    at = models.DateTimeField("日時", db_index=True)
    verb = models.CharField("操作", max_length=60, db_index=True)
    actor = models.CharField("操作者", max_length=150, db_index=True)
    target_label = models.CharField("対象の種類", max_length=60, blank=True)
    target_key = models.CharField("対象", max_length=80, blank=True)
    person = models.BigIntegerField("相談者", null=True, blank=True, db_index=True)
    reason = models.CharField("理由", max_length=400, blank=True)
    detail = CanonicalJSON("詳細", default=dict)
    previous_hash = models.CharField("前の要約値", max_length=64)
    hash = models.CharField("要約値", max_length=64, unique=True)

    class Meta:
        verbose_name = "監査証跡"
        indexes = [models.Index(fields=["target_label", "target_key"], name="audit_target")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor} {self.verb} {self.target_key}"
