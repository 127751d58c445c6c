from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Self

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
    next_stage = models.CharField(
        "次の段階",
        max_length=20,
        blank=True,
        choices=[(stage.value, rules.STAGE_LABELS[stage]) for stage in rules.Stage],
    )
    next_stage_on = models.DateField("次の段階になる日", null=True, blank=True)
    buffer_before = models.PositiveSmallIntegerField("前の準備（分）", default=0)
    buffer_after = models.PositiveSmallIntegerField("後の片付け（分）", default=0)
    most_people = models.PositiveSmallIntegerField("一緒に来られる人数", default=1)
    minutes_per_person = models.PositiveSmallIntegerField(
        "2人目から1人につき加える時間（分）", default=0
    )
    may_be_combined = models.BooleanField("ほかの手続きと一緒に予約できる", default=False)
    most_per_person = models.PositiveSmallIntegerField(
        "1人が持てる予約の数", null=True, blank=True
    )
    lead_minutes = models.PositiveIntegerField("何分前まで予約できるか", default=60)
    closes_days_before = models.PositiveSmallIntegerField("何開庁日前に締め切るか", default=0)
    closes_at = models.TimeField("締め切りの時刻", default=rules.CLOSE_AT)
    opens_days_before = models.PositiveSmallIntegerField("何日先まで予約できるか", default=90)
    releases_at = models.TimeField("新しい日を出す時刻", default=rules.RELEASE_AT)
    online_share = models.PositiveSmallIntegerField("オンライン予約の枠（％）", default=100)
    booking_share = models.PositiveSmallIntegerField("予約全体の枠（％）", default=100)
    confirm_minutes = models.PositiveSmallIntegerField(
        "メールでの確認を何分以内に求めるか", null=True, blank=True
    )
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
            models.CheckConstraint(
                name="service_next_stage_has_its_day",
                condition=Q(next_stage="", next_stage_on=None)
                | ~Q(next_stage="") & Q(next_stage_on__isnull=False),
            ),
            models.CheckConstraint(
                name="service_shares_are_parts",
                condition=Q(online_share__lte=F("booking_share"), booking_share__lte=100),
            ),
            models.CheckConstraint(
                name="service_confirmation_within_a_day",
                condition=Q(confirm_minutes=None) | Q(confirm_minutes__range=rules.CONFIRM),
            ),
            models.CheckConstraint(
                name="service_receives_somebody",
                condition=Q(most_people__gte=1)
                & (Q(most_per_person=None) | Q(most_per_person__gte=1)),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def cells(self) -> int:
        return Errand((self,)).span.cells

    @property
    def settings(self) -> dict[str, Any]:
        """What decides which places are offered, as a version keeps it."""
        return {name: _as_json(getattr(self, name)) for name in SETTINGS}

    @property
    def is_online(self) -> bool:
        return self.is_active and self.stage == rules.Stage.ONLINE

    @property
    def things_to_bring(self) -> list[str]:
        return [line.strip() for line in self.bring.splitlines() if line.strip()]


SETTINGS = (
    "name",
    "minutes",
    "buffer_before",
    "buffer_after",
    "most_people",
    "minutes_per_person",
    "may_be_combined",
    "most_per_person",
    "stage",
    "lead_minutes",
    "closes_days_before",
    "closes_at",
    "opens_days_before",
    "releases_at",
    "online_share",
    "booking_share",
    "confirm_minutes",
    "is_active",
)


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, time) else value


@dataclass(frozen=True)
class Errand:
    """What somebody comes for in one go: one service or several, alone or with others."""

    services: tuple[Service, ...]
    people: int = 1

    @property
    def main(self) -> Service:
        return self.services[0]

    @property
    def minutes(self) -> int:
        more = (self.people - 1) * self.main.minutes_per_person
        return sum(service.minutes for service in self.services) + more

    @property
    def asked(self) -> str:
        """The part of an address that carries it from page to page; empty for the plain one."""
        parts = [f"&also={service.code}" for service in self.services[1:]]
        return "".join([*parts, f"&people={self.people}" if self.people > 1 else ""])

    @property
    def confirm_minutes(self) -> int | None:
        """Within how many minutes the booking is confirmed by mail; None: it is not asked for."""
        asked = [s.confirm_minutes for s in self.services if s.confirm_minutes is not None]
        return min(asked, default=None)

    @property
    def things_to_bring(self) -> list[str]:
        things = [thing for service in self.services for thing in service.things_to_bring]
        return list(dict.fromkeys(things))

    def __str__(self) -> str:
        people = f"（{self.people}人）" if self.people > 1 else ""
        return "、".join(str(service) for service in self.services) + people

    @property
    def span(self) -> rules.Span:
        return rules.span_for(
            minutes=self.minutes,
            before=max(service.buffer_before for service in self.services),
            after=max(service.buffer_after for service in self.services),
        )


class ServiceVersion(models.Model):
    """
    手続きの版 — how a service was set up from one moment on, and by whom.

    Written with every change, so that one can say later what was offered and why.
    """

    personal_fields = ()

    service = models.ForeignKey(
        Service, on_delete=models.CASCADE, verbose_name="手続き", related_name="versions"
    )
    settings = models.JSONField("設定")
    counters = models.JSONField("受け付ける窓口")
    made_at = models.DateTimeField("登録日時")
    made_by = models.CharField("登録者", max_length=150)

    class Meta:
        verbose_name = "手続きの版"
        ordering = ["-made_at", "-id"]
        indexes = [models.Index(fields=["service", "made_at"], name="service_version_at")]

    def __str__(self) -> str:
        return f"{self.service} {self.made_at:%Y-%m-%d %H:%M}"


class OpeningRuleQuerySet(models.QuerySet["OpeningRule"]):
    def in_force(self) -> Self:
        return self.filter(withdrawn_at=None)

    def in_force_at(self, at: datetime) -> Self:
        """The rules that were in force at a moment, however long ago."""
        return self.filter(Q(withdrawn_at=None) | Q(withdrawn_at__gt=at), made_at__lte=at)


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
    every_weeks = models.PositiveSmallIntegerField("何週ごと", default=1)
    weeks_of_month = models.PositiveSmallIntegerField("第何週", default=0)
    lunch_from = models.TimeField("昼休み（から）", null=True, blank=True)
    lunch_until = models.TimeField("昼休み（まで）", null=True, blank=True)
    is_closure = models.BooleanField("休止（受け付けない）", default=False)
    is_exception = models.BooleanField("例外（ほかの決まりより優先する）", default=False)
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
                name="opening_rule_repeats_one_way",
                condition=Q(every_weeks=1, weeks_of_month__lte=0b111111)
                | Q(every_weeks__range=(2, 52), weeks_of_month=0),
            ),
            models.CheckConstraint(
                name="opening_rule_lunch_in_pairs",
                condition=Q(lunch_from=None, lunch_until=None)
                | Q(lunch_from__lt=F("lunch_until"), is_closure=False),
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
        return f"{self.pattern} {self.opens_at:%H:%M}–{self.closes_at:%H:%M}"

    @property
    def pattern(self) -> str:
        """毎週月火水木金, 隔週火, 第2・最終月"""
        return rules.pattern_words(self.opening)

    @property
    def opening(self) -> rules.Opening:
        lunch = None
        if self.lunch_from is not None and self.lunch_until is not None:
            lunch = (self.lunch_from, self.lunch_until)
        return rules.Opening(
            weekdays=self.weekdays,
            opens=self.opens_at,
            closes=self.closes_at,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            is_closure=self.is_closure,
            service=self.service_id,
            every_weeks=self.every_weeks,
            weeks_of_month=self.weeks_of_month,
            lunch=lunch,
            is_exception=self.is_exception,
            rule=self.pk or 0,
        )


class CounterDay(models.Model):
    """
    窓口の一日 — where one counter is open and where it is taken on one day, as two bit masks.

    `open` follows the opening rules and the site's hours; `busy` follows the appointments, and
    only `actions.claim` and `actions.free` change it. `online` is the part of `busy` that was
    booked online. See `rules` for the grid.
    """

    personal_fields = ()

    day = models.DateField("日")
    counter = models.ForeignKey(
        Counter, on_delete=models.PROTECT, verbose_name="窓口", related_name="days"
    )
    open = models.BigIntegerField("受付時間", default=0)
    busy = models.BigIntegerField("予約済み", default=0)
    online = models.BigIntegerField("うちオンライン", default=0)
    free = models.GeneratedField(
        verbose_name="空き",
        expression=F("open").bitand(F("busy").bitxor(rules.WHOLE_DAY)),  # type: ignore[arg-type]
        output_field=models.BigIntegerField(),
        db_persist=True,
    )

    class Meta:
        verbose_name = "窓口の一日"
        indexes = [
            # Whoever seeks the earliest place reads no day of a counter that is full.
            models.Index(
                name="counter_day_with_free_cells",
                fields=["counter", "day"],
                condition=Q(free__gt=0),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["day", "counter"], name="counter_day_once"),
            models.CheckConstraint(
                name="counter_day_within_the_grid",
                condition=Q(open__gte=0, open__lte=rules.WHOLE_DAY)
                & Q(busy__gte=0, busy__lte=rules.WHOLE_DAY)
                & Q(online__gte=0, online__lte=F("busy")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.counter} {self.day}"


class WaitingQuerySet(models.QuerySet["Waiting"]):
    def open(self) -> Self:
        return self.filter(status__in=[s.value for s in (_WAITING, _OFFERED)])


_WAITING, _OFFERED = rules.WaitingStatus.WAITING, rules.WaitingStatus.OFFERED


class Waiting(models.Model):
    """キャンセル待ち — somebody who wants a place on a full day, in the order of joining."""

    personal_fields = ("name", "kana", "phone", "email")

    token = models.CharField("鍵", max_length=64, unique=True)
    service = models.ForeignKey(
        Service,
        on_delete=models.PROTECT,
        verbose_name="手続き・相談メニュー",
        related_name="waiting",
    )
    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, verbose_name="庁舎", related_name="waiting"
    )
    day = models.DateField("日", db_index=True)
    people = models.PositiveSmallIntegerField("人数", default=1)
    name = models.CharField("お名前", max_length=120)
    kana = models.CharField("ふりがな", max_length=120, blank=True)
    phone = models.CharField("電話番号", max_length=20, blank=True)
    email = models.EmailField("メールアドレス", blank=True)
    status = models.CharField(
        "状態",
        max_length=20,
        choices=[(s.value, rules.WAITING_LABELS[s]) for s in rules.WaitingStatus],
        default=_WAITING.value,
    )
    joined_at = models.DateTimeField("申込日時")

    objects = WaitingQuerySet.as_manager()

    class Meta:
        verbose_name = "キャンセル待ち"
        ordering = ["day", "joined_at", "id"]
        constraints = [
            models.CheckConstraint(
                name="waiting_can_be_reached", condition=~Q(phone="") | ~Q(email="")
            ),
        ]

    def __str__(self) -> str:
        return f"キャンセル待ち {self.pk}"

    @property
    def address(self) -> str:
        """The page on which whoever has the link takes or declines what is offered."""
        return reverse("booking:waiting", args=[self.token])

    @property
    def errand(self) -> Errand:
        return Errand((self.service,), self.people)

    @property
    def is_open(self) -> bool:
        return self.status in (_WAITING, _OFFERED)

    @property
    def is_offered(self) -> bool:
        return self.status == _OFFERED


def _when(start: datetime) -> str:
    """令和8年12月1日（火） 9:00"""
    local = start.astimezone(rules.JST)
    return f"{dates.wareki(local.date(), weekday=True)} {local.hour}:{local:%M}"


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
    kind = models.CharField(
        "理由",
        max_length=20,
        choices=[(kind.value, rules.HOLD_LABELS[kind]) for kind in rules.HoldKind],
        default=rules.HoldKind.FORM.value,
    )
    waiting = models.OneToOneField(
        Waiting,
        on_delete=models.PROTECT,
        verbose_name="キャンセル待ち",
        related_name="hold",
        null=True,
        blank=True,
    )
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
    asked = models.CharField("一緒に済ませる手続きと人数", max_length=500, blank=True)
    cells = models.PositiveSmallIntegerField("15分のます目の数")
    cells_before = models.PositiveSmallIntegerField("前の準備のます目の数", default=0)
    is_online = models.BooleanField("オンライン", default=False)
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
            models.CheckConstraint(
                name="hold_offered_to_somebody",
                condition=Q(kind=rules.HoldKind.OFFER.value, waiting__isnull=False)
                | ~Q(kind=rules.HoldKind.OFFER.value) & Q(waiting=None),
            ),
        ]

    def __str__(self) -> str:
        return f"仮押さえ {self.pk}"

    @property
    def day(self) -> date:
        return self.start.astimezone(rules.JST).date()

    @property
    def mask(self) -> int:
        span = rules.Span(cells=self.cells, before=self.cells_before)
        return span.at(rules.cell_of(self.start))

    def is_for(self, errand: Errand) -> bool:
        """Say whether its cells are those the errand takes; a service may have grown longer."""
        mine = (self.service_id, self.asked, self.cells, self.cells_before)
        span = errand.span
        return mine == (errand.main.pk, errand.asked, span.cells, span.before)

    @property
    def when(self) -> str:
        return _when(self.start)


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def occupying(self) -> Self:
        return self.exclude(status__in=[status.value for status in rules.FREE_AGAIN])

    def on_day(self, day: date) -> Self:
        first = rules.start_of(day, 0)
        return self.filter(start__gte=first, start__lt=first + timedelta(days=1))

    def unconfirmed(self, *, at: datetime) -> Self:
        """Whose confirmation by mail did not come in time."""
        return self.filter(status=rules.AppointmentStatus.PENDING, confirm_until__lte=at)

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
    minutes = models.PositiveSmallIntegerField("所要時間（分）", null=True, blank=True)
    cells = models.PositiveSmallIntegerField("15分のます目の数")
    cells_before = models.PositiveSmallIntegerField("前の準備のます目の数", default=0)
    also = models.ManyToManyField(
        Service, verbose_name="一緒に済ませる手続き", related_name="also_in", blank=True
    )
    people = models.PositiveSmallIntegerField("人数", default=1)
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
    confirm_until = models.DateTimeField("メールでの確認の期限", null=True, blank=True)
    cancelled_at = models.DateTimeField("取消日時", null=True, blank=True)
    reminded_of = models.DateTimeField("前日のお知らせをした日時", null=True, blank=True)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        verbose_name = "予約"
        constraints = [
            models.CheckConstraint(
                name="appointment_within_the_grid",
                condition=Q(cells__gte=1, cells__lte=rules.MOST_CELLS, people__gte=1)
                & Q(cells_before__lte=rules.MOST_CELLS),
            ),
            models.CheckConstraint(
                name="appointment_cancelled_has_when",
                condition=Q(status=rules.AppointmentStatus.CANCELLED.value)
                & Q(cancelled_at__isnull=False)
                | ~Q(status=rules.AppointmentStatus.CANCELLED.value) & Q(cancelled_at=None),
            ),
            models.CheckConstraint(
                name="appointment_pending_until_when",
                condition=~Q(status=rules.AppointmentStatus.PENDING.value)
                | Q(confirm_until__isnull=False) & ~Q(email=""),
            ),
            models.UniqueConstraint(
                fields=["counter", "start"],
                condition=~Q(status=rules.AppointmentStatus.CANCELLED.value),
                name="appointment_one_per_start",
            ),
        ]
        indexes = [
            models.Index(
                fields=["confirm_until"],
                condition=Q(status=rules.AppointmentStatus.PENDING.value),
                name="appointment_unconfirmed",
            )
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
        return self.start + timedelta(minutes=self.minutes or self.service.minutes)

    @property
    def errand(self) -> Errand:
        """What it was booked for, with the lengths of today."""
        return Errand((self.service, *self.also.all()), self.people)

    @property
    def span(self) -> rules.Span:
        return rules.Span(cells=self.cells, before=self.cells_before)

    @property
    def mask(self) -> int:
        return self.span.at(rules.cell_of(self.start))

    @property
    def shown_number(self) -> str:
        return rules.show_number(self.number)

    @property
    def when(self) -> str:
        return _when(self.start)

    @property
    def address(self) -> str:
        """The page on which whoever has the link sees, changes and cancels it."""
        return reverse("booking:appointment", args=[self.token])

    @property
    def is_changeable(self) -> bool:
        return self.status == rules.AppointmentStatus.BOOKED

    @property
    def is_pending(self) -> bool:
        return self.status == rules.AppointmentStatus.PENDING

    @property
    def contact(self) -> ShownContact:
        """What staff pages may show: masked while the display of whose it is is restricted."""
        if self.resident is not None and self.resident.is_restricted:
            return masked()
        return ShownContact(phone=self.phone, email=self.email, address="", is_masked=False)


class AppointmentPlace(models.Model):
    """
    予約枠の記録 — where an appointment stood, from one moment to another; a new row per move.

    It tells what was taken at any past moment, and whom the office moved and has still to
    tell (お知らせ).
    """

    personal_fields = ()

    appointment = models.ForeignKey(
        Appointment, on_delete=models.CASCADE, verbose_name="予約", related_name="places"
    )
    counter = models.ForeignKey(
        Counter, on_delete=models.PROTECT, verbose_name="窓口", related_name="+"
    )
    day = models.DateField("日")
    mask = models.BigIntegerField("ます目")
    is_online = models.BooleanField("オンライン予約")
    taken_at = models.DateTimeField("取った日時")
    left_at = models.DateTimeField("離れた日時", null=True, blank=True)
    is_moved_by_office = models.BooleanField("市の都合による変更", default=False)
    told_at = models.DateTimeField("お知らせした日時", null=True, blank=True)

    class Meta:
        verbose_name = "予約枠の記録"
        indexes = [models.Index(fields=["counter", "day"], name="appointment_place_day")]
        constraints = [
            models.UniqueConstraint(
                fields=["appointment"],
                condition=Q(left_at=None),
                name="appointment_stands_in_one_place",
            )
        ]

    def __str__(self) -> str:
        return f"{self.appointment} {self.day}"


class CounterFeed(models.Model):
    """
    窓口のカレンダー — a link with which a calendar program follows the bookings of a counter.

    It tells times and services, never who comes. Whoever has the link may read it, so it is a
    secret that is withdrawn and made anew.
    """

    personal_fields = ()

    counter = models.ForeignKey(
        Counter, on_delete=models.CASCADE, verbose_name="窓口", related_name="feeds"
    )
    token = models.CharField("鍵", max_length=64, unique=True)
    made_at = models.DateTimeField("作成日時")
    made_by = models.CharField("作成者", max_length=150)
    withdrawn_at = models.DateTimeField("取り消した日時", null=True, blank=True)

    class Meta:
        verbose_name = "窓口のカレンダー"
        constraints = [
            models.UniqueConstraint(
                fields=["counter"],
                condition=Q(withdrawn_at=None),
                name="counter_feed_one_in_force",
            )
        ]

    def __str__(self) -> str:
        return f"{self.counter} カレンダー"

    @property
    def address(self) -> str:
        return reverse("booking:counter_calendar", args=[self.token])
