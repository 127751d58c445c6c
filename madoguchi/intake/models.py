from django.conf import settings
from django.db import models
from django.db.models import Q

from madoguchi.casework.models import Case, Category
from madoguchi.intake import rules


class Submission(models.Model):
    """
    ウェブ相談 — what a resident wrote on the web page; a case as soon as somebody takes it up.

    There is no account: its number and a code open it again. Of the code only a digest is kept.
    """

    personal_fields = ("name", "phone", "email")

    number = models.CharField("控え番号", max_length=12, unique=True)
    code_digest = models.CharField("合言葉の要約値", max_length=64)
    key = models.UUIDField("受付キー", unique=True)
    kind = models.CharField(
        "種別",
        max_length=20,
        choices=[(kind.value, label) for kind, label in rules.KIND_LABELS.items()],
    )
    category = models.ForeignKey(Category, on_delete=models.PROTECT, verbose_name="分野")
    name = models.CharField("氏名", max_length=120, blank=True)
    phone = models.CharField("電話番号", max_length=20, blank=True)
    email = models.EmailField("メールアドレス", blank=True)
    wants_reply = models.BooleanField("返事の希望", default=True)
    received_at = models.DateTimeField("受信日時", db_index=True)
    case = models.OneToOneField(
        Case,
        on_delete=models.PROTECT,
        verbose_name="案件",
        related_name="submission",
        null=True,
        blank=True,
    )
    taken_at = models.DateTimeField("受理日時", null=True, blank=True)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="受理者",
        related_name="+",
        null=True,
        blank=True,
    )

    class Meta:
        verbose_name = "ウェブ相談"
        constraints = [
            models.CheckConstraint(
                name="submission_taken_when_by_whom_as_what",
                condition=Q(case__isnull=True, taken_at__isnull=True, taken_by__isnull=True)
                | Q(case__isnull=False, taken_at__isnull=False, taken_by__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def stage(self) -> rules.Stage:
        case = self.case
        return rules.stage_of(
            is_taken=case is not None, is_closed=case is not None and case.is_closed
        )

    @property
    def first_line(self) -> str:
        """What the title of its case is proposed to be."""
        first = self.messages.first()
        return first.text.strip().splitlines()[0][:60] if first else ""

    @property
    def stage_words(self) -> str:
        return rules.STAGE_LABELS[self.stage]


class Message(models.Model):
    """やりとり — one text on the resident's own page, by the resident or by the office."""

    personal_fields = ("text",)

    submission = models.ForeignKey(
        Submission, on_delete=models.PROTECT, verbose_name="ウェブ相談", related_name="messages"
    )
    key = models.UUIDField("受付キー", unique=True)
    text = models.TextField("内容")
    at = models.DateTimeField("日時")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="書いた職員",
        related_name="+",
        null=True,
        blank=True,
    )

    class Meta:
        verbose_name = "やりとり"
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(name="message_says_something", condition=~Q(text=""))
        ]

    def __str__(self) -> str:
        return f"やりとり {self.pk}"

    @property
    def is_ours(self) -> bool:
        return self.by_id is not None


class Attachment(models.Model):
    """添付 — a picture or PDF that came with a message; kept in the database, as it was sent."""

    personal_fields = ("name", "content")

    message = models.ForeignKey(
        Message, on_delete=models.PROTECT, verbose_name="やりとり", related_name="attachments"
    )
    name = models.CharField("ファイル名", max_length=120)
    media_type = models.CharField(
        "形式", max_length=20, choices=list(rules.MEDIA_TYPE_LABELS.items())
    )
    size = models.PositiveIntegerField("バイト数")
    content = models.BinaryField("内容")

    class Meta:
        verbose_name = "添付"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="attachment_within_its_bounds",
                condition=Q(size__gte=1, size__lte=rules.MOST_BYTES),
            )
        ]

    def __str__(self) -> str:
        return f"添付 {self.pk}"
