from datetime import date
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from madoguchi.offices.models import Division, Site
from madoguchi.rota.rules import duties, steps


class Skill(models.Model):
    """当番の役割 — what a place on duty asks for (職員, 市民相談員, 消費生活相談員)."""

    personal_fields = ()

    name = models.CharField("名称", max_length=30, unique=True)
    position = models.PositiveSmallIntegerField("並び順", default=0)

    class Meta:
        verbose_name = "当番の役割"
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name


class Need(models.Model):
    """必要人数 — how many people of a skill a site needs in a shift of a kind of day."""

    personal_fields = ()

    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, verbose_name="庁舎", related_name="needs"
    )
    day_kind = models.CharField(
        "日の種類",
        max_length=10,
        choices=[(kind.value, duties.DAY_KIND_LABELS[kind]) for kind in duties.DayKind],
    )
    shift = models.CharField(
        "時間帯",
        max_length=10,
        choices=[(shift.value, duties.SHIFT_LABELS[shift]) for shift in duties.Shift],
        default=duties.Shift.DAY.value,
    )
    skill = models.ForeignKey(Skill, on_delete=models.PROTECT, verbose_name="役割")
    count = models.PositiveSmallIntegerField("人数", validators=[MaxValueValidator(20)])

    class Meta:
        verbose_name = "必要人数"
        constraints = [
            models.UniqueConstraint(
                fields=["site", "day_kind", "shift", "skill"], name="need_once_per_shift"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_day_kind_display()} {self.skill} {self.count}"


class MemberQuerySet(models.QuerySet["Member"]):
    def serving(self, *, first: date, last: date) -> Self:
        """Keep who belongs to the rota on at least one of the days."""
        return self.filter(
            Q(joins_on=None) | Q(joins_on__lte=last),
            Q(leaves_on=None) | Q(leaves_on__gte=first),
            user__is_active=True,
        )


class Member(models.Model):
    """当番員 — a member of staff who takes duties at a site, and on which days."""

    personal_fields = ()

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="職員",
        related_name="rota_member",
    )
    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, verbose_name="庁舎", related_name="rota_members"
    )
    skills = models.ManyToManyField(Skill, verbose_name="役割", related_name="members")
    serves_weekdays = models.BooleanField("平日の当番に入る", default=True)
    serves_closed_days = models.BooleanField("閉庁日の当番に入る", default=True)
    weekdays = models.CharField(
        "出られる曜日（平日）", max_length=5, default="月火水木金", blank=True
    )
    share = models.PositiveSmallIntegerField(
        "分担の割合",
        default=100,
        validators=[MinValueValidator(10), MaxValueValidator(100)],
    )
    joins_on = models.DateField("当番に入る日", null=True, blank=True)
    leaves_on = models.DateField("当番の最後の日", null=True, blank=True)

    objects = MemberQuerySet.as_manager()

    class Meta:
        verbose_name = "当番員"
        constraints = [
            models.CheckConstraint(
                name="member_share_is_a_percentage", condition=Q(share__range=(10, 100))
            ),
            models.CheckConstraint(
                name="member_joins_before_leaving",
                condition=Q(joins_on=None) | Q(leaves_on=None) | Q(joins_on__lte=F("leaves_on")),
            ),
        ]

    def __str__(self) -> str:
        return self.user.name


class TurnOrder(models.Model):
    """持ち回りの順 — a division's place in the order in which divisions staff closed days."""

    personal_fields = ()

    site = models.ForeignKey(
        Site, on_delete=models.CASCADE, verbose_name="庁舎", related_name="turn_order"
    )
    division = models.ForeignKey(Division, on_delete=models.PROTECT, verbose_name="部署")
    position = models.PositiveSmallIntegerField("順番")

    class Meta:
        verbose_name = "持ち回りの順"
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["site", "division"], name="turn_order_division_once")
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.division}"


class Leave(models.Model):
    """当番に入れない期間 — leave, a business trip or a course of a member of the rota."""

    personal_fields = ("kind",)

    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, verbose_name="当番員", related_name="leaves"
    )
    first = models.DateField("最初の日")
    last = models.DateField("最後の日")
    kind = models.CharField(
        "理由",
        max_length=10,
        choices=[(kind.value, steps.LEAVE_LABELS[kind]) for kind in steps.Leave],
        default=steps.Leave.HOLIDAY.value,
    )

    class Meta:
        verbose_name = "当番に入れない期間"
        ordering = ["first"]
        constraints = [
            models.CheckConstraint(
                name="leave_begins_before_it_ends", condition=Q(first__lte=F("last"))
            )
        ]

    def __str__(self) -> str:
        return f"{self.first}〜{self.last}"


class Wish(models.Model):
    """当番の希望 — a day a member would rather have off, or rather be on duty."""

    personal_fields = ()

    member = models.ForeignKey(
        Member, on_delete=models.CASCADE, verbose_name="当番員", related_name="wishes"
    )
    on = models.DateField("日")
    kind = models.CharField(
        "希望",
        max_length=10,
        choices=[(kind.value, steps.WISH_LABELS[kind]) for kind in steps.Wish],
    )

    class Meta:
        verbose_name = "当番の希望"
        ordering = ["on"]
        constraints = [models.UniqueConstraint(fields=["member", "on"], name="wish_once_a_day")]

    def __str__(self) -> str:
        return f"{self.on} {self.get_kind_display()}"


class Rota(models.Model):
    """当番表 — the duties of a site over a period, first as a draft, then published."""

    personal_fields = ()

    site = models.ForeignKey(
        Site, on_delete=models.PROTECT, verbose_name="庁舎", related_name="rotas"
    )
    first = models.DateField("最初の日")
    last = models.DateField("最後の日")
    status = models.CharField(
        "状態",
        max_length=10,
        choices=[(status.value, steps.STATUS_LABELS[status]) for status in steps.Status],
        default=steps.Status.DRAFT.value,
    )
    most_in_row = models.PositiveSmallIntegerField(
        "連続勤務の上限（日）",
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(duties.MOST_IN_ROW)],
    )
    closed_gap = models.PositiveSmallIntegerField(
        "閉庁日の当番のあと、次の閉庁日の当番まであける日数",
        default=1,
        validators=[MaxValueValidator(14)],
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="作成者",
        related_name="+",
    )
    made_at = models.DateTimeField("作成日時")
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="公開者",
        related_name="+",
        null=True,
    )
    published_at = models.DateTimeField("公開日時", null=True)

    class Meta:
        verbose_name = "当番表"
        ordering = ["-first", "-id"]
        constraints = [
            models.CheckConstraint(
                name="rota_begins_before_it_ends", condition=Q(first__lte=F("last"))
            ),
            models.CheckConstraint(
                name="rota_rest_every_week",
                condition=Q(most_in_row__range=(1, duties.MOST_IN_ROW)),
            ),
            models.CheckConstraint(
                name="rota_published_has_when_and_who",
                condition=Q(
                    status=steps.Status.PUBLISHED.value,
                    published_at__isnull=False,
                    published_by__isnull=False,
                )
                | Q(status=steps.Status.DRAFT.value, published_at=None, published_by=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.site} {self.first}〜{self.last}"


class Turn(models.Model):
    """持ち回りの当番課 — the division whose turn a closed day of a rota is."""

    personal_fields = ()

    rota = models.ForeignKey(
        Rota, on_delete=models.CASCADE, verbose_name="当番表", related_name="turns"
    )
    on = models.DateField("日")
    division = models.ForeignKey(Division, on_delete=models.PROTECT, verbose_name="部署")

    class Meta:
        verbose_name = "持ち回りの当番課"
        ordering = ["on"]
        constraints = [models.UniqueConstraint(fields=["rota", "on"], name="turn_once_a_day")]

    def __str__(self) -> str:
        return f"{self.on} {self.division}"


class DutyQuerySet(models.QuerySet["Duty"]):
    def published(self) -> Self:
        return self.filter(rota__status=steps.Status.PUBLISHED.value)

    def empty(self) -> Self:
        return self.filter(member=None)


class Duty(models.Model):
    """当番 — one place on one day, and who stands in it; nobody means that it is empty."""

    personal_fields = ()

    rota = models.ForeignKey(
        Rota, on_delete=models.CASCADE, verbose_name="当番表", related_name="duties"
    )
    on = models.DateField("日", db_index=True)
    shift = models.CharField(
        "時間帯",
        max_length=10,
        choices=[(shift.value, duties.SHIFT_LABELS[shift]) for shift in duties.Shift],
        default=duties.Shift.DAY.value,
    )
    skill = models.ForeignKey(Skill, on_delete=models.PROTECT, verbose_name="役割")
    seat = models.PositiveSmallIntegerField("席", default=1)
    member = models.ForeignKey(
        Member,
        on_delete=models.PROTECT,
        verbose_name="当番員",
        related_name="duties",
        null=True,
    )
    is_fixed = models.BooleanField("手で決めた", default=False)

    objects = DutyQuerySet.as_manager()

    class Meta:
        verbose_name = "当番"
        ordering = ["on", "shift", "skill__position", "skill", "seat"]
        constraints = [
            models.UniqueConstraint(
                fields=["rota", "on", "shift", "skill", "seat"], name="duty_place_once"
            ),
            models.UniqueConstraint(
                fields=["rota", "on", "member"], name="duty_person_once_a_day"
            ),
            models.CheckConstraint(
                name="duty_fixed_has_somebody",
                condition=Q(is_fixed=False) | Q(member__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.on} {self.skill}"


class PlanRun(models.Model):
    """当番の自動作成 — one run of the planner on a rota: how far it is, and what it proved."""

    personal_fields = ()

    rota = models.ForeignKey(
        Rota, on_delete=models.CASCADE, verbose_name="当番表", related_name="runs"
    )
    status = models.CharField(
        "状態",
        max_length=10,
        choices=[(run.value, steps.RUN_LABELS[run]) for run in steps.Run],
        default=steps.Run.WAITING.value,
    )
    changes_from = models.DateField("組み直す最初の日", null=True)  # null: the whole draft anew
    seed = models.PositiveIntegerField("乱数の種", default=1)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, verbose_name="実行者", related_name="+"
    )
    asked_at = models.DateTimeField("受付日時")
    heard_at = models.DateTimeField("最後の知らせ")
    stage = models.CharField("段階", max_length=10, default="start")
    seconds = models.FloatField("秒数", default=0)
    holes = models.PositiveIntegerField("空き", null=True)
    holes_bound = models.PositiveIntegerField("空きの下限", null=True)
    changes = models.PositiveIntegerField("変更した当番", null=True)
    changes_bound = models.PositiveIntegerField("変更の下限", null=True)
    price = models.PositiveIntegerField("点数", null=True)
    bound = models.PositiveIntegerField("点数の下限", null=True)
    proposal = models.JSONField("変更の案", default=list)  # [{duty, was, then}], members' keys
    failure = models.CharField("中断の理由", max_length=200, blank=True)

    class Meta:
        verbose_name = "当番の自動作成"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["rota"],
                name="plan_run_one_at_a_time",
                condition=Q(status__in=[steps.Run.WAITING.value, steps.Run.RUNNING.value]),
            ),
            models.CheckConstraint(
                name="plan_run_done_has_its_proof",
                condition=~Q(status=steps.Run.DONE.value)
                | Q(price__isnull=False, bound__isnull=False, holes__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rota} {self.get_status_display()}"

    @property
    def is_open(self) -> bool:
        return self.status in (steps.Run.WAITING.value, steps.Run.RUNNING.value)

    @property
    def is_proven(self) -> bool:
        return (self.holes, self.changes, self.price) == (
            self.holes_bound,
            self.changes_bound,
            self.bound,
        )

    @property
    def gap(self) -> float:
        """How far from the best the result may be at worst, in percent of its price."""
        if not self.price or self.bound is None:
            return 0.0
        return 100 * (self.price - self.bound) / self.price


class SwapRequest(models.Model):
    """交代の申し出 — a member asks a colleague to take a duty, perhaps for one of theirs."""

    personal_fields = ("reason",)

    duty = models.ForeignKey(
        Duty, on_delete=models.CASCADE, verbose_name="当番", related_name="swaps"
    )
    asker = models.ForeignKey(
        Member, on_delete=models.PROTECT, verbose_name="申し出た人", related_name="swaps_asked"
    )
    colleague = models.ForeignKey(
        Member, on_delete=models.PROTECT, verbose_name="代わる人", related_name="swaps_offered"
    )
    in_return = models.ForeignKey(
        Duty,
        on_delete=models.CASCADE,
        verbose_name="引き受ける当番",
        related_name="+",
        null=True,
    )
    reason = models.CharField("理由", max_length=200, blank=True)
    status = models.CharField(
        "状態",
        max_length=10,
        choices=[(swap.value, steps.SWAP_LABELS[swap]) for swap in steps.Swap],
        default=steps.Swap.ASKED.value,
    )
    asked_at = models.DateTimeField("申し出日時")
    answered_at = models.DateTimeField("返事の日時", null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="承認者",
        related_name="+",
        null=True,
    )
    decided_at = models.DateTimeField("承認日時", null=True)

    class Meta:
        verbose_name = "交代の申し出"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["duty"],
                name="swap_one_open_per_duty",
                condition=Q(status__in=[swap.value for swap in steps.SWAP_OPEN]),
            ),
            models.CheckConstraint(
                name="swap_with_somebody_else", condition=~Q(asker=F("colleague"))
            ),
            models.CheckConstraint(
                name="swap_decided_has_when_and_who",
                condition=Q(
                    status__in=[steps.Swap.APPROVED.value, steps.Swap.REFUSED.value],
                    decided_at__isnull=False,
                    decided_by__isnull=False,
                )
                | ~Q(status__in=[steps.Swap.APPROVED.value, steps.Swap.REFUSED.value]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.duty} {self.get_status_display()}"


class AbsenceQuerySet(models.QuerySet["Absence"]):
    def on(self, day: date) -> Self:
        return self.filter(first__lte=day, last__gte=day, ended_at=None)


class Absence(models.Model):
    """不在 — someone who is not there (担当者不在), who stands in, and what they need to know."""

    personal_fields = ("kind", "note")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="職員",
        related_name="absences",
    )
    first = models.DateField("最初の日")
    last = models.DateField("最後の日")
    kind = models.CharField(
        "理由",
        max_length=10,
        choices=[(kind.value, steps.LEAVE_LABELS[kind]) for kind in steps.Leave],
    )
    stand_in = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="代わりの人",
        related_name="stands_in",
        null=True,
        blank=True,
    )
    note = models.TextField("代わりの人への申し送り", blank=True)
    told_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, verbose_name="登録者", related_name="+"
    )
    told_at = models.DateTimeField("登録日時")
    ended_at = models.DateTimeField("取り消した日時", null=True)

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        verbose_name = "不在"
        ordering = ["first", "id"]
        constraints = [
            models.CheckConstraint(
                name="absence_begins_before_it_ends", condition=Q(first__lte=F("last"))
            ),
            models.CheckConstraint(
                name="absence_stand_in_is_somebody_else",
                condition=Q(stand_in=None) | ~Q(stand_in=F("user")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first}〜{self.last}"


class EmergencyContact(models.Model):
    """緊急連絡先 — whom the centre calls when it needs a division on a closed day, in order."""

    personal_fields = ("name", "phone", "note")

    division = models.ForeignKey(
        Division,
        on_delete=models.CASCADE,
        verbose_name="部署",
        related_name="emergency_contacts",
    )
    position = models.PositiveSmallIntegerField("かける順", default=1)
    name = models.CharField("氏名", max_length=60)
    phone = models.CharField("電話", max_length=20)
    note = models.CharField("メモ", max_length=100, blank=True)

    class Meta:
        verbose_name = "緊急連絡先"
        ordering = ["division", "position", "id"]

    def __str__(self) -> str:
        return f"{self.division} {self.position}"
