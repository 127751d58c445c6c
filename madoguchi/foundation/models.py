from django.db import models


class LiveEvent(models.Model):
    """画面更新 — something a screen shows without reloading, written with the change."""

    personal_fields = ()

    topic = models.CharField("宛先", max_length=80, db_index=True)
    kind = models.CharField("種類", max_length=60)
    body = models.JSONField("中身", default=dict)
    at = models.DateTimeField("日時", db_index=True)
    # PostgreSQL's number of the writing transaction: what live.py reads in order. SQLite: 0.
    written_in = models.BigIntegerField("取引番号", default=0, db_index=True)

    class Meta:
        verbose_name = "画面更新"

    def __str__(self) -> str:
        return f"{self.topic} {self.kind}"


class Sequence(models.Model):
    """採番 — the last number given in one series and year; locked while the next one is taken."""

    personal_fields = ()

    series = models.CharField("系列", max_length=40)
    year = models.IntegerField("年度")
    last = models.BigIntegerField("最後の番号", default=0)

    class Meta:
        verbose_name = "採番"
        constraints = [
            models.UniqueConstraint(fields=["series", "year"], name="sequence_once_per_year")
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.year}: {self.last}"


class Allowance(models.Model):
    """回数制限 — how often one visitor did one thing within one span of time; no address kept."""

    personal_fields = ()

    key = models.CharField("鍵", max_length=64, primary_key=True)
    count = models.PositiveIntegerField("回数")
    ends_at = models.DateTimeField("終わり", db_index=True)

    class Meta:
        verbose_name = "回数制限"

    def __str__(self) -> str:
        return f"{self.count}"
