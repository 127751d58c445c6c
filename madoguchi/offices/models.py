from datetime import time

from django.db import models

from madoguchi.offices.rules import HelpLine, help_line


class City(models.Model):
    """自治体 — the municipality itself; one row, made by the set-up."""

    personal_fields = ()

    name = models.CharField("名称", max_length=40)
    kana = models.CharField("ふりがな", max_length=80, blank=True)
    phone = models.CharField("代表電話", max_length=20, blank=True)
    urgent_help = models.TextField("緊急の相談先", blank=True, default="")

    class Meta:
        verbose_name = "自治体"
        constraints = [models.CheckConstraint(name="one_city", condition=models.Q(pk=1))]

    def __str__(self) -> str:
        return self.name

    @property
    def help_lines(self) -> list[HelpLine]:
        """Whom to call in distress: shown to whoever searches in such words."""
        lines = map(help_line, self.urgent_help.splitlines())
        return [line for line in lines if line is not None]


class Site(models.Model):
    """
    庁舎 — a building or branch with its own opening hours (支所・公民館・相談センター).

    A closed day is Saturday, Sunday, a national holiday or 12/29–1/3. No `closed_day` hours
    means shut on those days; `OpeningDay` rows say otherwise for single days and win.
    """

    personal_fields = ()

    code = models.SlugField("コード", max_length=20, unique=True)
    name = models.CharField("名称", max_length=60, unique=True)
    kana = models.CharField("ふりがな", max_length=120, blank=True)
    address = models.CharField("所在地", max_length=120, blank=True)
    phone = models.CharField("電話", max_length=20, blank=True)
    opens_at = models.TimeField("開庁（平日）", default=time(8, 30))
    closes_at = models.TimeField("閉庁（平日）", default=time(17, 15))
    closed_day_opens_at = models.TimeField("開庁（閉庁日）", null=True, blank=True)
    closed_day_closes_at = models.TimeField("閉庁（閉庁日）", null=True, blank=True)
    is_open_at_year_end = models.BooleanField("年末年始も開ける", default=False)
    is_active = models.BooleanField("使用中", default=True)

    class Meta:
        verbose_name = "庁舎"
        constraints = [
            models.CheckConstraint(
                name="site_opens_before_it_closes",
                condition=models.Q(opens_at__lt=models.F("closes_at")),
            ),
            models.CheckConstraint(
                name="site_closed_day_hours_in_pairs",
                condition=models.Q(closed_day_opens_at=None, closed_day_closes_at=None)
                | models.Q(closed_day_opens_at__lt=models.F("closed_day_closes_at")),
            ),
            models.CheckConstraint(
                name="site_year_end_needs_closed_day_hours",
                condition=models.Q(is_open_at_year_end=False)
                | models.Q(closed_day_opens_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Division(models.Model):
    """部署 — a division in charge, the consultation centre itself, or an outside body."""

    personal_fields = ()

    code = models.SlugField("コード", max_length=20, unique=True)
    name = models.CharField("名称", max_length=60, unique=True)
    kana = models.CharField("ふりがな", max_length=120, blank=True)
    phone = models.CharField("電話", max_length=20, blank=True)
    email = models.EmailField("メール", blank=True)
    duties = models.TextField("所管事務", blank=True)
    is_centre = models.BooleanField("相談センター", default=False)
    is_outside = models.BooleanField("関係機関", default=False)
    is_active = models.BooleanField("使用中", default=True)

    class Meta:
        verbose_name = "部署"

    def __str__(self) -> str:
        return self.name


class CounterKind(models.TextChoices):
    DESK = "desk", "窓口"
    INFORMATION = "information", "総合案内"


class Counter(models.Model):
    """窓口 — the place where an officer receives a visitor."""

    personal_fields = ()

    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, verbose_name="庁舎", related_name="counters"
    )
    division = models.ForeignKey(
        Division, on_delete=models.PROTECT, verbose_name="部署", related_name="counters"
    )
    name = models.CharField("名称", max_length=40)
    kind = models.CharField(
        "種類", max_length=20, choices=CounterKind.choices, default=CounterKind.DESK
    )
    is_active = models.BooleanField("使用中", default=True)

    class Meta:
        verbose_name = "窓口"
        constraints = [
            models.UniqueConstraint(fields=["site", "name"], name="counter_name_once_per_site")
        ]

    def __str__(self) -> str:
        return self.name


class Room(models.Model):
    """相談室 — a consultation room of a site."""

    personal_fields = ()

    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, verbose_name="庁舎", related_name="rooms"
    )
    name = models.CharField("名称", max_length=40)
    seats = models.PositiveSmallIntegerField("席数", default=4)
    is_active = models.BooleanField("使用中", default=True)

    class Meta:
        verbose_name = "相談室"
        constraints = [
            models.UniqueConstraint(fields=["site", "name"], name="room_name_once_per_site")
        ]

    def __str__(self) -> str:
        return self.name


class OpeningDay(models.Model):
    """開庁日の例外 — one day on which a site keeps other hours, or none."""

    personal_fields = ()

    site = models.ForeignKey(
        Site, on_delete=models.CASCADE, verbose_name="庁舎", related_name="opening_days"
    )
    on = models.DateField("日")
    opens_at = models.TimeField("開庁", null=True, blank=True)
    closes_at = models.TimeField("閉庁", null=True, blank=True)
    reason = models.CharField("理由", max_length=100)

    class Meta:
        verbose_name = "開庁日の例外"
        constraints = [
            models.UniqueConstraint(fields=["site", "on"], name="opening_day_once"),
            models.CheckConstraint(
                name="opening_day_hours_in_pairs",
                condition=models.Q(opens_at=None, closes_at=None)
                | models.Q(opens_at__lt=models.F("closes_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.site} {self.on}"
