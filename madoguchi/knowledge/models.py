from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from madoguchi.knowledge import rules
from madoguchi.offices.models import Division

_IMPORTED = Q(author=None, approved_by=None)
_TWO_PEOPLE = Q(author__isnull=False, approved_by__isnull=False) & ~Q(author=F("approved_by"))


class FaqQuerySet(models.QuerySet["Faq"]):
    def public(self) -> Self:
        return self.filter(live__isnull=False)

    def to_approve(self) -> Self:
        return self.filter(status=rules.Status.PROPOSED)


class Faq(models.Model):
    """
    よくある質問 — a question in the citizens' words with the city's answer.

    The texts here are the newest ones, perhaps still a draft; `live` is what the public reads.
    `origin` is the number of the case it came from. FAQs that came by file have no author here.
    """

    personal_fields = ("question", "answer", "asked", "remark")

    key = models.CharField("番号", max_length=60, unique=True)
    category = models.CharField("分野", max_length=200, blank=True, db_index=True)
    question = models.CharField("質問", max_length=1000)
    asked = models.TextField("ほかの聞かれ方", blank=True)
    answer = models.TextField("回答")
    division = models.ForeignKey(
        Division,
        on_delete=models.PROTECT,
        verbose_name="担当課",
        related_name="faqs",
        null=True,
        blank=True,
    )
    status = models.CharField(
        "状態",
        max_length=20,
        choices=[(status.value, rules.STATUS_LABELS[status]) for status in rules.Status],
        default=rules.Status.DRAFT.value,
        db_index=True,
    )
    origin = models.CharField("元の案件", max_length=12, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="作成者",
        related_name="written_faqs",
        null=True,
        blank=True,
    )
    written_at = models.DateTimeField("作成日時")
    proposed_at = models.DateTimeField("提案日時", null=True, blank=True)
    remark = models.CharField("差し戻しの理由", max_length=400, blank=True)
    review_on = models.DateField("見直し日", null=True, blank=True)
    live = models.OneToOneField(
        "FaqVersion",
        on_delete=models.PROTECT,
        verbose_name="公開中の版",
        related_name="+",
        null=True,
        blank=True,
    )
    helped = models.PositiveIntegerField("役に立った", default=0)
    not_helped = models.PositiveIntegerField("役に立たなかった", default=0)

    objects = FaqQuerySet.as_manager()

    class Meta:
        verbose_name = "よくある質問"
        constraints = [
            models.CheckConstraint(
                name="faq_published_has_a_live_text",
                condition=~Q(status=rules.Status.PUBLISHED.value) | Q(live__isnull=False),
            ),
            models.CheckConstraint(
                name="faq_retired_has_no_live_text",
                condition=~Q(status=rules.Status.RETIRED.value) | Q(live=None),
            ),
            models.CheckConstraint(
                name="faq_proposed_has_when",
                condition=~Q(status=rules.Status.PROPOSED.value) | Q(proposed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def public_text(self) -> "FaqVersion":
        if self.live is None:
            raise ValueError(f"{self.key} is not public")
        return self.live


class FaqVersion(models.Model):
    """
    よくある質問の版 — a text as it was made public, never changed afterwards.

    Approved by somebody other than its author; both are empty when it came by file.
    """

    personal_fields = ("question", "answer", "asked")

    faq = models.ForeignKey(
        Faq, on_delete=models.CASCADE, verbose_name="よくある質問", related_name="versions"
    )
    number = models.PositiveIntegerField("版")
    category = models.CharField("分野", max_length=200, blank=True)
    question = models.CharField("質問", max_length=1000)
    asked = models.TextField("ほかの聞かれ方", blank=True)
    answer = models.TextField("回答")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="作成者",
        related_name="+",
        null=True,
        blank=True,
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        verbose_name="承認者",
        related_name="+",
        null=True,
        blank=True,
    )
    published_at = models.DateTimeField("公開日時")

    class Meta:
        verbose_name = "よくある質問の版"
        constraints = [
            models.UniqueConstraint(fields=["faq", "number"], name="faq_version_once"),
            models.CheckConstraint(
                name="faq_version_two_people", condition=_IMPORTED | _TWO_PEOPLE
            ),
        ]

    def __str__(self) -> str:
        return f"{self.faq_id} 第{self.number}版"


class SearchDoc(models.Model):
    """
    検索文書 — the words of one public FAQ, written in the transaction that publishes it.

    Words are separated by one blank. The full-text index follows by itself: on SQLite by
    triggers, on PostgreSQL by a generated column (`index.py`).
    """

    personal_fields = ("title_words", "body_words", "asked_words", "compounds", "text")

    faq = models.OneToOneField(
        Faq, on_delete=models.CASCADE, verbose_name="よくある質問", related_name="search_doc"
    )
    title_words = models.TextField("質問のことば")
    body_words = models.TextField("回答のことば")
    asked_words = models.TextField("聞かれ方のことば")
    senses = models.TextField("語義")
    compounds = models.TextField("複合語")
    text = models.TextField("本文（照合用）")
    title_length = models.PositiveIntegerField("質問の語数")
    body_length = models.PositiveIntegerField("回答の語数")
    asked_length = models.PositiveIntegerField("聞かれ方の語数")
    analyser_revision = models.CharField("解析器の版", max_length=16, db_index=True)

    class Meta:
        verbose_name = "検索文書"
        indexes = [
            models.Index(
                name="search_doc_lengths", fields=["title_length", "body_length", "asked_length"]
            )
        ]

    def __str__(self) -> str:
        return f"検索文書 {self.faq_id}"


class SearchTerm(models.Model):
    """検索語 — in how many documents a word stands; kept with every change of a document."""

    personal_fields = ("word",)

    word = models.CharField("語", max_length=100, primary_key=True)
    documents = models.IntegerField("文書数", default=0)
    titles = models.IntegerField("質問にある文書数", default=0)
    bodies = models.IntegerField("回答にある文書数", default=0)
    both = models.IntegerField("両方にある文書数", default=0)

    class Meta:
        verbose_name = "検索語"

    def __str__(self) -> str:
        return self.word
