"""Form fields that take what people type and give what the office keeps."""

import re
import unicodedata
from datetime import date
from typing import Any

import jaconv
from django import forms
from django.core.exceptions import ValidationError

from madoguchi.foundation import dates

_KANA = re.compile(r"^[ァ-ヺー・　]+$")
_DASHES = re.compile(r"[-‐‑‒–—―−ーｰ~〜()\s.]")
# 050, 070, 080, 090 and the like have eleven digits, all others ten (電気通信番号計画).
_PHONE = re.compile(r"^(?:0[5-9]0\d{8}|0(?![5-9]0)\d{9})$")


class JapaneseDateField(forms.Field):
    """
    A date typed as text: R8.4.1, 令和8年4月1日, 2026-04-01, ８．４．１. Gives a `date` or None.

    Typed rather than picked: officers know the date, and a calendar cannot be used by everyone.
    """

    widget = forms.TextInput(attrs={"autocomplete": "off", "class": "narrow"})
    default_error_messages = {
        "required": "日付を入力してください。",
        "invalid": "日付として読めません。「R8.4.1」か「2026-04-01」のように入力してください。",
    }

    def __init__(self, *, help_text: str = "例: R8.4.1、令和8年4月1日、2026-04-01", **more: Any):
        super().__init__(help_text=help_text, **more)

    def prepare_value(self, value: Any) -> Any:
        return dates.wareki(value) if isinstance(value, date) else value

    def to_python(self, value: Any) -> date | None:
        if value in self.empty_values or isinstance(value, date):
            return value or None
        try:
            return dates.parse_date(str(value))
        except ValueError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return (initial or None) != self.to_python(data)
        except ValidationError:
            return True


class KanaField(forms.CharField):
    """A reading, typed in hiragana, katakana or half width. Gives full-width katakana."""

    default_error_messages = {
        "invalid": "ふりがなは、ひらがなかカタカナで入力してください。",
    }

    def to_python(self, value: Any) -> str:
        text = unicodedata.normalize("NFKC", super().to_python(value) or "")
        kana: str = jaconv.hira2kata("　".join(text.split()))
        if kana and not _KANA.match(kana):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return kana


class PhoneField(forms.CharField):
    """A telephone number, in any width, with or without hyphens or +81. Gives digits only."""

    widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "class": "narrow"})
    default_error_messages = {
        "invalid": "電話番号は、市外局番から10けたか11けたで入力してください。例: 090-1234-5678",
    }

    def to_python(self, value: Any) -> str:
        plain = unicodedata.normalize("NFKC", super().to_python(value) or "")
        digits = re.sub(r"^\+81(?:0)?", "0", _DASHES.sub("", plain))
        if digits and not _PHONE.match(digits):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return digits
