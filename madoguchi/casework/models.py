from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from madoguchi.casework import rules
from madoguchi.offices.models import Division, Room
from madoguchi.reception.models import Visit
from madoguchi.residents.models import Resident


def _together(*fields: str) -> Q:
    """All of the fields are set, or none is."""
    return Q(**{f"{field}__isnull": False for field in fields}) | Q(
        **{f"{field}__isnull": True for field in fields}
    )


def _set(*fields: str) -> Q:
    return Q(**{f"{field}__isnull": False for field in fields})


def _unset(*fields: str) -> Q:
    return Q(**{f"{field}__isnull": True for field in fields})


class Category(models.Model):
    """分野 — what a case is about; the code compares cities, the name is the city's own."""

    personal_fields = ()

    code = models.CharField("コード", max_length=20)
    name = models.CharField("名称", max_length=60, unique=True)
    position = models.PositiveSmallIntegerField("並び順", default=0)
    is_active = models.BooleanField("使用中", default=True)

    class Meta:
        verbose_name = "分野"
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name


class RecordTerm(models.Model):
    """対応記録の期限 — how long a division has for its record; one row, the city's choice."""

    personal_fields = ()

    days = models.PositiveSmallIntegerField("日数", default=5)
    counts_closed_days = models.BooleanField("閉庁日も数える", default=False)

    class Meta:
        verbose_name = "対応記録の期限"
        constraints = [
            models.CheckConstraint(name="one_record_term", condition=Q(pk=1)),
            models.CheckConstraint(
                name="record_term_between_1_and_60_days", condition=Q(days__gte=1, days__lte=60)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.days}日"


class CaseQuerySet(models.QuerySet["Case"]):
    def open(self) -> Self:
        return self.filter(status__in=rules.OPEN)

    def overdue(self, *, on: date) -> Self:
        return self.open().filter(due_on__lt=on)


class Case(models.Model):
    """案件 — one matter a resident brought, from receipt (受理) to close (終了)."""

    personal_fields = ("title", "summary")

    number = models.CharField("受付番号", max_length=12, unique=True)
    key = models.UUIDField("受付キー", unique=True, null=True, blank=True)
    kind = models.CharField(
        "種別",
        max_length=20,
        choices=[(kind.value, label) for kind, label in rules.KIND_LABELS.items()],
    )
    channel = models.CharField(
        "経路",
        max_length=20,
        choices=[(channel.value, label) for channel, label in rules.CHANNEL_LABELS.items()],
    )
    category = models.ForeignKey(Category, on_delete=models.PROTECT, verbose_name="分野")
    title = models.CharField("件名", max_length=120)
    summary = models.TextField("相談内容", blank=True)
    resident = models.ForeignKey(
        Resident,
        on_delete=models.PROTECT,
        verbose_name="相談者",
        related_name="cases",
        null=True,
        blank=True,
    )
    owner = models.ForeignKey(
        Division, on_delete=models.PROTECT, verbose_name="担当課", related_name="cases"
    )
    status = models.CharField(
        "状態",
        max_length=20,
        choices=[(status.value, label) for status, label in rules.STATUS_LABELS.items()],
        default=rules.Status.RECEIVED.value,
    )
    is_sensitive = models.BooleanField("限定案件", default=False)
    visit = models.ForeignKey(
        Visit,
        on_delete=models.PROTECT,
        verbose_name="来庁",
        related_name="cases",
        null=True,
        blank=True,
    )
    due_on = models.DateField("対応期限", null=True, blank=True)
    received_at = models.DateTimeField("受付日時")
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="受付者",
        related_name="received_cases",
    )
    version = models.PositiveIntegerField("版", default=1)
    changed_at = models.DateTimeField("更新日時")
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="更新者",
        related_name="+",
    )
    closed_at = models.DateTimeField("終了日時", null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="終了者",
        related_name="+",
        null=True,
        blank=True,
    )

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = "案件"
        indexes = [
            models.Index(fields=["received_at", "id"], name="case_received"),
            # Counts what the list shows without touching the rows themselves.
            models.Index(fields=["status", "is_sensitive", "received_at"], name="case_list"),
            models.Index(fields=["owner", "status", "received_at"], name="case_owner"),
            models.Index(fields=["category", "received_at"], name="case_category"),
            models.Index(
                fields=["due_on"], name="case_due", condition=~Q(status=rules.Status.CLOSED.value)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="case_closed_has_when_and_who",
                condition=(Q(status=rules.Status.CLOSED.value) & _set("closed_at", "closed_by"))
                | (~Q(status=rules.Status.CLOSED.value) & _unset("closed_at", "closed_by")),
            ),
            models.CheckConstraint(name="case_has_a_title", condition=~Q(title="")),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_closed(self) -> bool:
        return self.status == rules.Status.CLOSED


class Revision(models.Model):
    """改訂 — what the record said before somebody rewrote it."""

    personal_fields = ("title", "summary")

    case = models.ForeignKey(
        Case, on_delete=models.CASCADE, verbose_name="案件", related_name="revisions"
    )
    version = models.PositiveIntegerField("版")
    title = models.CharField("件名", max_length=120)
    summary = models.TextField("相談内容", blank=True)
    at = models.DateTimeField("改訂日時")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, verbose_name="改訂者", related_name="+"
    )

    class Meta:
        verbose_name = "改訂"
        constraints = [
            models.UniqueConstraint(fields=["case", "version"], name="revision_once_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.case_id} 第{self.version}版"


class Worry(models.Model):
    """困りごと — one of the sixteen worries of the intake sheet; the worst is marked ◎."""

    personal_fields = ("code",)

    case = models.ForeignKey(
        Case, on_delete=models.CASCADE, verbose_name="案件", related_name="worries"
    )
    code = models.CharField("困りごと", max_length=20, choices=list(rules.WORRY_LABELS.items()))
    is_worst = models.BooleanField("最も困っている", default=False)

    class Meta:
        verbose_name = "困りごと"
        constraints = [
            models.UniqueConstraint(fields=["case", "code"], name="worry_once_per_case"),
            models.UniqueConstraint(
                fields=["case"], condition=Q(is_worst=True), name="one_worst_worry_per_case"
            ),
        ]

    def __str__(self) -> str:
        return f"{'◎' if self.is_worst else '○'}{self.get_code_display()}"


class Involvement(models.Model):
    """関与職員 — a person who works on the case, and may see it even when it is restricted."""

    personal_fields = ()

    case = models.ForeignKey(
        Case, on_delete=models.CASCADE, verbose_name="案件", related_name="involvements"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="職員",
        related_name="involvements",
    )
    since_at = models.DateTimeField("関与した日時")
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="加えた人",
        related_name="+",
    )

    class Meta:
        verbose_name = "関与職員"
        constraints = [
            models.UniqueConstraint(fields=["case", "user"], name="involvement_once_per_case")
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.user_id}"


class Contact(models.Model):
    """
    応対 — one exchange with the resident on one channel.

    Never changed: a correction is a new row that names the one it corrects, and both stay
    to be read.
    """

    personal_fields = ("text", "correction_reason")

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, verbose_name="案件", related_name="contacts"
    )
    key = models.UUIDField("受付キー", unique=True, null=True, blank=True)
    channel = models.CharField(
        "経路",
        max_length=20,
        choices=[(channel.value, label) for channel, label in rules.CHANNEL_LABELS.items()],
    )
    text = models.TextField("内容")
    minutes = models.PositiveSmallIntegerField("所要時間（分）", default=0)
    at = models.DateTimeField("日時")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="記録者",
        related_name="contacts",
    )
    corrects = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        verbose_name="訂正する応対",
        related_name="correction",
        null=True,
        blank=True,
    )
    correction_reason = models.CharField("訂正の理由", max_length=200, blank=True)

    class Meta:
        verbose_name = "応対"
        indexes = [models.Index(fields=["case", "at"], name="contact_case_at")]
        constraints = [
            models.CheckConstraint(name="contact_says_something", condition=~Q(text="")),
            models.CheckConstraint(
                name="contact_correction_has_a_reason",
                condition=(_set("corrects") & ~Q(correction_reason=""))
                | (_unset("corrects") & Q(correction_reason="")),
            ),
            models.CheckConstraint(
                name="contact_does_not_correct_itself",
                condition=_unset("corrects") | ~Q(corrects=F("id")),
            ),
        ]

    def __str__(self) -> str:
        return f"応対 {self.pk}"


class HandoverQuerySet(models.QuerySet["Handover"]):
    def outstanding(self) -> Self:
        return self.filter(state__in=sorted(rules.OUTSTANDING))

    def overdue(self, *, on: date) -> Self:
        return self.outstanding().filter(due_on__lt=on)


class Handover(models.Model):
    """
    引き継ぎ — a division is asked to come to the room (出向依頼) or to take the matter on.

    `note` is the counsellor's explanation: it travels with the request, so that nobody has to
    tell the story twice. `outcome` is the division's record, which comes back by `due_on`.
    """

    personal_fields = ("note", "declined_reason", "withdrawn_reason", "outcome")

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, verbose_name="案件", related_name="handovers"
    )
    key = models.UUIDField("受付キー", unique=True, null=True, blank=True)
    kind = models.CharField(
        "依頼の種類",
        max_length=10,
        choices=[(kind.value, label) for kind, label in rules.HANDOVER_KIND_LABELS.items()],
    )
    to = models.ForeignKey(
        Division, on_delete=models.PROTECT, verbose_name="依頼先", related_name="handovers"
    )
    officer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="担当者の指定",
        related_name="+",
        null=True,
        blank=True,
    )
    note = models.TextField("申し送り")
    due_on = models.DateField("対応記録の提出期限")
    room = models.ForeignKey(
        Room, on_delete=models.PROTECT, verbose_name="相談室", null=True, blank=True
    )
    state = models.CharField(
        "状態",
        max_length=20,
        choices=[(state.value, label) for state, label in rules.HANDOVER_STATE_LABELS.items()],
        default=rules.HandoverState.ASKED.value,
    )

    asked_at = models.DateTimeField("依頼日時")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, verbose_name="依頼者", related_name="+"
    )
    accepted_at = models.DateTimeField("承諾日時", null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="承諾者",
        related_name="+",
        null=True,
        blank=True,
    )
    expected_at = models.DateTimeField("到着予定", null=True, blank=True)
    arrived_at = models.DateTimeField("到着日時", null=True, blank=True)
    arrived_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="到着者",
        related_name="+",
        null=True,
        blank=True,
    )
    declined_at = models.DateTimeField("辞退日時", null=True, blank=True)
    declined_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="辞退者",
        related_name="+",
        null=True,
        blank=True,
    )
    declined_reason = models.CharField("辞退の理由", max_length=400, blank=True)
    withdrawn_at = models.DateTimeField("取り下げ日時", null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="取り下げた人",
        related_name="+",
        null=True,
        blank=True,
    )
    withdrawn_reason = models.CharField("取り下げの理由", max_length=400, blank=True)
    returned_at = models.DateTimeField("対応記録の返却日時", null=True, blank=True)
    returned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="対応記録の記入者",
        related_name="+",
        null=True,
        blank=True,
    )
    outcome = models.TextField("対応記録", blank=True)

    objects = HandoverQuerySet.as_manager()

    class Meta:
        verbose_name = "引き継ぎ"
        indexes = [
            models.Index(fields=["case", "asked_at"], name="handover_case"),
            models.Index(fields=["to", "state", "due_on"], name="handover_worklist"),
        ]
        constraints = [
            models.CheckConstraint(
                name="handover_accepted_when_and_who",
                condition=_together("accepted_at", "accepted_by"),
            ),
            models.CheckConstraint(
                name="handover_arrived_when_and_who",
                condition=_together("arrived_at", "arrived_by"),
            ),
            models.CheckConstraint(
                name="handover_declined_when_and_who",
                condition=_together("declined_at", "declined_by"),
            ),
            models.CheckConstraint(
                name="handover_withdrawn_when_and_who",
                condition=_together("withdrawn_at", "withdrawn_by"),
            ),
            models.CheckConstraint(
                name="handover_returned_when_and_who",
                condition=_together("returned_at", "returned_by"),
            ),
            models.CheckConstraint(
                name="handover_state_matches_its_dates",
                condition=(
                    Q(state=rules.HandoverState.ASKED.value)
                    & _unset(
                        "accepted_at", "arrived_at", "declined_at", "withdrawn_at", "returned_at"
                    )
                )
                | (
                    Q(state=rules.HandoverState.ACCEPTED.value)
                    & _set("accepted_at")
                    & _unset("arrived_at", "declined_at", "withdrawn_at", "returned_at")
                )
                | (
                    Q(state=rules.HandoverState.ARRIVED.value)
                    & _set("accepted_at", "arrived_at")
                    & _unset("declined_at", "withdrawn_at", "returned_at")
                )
                | (
                    Q(state=rules.HandoverState.RETURNED.value)
                    & _set("accepted_at", "returned_at")
                    & _unset("declined_at", "withdrawn_at")
                )
                | (
                    Q(state=rules.HandoverState.DECLINED.value)
                    & _set("declined_at")
                    & _unset("arrived_at", "withdrawn_at", "returned_at")
                )
                | (
                    Q(state=rules.HandoverState.WITHDRAWN.value)
                    & _set("withdrawn_at")
                    & _unset("declined_at", "returned_at")
                ),
            ),
            models.CheckConstraint(
                name="handover_says_why",
                condition=(_unset("declined_at") | ~Q(declined_reason=""))
                & (_unset("withdrawn_at") | ~Q(withdrawn_reason="")),
            ),
            models.CheckConstraint(
                name="handover_returned_with_a_record",
                condition=(_set("returned_at") & ~Q(outcome=""))
                | (_unset("returned_at") & Q(outcome="")),
            ),
            models.CheckConstraint(name="handover_note_travels", condition=~Q(note="")),
            models.UniqueConstraint(
                fields=["case", "to", "kind"],
                condition=Q(state__in=sorted(rules.OUTSTANDING)),
                name="one_outstanding_request_per_division",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

    @property
    def is_outstanding(self) -> bool:
        return rules.HandoverState(self.state) in rules.OUTSTANDING


class JointMeeting(models.Model):
    """同席 — the division sits down with the resident and the counsellor, in one room."""

    personal_fields = ()

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, verbose_name="案件", related_name="meetings"
    )
    room = models.ForeignKey(
        Room, on_delete=models.PROTECT, verbose_name="相談室", null=True, blank=True
    )
    attendees = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name="同席者", related_name="+"
    )
    started_at = models.DateTimeField("開始")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, verbose_name="開始者", related_name="+"
    )
    ended_at = models.DateTimeField("終了", null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="終了者",
        related_name="+",
        null=True,
        blank=True,
    )

    class Meta:
        verbose_name = "同席"
        constraints = [
            models.CheckConstraint(
                name="meeting_ended_when_and_who", condition=_together("ended_at", "ended_by")
            ),
            models.CheckConstraint(
                name="meeting_ends_after_it_starts",
                condition=_unset("ended_at") | Q(ended_at__gte=F("started_at")),
            ),
            models.UniqueConstraint(
                fields=["case"], condition=Q(ended_at=None), name="one_running_meeting_per_case"
            ),
        ]

    def __str__(self) -> str:
        return f"同席 {self.pk}"


class Closure(models.Model):
    """
    終了 — how a case ended: what was concluded, why, and whether the resident understood.

    A reopened case keeps its earlier closures. Each closure carries its own invitation to the
    survey: a link, and a code to be typed from paper.
    """

    personal_fields = ("conclusion", "reason", "without_record_reason", "reopened_reason")

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, verbose_name="案件", related_name="closures"
    )
    key = models.UUIDField("受付キー", unique=True, null=True, blank=True)
    conclusion = models.TextField("結論")
    result = models.CharField(
        "結果",
        max_length=20,
        choices=[(result.value, label) for result, label in rules.RESULT_LABELS.items()],
    )
    reason = models.TextField("理由")
    understanding = models.CharField(
        "理解度の確認",
        max_length=20,
        choices=[(value.value, label) for value, label in rules.UNDERSTANDING_LABELS.items()],
    )
    without_record_reason = models.CharField("対応記録を待たない理由", max_length=400, blank=True)
    closed_at = models.DateTimeField("終了日時")
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, verbose_name="終了者", related_name="+"
    )
    reopened_at = models.DateTimeField("再開日時", null=True, blank=True)
    reopened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="再開者",
        related_name="+",
        null=True,
        blank=True,
    )
    reopened_reason = models.CharField("再開の理由", max_length=400, blank=True)
    survey_token = models.CharField("アンケートの鍵", max_length=43, unique=True)
    survey_code = models.CharField("アンケートの番号", max_length=12, unique=True)

    class Meta:
        verbose_name = "終了"
        indexes = [models.Index(fields=["closed_at"], name="closure_closed_at")]
        constraints = [
            models.CheckConstraint(
                name="closure_is_complete",
                condition=~Q(conclusion="") & ~Q(reason="") & ~Q(result="") & ~Q(understanding=""),
            ),
            models.CheckConstraint(
                name="closure_reopened_when_who_and_why",
                condition=(_set("reopened_at", "reopened_by") & ~Q(reopened_reason=""))
                | (_unset("reopened_at", "reopened_by") & Q(reopened_reason="")),
            ),
            models.UniqueConstraint(
                fields=["case"], condition=Q(reopened_at=None), name="one_closure_in_force"
            ),
        ]

    def __str__(self) -> str:
        return f"終了 {self.pk}"


class SurveyReply(models.Model):
    """アンケートの回答 — what the resident says of us after the case; one for each closure."""

    personal_fields = ("comment",)

    closure = models.OneToOneField(
        Closure, on_delete=models.PROTECT, verbose_name="終了", related_name="survey_reply"
    )
    comment = models.TextField("ご意見", blank=True)
    is_from_paper = models.BooleanField("紙の番号から", default=False)
    at = models.DateTimeField("回答日時")

    class Meta:
        verbose_name = "アンケートの回答"

    def __str__(self) -> str:
        return f"アンケートの回答 {self.pk}"


class SurveyScore(models.Model):
    """アンケートの評価 — one question of the survey, 1 (不満) to 5 (満足)."""

    personal_fields = ()

    reply = models.ForeignKey(
        SurveyReply, on_delete=models.CASCADE, verbose_name="回答", related_name="scores"
    )
    item = models.CharField(
        "項目",
        max_length=20,
        choices=[(item.value, label) for item, label in rules.SURVEY_LABELS.items()],
    )
    score = models.PositiveSmallIntegerField("評価")

    class Meta:
        verbose_name = "アンケートの評価"
        constraints = [
            models.UniqueConstraint(fields=["reply", "item"], name="score_once_per_item"),
            models.CheckConstraint(
                name="score_between_1_and_5", condition=Q(score__gte=1, score__lte=5)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_item_display()}: {self.score}"


class SearchText(models.Model):
    """
    検索文 — the words of one case as search compares them, and the marks lists are made by.

    Written in the transaction that changes the case (`index.note`). While it `is_waiting` the
    index still holds what `before` says; a search looks at such a row itself.
    """

    personal_fields = ("text", "names", "before")

    case = models.OneToOneField(
        Case,
        on_delete=models.CASCADE,
        primary_key=True,
        verbose_name="案件",
        related_name="search_text",
    )
    text = models.TextField("文")
    names = models.TextField("限定表示の方の氏名", blank=True)
    marks = models.TextField("しるし")
    is_waiting = models.BooleanField("索引待ち", default=True)
    before = models.TextField("索引にある文", blank=True)

    class Meta:
        verbose_name = "検索文"
        indexes = [
            models.Index(fields=["case"], name="search_text_waiting", condition=Q(is_waiting=True))
        ]

    def __str__(self) -> str:
        return f"検索文 {self.pk}"


class SearchBits(models.Model):
    """検索索引 — which cases of one block hold a sign: one or two characters, or a mark."""

    personal_fields = ()

    pk = models.CompositePrimaryKey("sign", "block")
    sign = models.CharField("しるし", max_length=40)
    block = models.PositiveIntegerField("区画")
    bits = models.BinaryField("案件")

    class Meta:
        verbose_name = "検索索引"

    def __str__(self) -> str:
        return f"検索索引 {self.block}"
