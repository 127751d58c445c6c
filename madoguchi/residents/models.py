from typing import Any

from django.db import models

from madoguchi.foundation.japanese import kana_key, name_key
from madoguchi.residents.fields import HiddenField, MatchingKey
from madoguchi.residents.rules import ShownContact, masked, opened, phone_key

KEY: Any = {"max_length": 120, "blank": True, "db_index": True, "editable": False}


class Resident(models.Model):
    """
    相談者 — a person the office knows, named or anonymous. Never labelled, only helped.

    `phone`, `email` and `address` never show themselves (`Hidden`): pages use `contact`, which
    is masked for `is_restricted` (住所秘匿・限定表示, DV 支援措置). Showing those takes
    `actions.reveal`, a reason and a line in the audit trail.
    """

    personal_fields = (
        "name",
        "name_key",
        "kana",
        "kana_key",
        "birth_on",
        "phone",
        "phone_key",
        "email",
        "address",
        "contact_note",
    )

    name = models.CharField("氏名", max_length=120, blank=True)
    name_key = MatchingKey(of="name", key=name_key, **KEY, verbose_name="氏名（照合用）")
    kana = models.CharField("フリガナ", max_length=120, blank=True)
    kana_key = MatchingKey(of="kana", key=kana_key, **KEY, verbose_name="フリガナ（照合用）")
    birth_on = models.DateField("生年月日", null=True, blank=True)
    phone = HiddenField("電話", max_length=20, blank=True)
    phone_key = MatchingKey(of="phone", key=phone_key, **KEY, verbose_name="電話（照合用）")
    email = HiddenField("メール", max_length=254, blank=True)
    address = HiddenField("住所", max_length=200, blank=True)
    language = models.CharField("ことば", max_length=40, blank=True)
    is_restricted = models.BooleanField("住所秘匿・限定表示", default=False)
    contact_note = models.CharField("連絡の方法", max_length=200, blank=True)
    created_at = models.DateTimeField("登録日時")
    # The floors above index names: they look here for what has changed since they last did.
    is_new_to_search = models.BooleanField("検索への反映待ち", default=False)

    class Meta:
        verbose_name = "相談者"
        indexes = [
            models.Index(
                fields=["id"],
                name="resident_new_to_search",
                condition=models.Q(is_new_to_search=True),
            )
        ]

    def __str__(self) -> str:
        return f"相談者 {self.pk}"

    @property
    def display_name(self) -> str:
        return self.name or "匿名"

    @property
    def contact(self) -> ShownContact:
        """What every page may show: masked while the display is restricted."""
        if self.is_restricted:
            return masked()
        return ShownContact(
            phone=opened(self.phone),
            email=opened(self.email),
            address=opened(self.address),
            is_masked=False,
        )


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
