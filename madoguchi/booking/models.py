from datetime import date, datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from madoguchi.booking import rules
from madoguchi.foundation import dates
from madoguchi.offices.models import Counter, Division, Site
from madoguchi.residents.models import Resident
from madoguchi.residents.rules import ShownContact, masked


class ServiceQuerySet(models.QuerySet["Service"]):
    def shown(self) -> Self:
        return self.filter(is_active=True)

    def bookable_online(self) -> Self:
        return self.shown().filter(stage=rules.Stage.ONLINE.value)


class Service(models.Model):
    """手続き・相談メニュー — what people come for, how long it takes and what to bring."""

    personal_fields = ()

    code = models.SlugField("コード", max_length=40, unique=True)
    name = models.CharField("名称", max_length=80, unique=True)
    kana = models.CharField("ふりがな", max_length=160, blank=True)
    keywords = models.CharField("検索のことば", max_length=400, blank=True)
    category = models.CharField("分類", max_length=40, blank=True)
    summary = models.CharField("説明", max_length=400, blank=True)
    minutes = models.PositiveSmallIntegerField("所要時間（分）", default=30)
    division = models.ForeignKey(
        Division, on_delete=models.PROTECT, verbose_name="担当課", related_name="services"
    )
    counters = models.ManyToManyField(
        Counter, verbose_name="受け付ける窓口", related_name="services", blank=True
    )
    bring = models.TextField("持ち物", blank=True)
    stage = models.CharField(
        "導入の段階",
        max_length=20,
        choices=[(stage.value, rules.STAGE_LABELS[stage]) for stage in rules.Stage],
        default=rules.Stage.ONLINE.value,
    )
    lead_minutes = models.PositiveIntegerField("何分前まで予約できるか", default=60)
    opens_days_before = models.PositiveSmallIntegerField("何日先まで予約できるか", default=90)
    is_active = models.BooleanField("使用中", default=True)
    order = models.PositiveSmallIntegerField("並び順", default=100)

    objects = ServiceQuerySet.as_manager()

    class Meta:
        verbose_name = "手続き・相談メニュー"
        ordering = ["order", "kana", "id"]
        constraints = [
            models.CheckConstraint(
                name="service_fits_a_day", condition=Q(minutes__gte=5, minutes__lte=480)
            ),
            models.CheckConstraint(
                name="service_opens_within_the_horizon",
                condition=Q(opens_days_before__lte=rules.MAX_OPENS_DAYS),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def cells(self) -> int:
        return rules.cells_for(self.minutes)

    @property
    def is_online(self) -> bool:
        return self.is_active and self.stage == rules.Stage.ONLINE

    @property
    def things_to_bring(self) -> list[str]:
        return [line.strip() for line in self.bring.splitlines() if line.strip()]


class OpeningRuleQuerySet(models.QuerySet["OpeningRule"]):
    def in_force(self) -> Self:
        return self.filter(withdrawn_at=None)


class OpeningRule(models.Model):
    """
    受付時間の決まり — when a counter takes bookings, for every service of it or for one.

    A rule is never edited: it is withdrawn, and another one put in its place, so that one can
    still say what was bookable on a past day and why.
    """

    personal_fields = ()

    counter = models.ForeignKey(
        Counter, on_delete=models.PROTECT, verbose_name="窓口", related_name="opening_rules"
    )
    service = models.ForeignKey(
        Service,
        on_delete=models.PROTECT,
        verbose_name="手続き（空欄はすべて）",
        related_name="opening_rules",
        null=True,
        blank=True,
    )
    weekdays = models.PositiveSmallIntegerField("曜日", default=0b0011111)
    opens_at = models.TimeField("から")
    closes_at = models.TimeField("まで")
    valid_from = models.DateField("適用開始日")
    valid_until = models.DateField("適用終了日", null=True, blank=True)
    is_closure = models.BooleanField("休止（受け付けない）", default=False)
    note = models.CharField("備考", max_length=100, blank=True)
    made_at = models.DateTimeField("登録日時")
    made_by = models.CharField("登録者", max_length=150)
    withdrawn_at = models.DateTimeField("取り下げ日時", null=True, blank=True)
    withdrawn_by = models.CharField("取り下げた人", max_length=150, blank=True)

    objects = OpeningRuleQuerySet.as_manager()

    class Meta:
        verbose_name = "受付時間の決まり"
        ordering = ["counter", "-is_closure", "opens_at", "id"]
        constraints = [
            models.CheckConstraint(
                name="opening_rule_opens_before_it_closes",
                condition=Q(opens_at__lt=F("closes_at")),
            ),
            models.CheckConstraint(
                name="opening_rule_has_a_weekday",
                condition=Q(weekdays__gte=1, weekdays__lte=0b1111111),
            ),
            models.CheckConstraint(
                name="opening_rule_ends_after_it_begins",
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
            ),
            models.CheckConstraint(
                name="opening_rule_withdrawn_by_somebody",
                condition=Q(withdrawn_at=None, withdrawn_by="")
                | (Q(withdrawn_at__isnull=False) & ~Q(withdrawn_by="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.weekday_names} {self.opens_at:%H:%M}–{self.closes_at:%H:%M}"

    @property
    def weekday_names(self) -> str:
        return "".join(name for i, name in enumerate("月火水木金土日") if self.weekdays >> i & 1)

    @property
    def opening(self) -> rules.Opening:
        return rules.Opening(
            weekdays=self.weekdays,
            opens=self.opens_at,
            closes=self.closes_at,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            is_closure=self.is_closure,
            service=self.service_id,
        )


class CounterDay(models.Model):
    """
    窓口の一日 — where one counter is open and where it is taken on one day, as two bit masks.

    `open` follows the opening rules and the site's hours; `busy` follows the appointments, and
    only `actions.claim` and `actions.free` change it. See `rules` for the grid.
    """

    personal_fields = ()

    day = models.DateField("日")
    counter = models.ForeignKey(
        Counter, on_delete=models.PROTECT, verbose_name="窓口", related_name="days"
    )
    open = models.BigIntegerField("受付時間", default=0)
    busy = models.BigIntegerField("予約済み", default=0)

    class Meta:
        verbose_name = "窓口の一日"
        constraints = [
            models.UniqueConstraint(fields=["day", "counter"], name="counter_day_once"),
            models.CheckConstraint(
                name="counter_day_within_the_grid",
                condition=Q(open__gte=0, open__lte=rules.WHOLE_DAY)
                & Q(busy__gte=0, busy__lte=rules.WHOLE_DAY),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.counter} {self.day}"


class HoldQuerySet(models.QuerySet["Hold"]):
    def lapsed(self, *, at: datetime) -> Self:
        return self.filter(until__lte=at)


class Hold(models.Model):
    """
    仮押さえ — a place kept until a moment, for whoever has its token.

    It sets the same busy bits as an appointment. Whoever deletes the row owns the bits: the
    booking that takes it over, or the sweep that gives them back, never both.
    """

    personal_fields = ()

    token = models.CharField("鍵", max_length=64, unique=True)
    service = models.ForeignKey(
        Service,
        on_delete=models.PROTECT,
        verbose_name="手続き・相談メニュー",
        related_name="holds",
    )
    counter = models.ForeignKey(
        Counter, on_delete=models.PROTECT, verbose_name="窓口", related_name="holds"
    )
    start = models.DateTimeField("日時")
    cells = models.PositiveSmallIntegerField("15分のます目の数")
    made_at = models.DateTimeField("押さえた日時")
    until = models.DateTimeField("いつまで", db_index=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        verbose_name = "仮押さえ"
        constraints = [
            models.CheckConstraint(
                name="hold_within_the_grid", condition=Q(cells__gte=1, cells__lte=32)
            ),
            models.CheckConstraint(
                name="hold_ends_after_it_begins", condition=Q(until__gt=F("made_at"))
            ),
            models.UniqueConstraint(fields=["counter", "start"], name="hold_one_per_start"),
        ]

    def __str__(self) -> str:
        return f"仮押さえ {self.pk}"

    @property
    def day(self) -> date:
        return self.start.astimezone(rules.JST).date()

    @property
    def mask(self) -> int:
        return rules.run_mask(rules.cell_of(self.start), self.cells)


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def occupying(self) -> Self:
        return self.exclude(status__in=[status.value for status in rules.FREE_AGAIN])

    def on_day(self, day: date) -> Self:
        first = rules.start_of(day, 0)
        return self.filter(start__gte=first, start__lt=first + timedelta(days=1))

    def to_remind(self, *, day: date) -> Self:
        """Who comes that day, booked before the day before, and was not reminded of this start."""
        coming = self.on_day(day).filter(status=rules.AppointmentStatus.BOOKED).exclude(email="")
        early = coming.filter(booked_at__lt=rules.start_of(day - timedelta(days=1), 0))
        return early.exclude(reminded_of=F("start"))

    def expected(self, *, site: Site, day: date) -> Self:
        """Who booked for the day and has not come yet, in booked order."""
        booked = self.on_day(day).filter(counter__site=site, status=rules.AppointmentStatus.BOOKED)
        return booked.select_related("service", "counter").order_by("start", "id")


class Appointment(models.Model):
    """
    予約 — a place kept for somebody at one counter from one moment on.

    The partial uniqueness is a second lock behind the masks: two people never hold the same
    start at the same counter.
    """

    personal_fields = ("name", "kana", "phone", "email")

    number = models.CharField("予約番号", max_length=rules.CODE_LENGTH, unique=True)
    token = models.CharField("鍵", max_length=64, unique=True)
    key = models.CharField("送信の鍵", max_length=120, unique=True, null=True, blank=True)
    fingerprint = models.CharField("送信内容の要約値", max_length=64, blank=True)
    service = models.ForeignKey(
        Service,
        on_delete=models.PROTECT,
        verbose_name="手続き・相談メニュー",
        related_name="appointments",
    )
    counter = models.ForeignKey(
        Counter, on_delete=models.PROTECT, verbose_name="窓口", related_name="appointments"
    )
    start = models.DateTimeField("予約日時", db_index=True)
    cells = models.PositiveSmallIntegerField("15分のます目の数")
    status = models.CharField(
        "状態",
        max_length=20,
        choices=[(s.value, rules.APPOINTMENT_LABELS[s]) for s in rules.AppointmentStatus],
        default=rules.AppointmentStatus.BOOKED.value,
    )
    source = models.CharField(
        "予約の方法",
        max_length=20,
        choices=[(source.value, rules.SOURCE_LABELS[source]) for source in rules.Source],
    )
    name = models.CharField("お名前", max_length=120)
    kana = models.CharField("ふりがな", max_length=120, blank=True)
    phone = models.CharField("電話番号", max_length=20, blank=True)
    email = models.EmailField("メールアドレス", blank=True)
    resident = models.ForeignKey(
        Resident,
        on_delete=models.PROTECT,
        verbose_name="相談者",
        related_name="appointments",
        null=True,
        blank=True,
    )
    booked_at = models.DateTimeField("受付日時")
    cancelled_at = models.DateTimeField("取消日時", null=True, blank=True)
    reminded_of = models.DateTimeField("前日のお知らせをした日時", null=True, blank=True)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        verbose_name = "予約"
        constraints = [
            models.CheckConstraint(
                name="appointment_within_the_grid", condition=Q(cells__gte=1, cells__lte=32)
            ),
            models.CheckConstraint(
                name="appointment_cancelled_has_when",
                condition=Q(status=rules.AppointmentStatus.CANCELLED.value)
                & Q(cancelled_at__isnull=False)
                | ~Q(status=rules.AppointmentStatus.CANCELLED.value) & Q(cancelled_at=None),
            ),
            models.UniqueConstraint(
                fields=["counter", "start"],
                condition=~Q(status=rules.AppointmentStatus.CANCELLED.value),
                name="appointment_one_per_start",
            ),
        ]

    def __str__(self) -> str:
        return f"予約 {self.shown_number}"

    @property
    def site(self) -> Site:
        return self.counter.site

    @property
    def day(self) -> date:
        return self.start.astimezone(rules.JST).date()

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.service.minutes)

    @property
    def mask(self) -> int:
        return rules.run_mask(rules.cell_of(self.start), self.cells)

    @property
    def shown_number(self) -> str:
        return rules.show_number(self.number)

    @property
    def when(self) -> str:
        """令和8年12月1日（火） 9:00"""
        local = self.start.astimezone(rules.JST)
        return f"{dates.wareki(local.date(), weekday=True)} {local.hour}:{local:%M}"

    @property
    def address(self) -> str:
        """The page on which whoever has the link sees, changes and cancels it."""
        return reverse("booking:appointment", args=[self.token])

    @property
    def is_changeable(self) -> bool:
        return self.status == rules.AppointmentStatus.BOOKED

    @property
    def contact(self) -> ShownContact:
        """What staff pages may show: masked while the display of whose it is is restricted."""
        if self.resident is not None and self.resident.is_restricted:
            return masked()
        return ShownContact(phone=self.phone, email=self.email, address="", is_masked=False)
