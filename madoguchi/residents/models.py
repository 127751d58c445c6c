from django.db import models


class Resident(models.Model):
    """
    相談者 — a person the office knows, named or anonymous. Never labelled, only helped.

    `is_restricted` (住所秘匿・限定表示, DV 支援措置) hides address, phone and mail everywhere;
    showing them takes a reason and leaves a line in the audit trail.
    """

    personal_fields = (
        "name",
        "name_key",
        "kana",
        "kana_key",
        "birth_on",
        "phone",
        "email",
        "address",
        "contact_note",
    )

    name = models.CharField("氏名", max_length=120, blank=True)
    name_key = models.CharField("氏名（照合用）", max_length=120, blank=True, db_index=True)
    kana = models.CharField("フリガナ", max_length=120, blank=True)
    kana_key = models.CharField("フリガナ（照合用）", max_length=120, blank=True, db_index=True)
    birth_on = models.DateField("生年月日", null=True, blank=True)
    phone = models.CharField("電話", max_length=20, blank=True)
    email = models.EmailField("メール", blank=True)
    address = models.CharField("住所", max_length=200, blank=True)
    language = models.CharField("ことば", max_length=40, blank=True)
    is_restricted = models.BooleanField("住所秘匿・限定表示", default=False)
    contact_note = models.CharField("連絡の方法", max_length=200, blank=True)
    created_at = models.DateTimeField("登録日時")

    class Meta:
        verbose_name = "相談者"

    def __str__(self) -> str:
        return f"相談者 {self.pk}"

    @property
    def display_name(self) -> str:
        return self.name or "匿名"


class Accommodation(models.Model):
    """配慮事項 — what helps for this person: a loud voice, an interpreter, a ramp."""

    personal_fields = ("note",)

    resident = models.ForeignKey(
        Resident, on_delete=models.CASCADE, verbose_name="相談者", related_name="accommodations"
    )
    kind = models.CharField("種類", max_length=40)
    note = models.CharField("内容", max_length=200, blank=True)

    class Meta:
        verbose_name = "配慮事項"

    def __str__(self) -> str:
        return self.kind
