from django.db import models


class AuditEvent(models.Model):
    """
    監査証跡 — one thing that was changed or read, chained to the one before it.

    No foreign keys: the trail neither blocks a deletion nor loses a line by one.
    """

    personal_fields = ("reason",)

    at = models.DateTimeField("日時", db_index=True)
    verb = models.CharField("操作", max_length=60, db_index=True)
    actor = models.CharField("操作者", max_length=150, db_index=True)
    target_label = models.CharField("対象の種類", max_length=60, blank=True)
    target_key = models.CharField("対象", max_length=80, blank=True)
    person = models.BigIntegerField("相談者", null=True, blank=True, db_index=True)
    reason = models.CharField("理由", max_length=400, blank=True)
    detail = models.JSONField("詳細", default=dict)
    previous_hash = models.CharField("前の要約値", max_length=64)
    hash = models.CharField("要約値", max_length=64, unique=True)

    class Meta:
        verbose_name = "監査証跡"
        indexes = [models.Index(fields=["target_label", "target_key"], name="audit_target")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor} {self.verb} {self.target_key}"
