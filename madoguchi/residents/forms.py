from typing import Any

from django import forms

from madoguchi.residents.models import Resident
from madoguchi.residents.rules import REASON_LENGTH
from madoguchi.ui.fields import JapaneseDateField, KanaField, PhoneField

ACCOMMODATIONS = [
    "大きな声で話す",
    "ゆっくり話す",
    "筆談",
    "手話通訳",
    "外国語の通訳",
    "やさしい日本語",
    "車いす",
    "段差のない部屋",
    "介助者の同席",
    "その他",
]


class ResidentForm(forms.Form):
    name = forms.CharField(
        label="氏名",
        max_length=120,
        required=False,
        help_text="名乗らない方は空のままにします。",
    )
    kana = KanaField(label="フリガナ", max_length=120, required=False)
    birth_on = JapaneseDateField(label="生年月日", required=False)
    phone = PhoneField(label="電話", max_length=20, required=False)
    email = forms.EmailField(label="メール", max_length=254, required=False)
    address = forms.CharField(label="住所", max_length=200, required=False)
    language = forms.CharField(label="ことば", max_length=40, required=False)
    contact_note = forms.CharField(
        label="連絡の方法",
        max_length=200,
        required=False,
        help_text="例: 平日の昼に携帯へ。留守番電話には残さない。",
    )


class NewResidentForm(ResidentForm):
    is_restricted = forms.BooleanField(
        label="住所秘匿・限定表示（DV等支援措置）",
        required=False,
        help_text="電話・メール・住所を、すべての画面で隠します。",
    )


class EditResidentForm(ResidentForm):
    """The contact of a restricted resident is never filled in; left empty it stays as it was."""

    def __init__(self, data: Any, *, resident: Resident) -> None:
        contact = resident.contact
        fields = ("name", "kana", "birth_on", "language", "contact_note")
        initial = {field: getattr(resident, field) for field in fields}
        if not contact.is_masked:
            initial |= {
                "phone": contact.phone,
                "email": contact.email,
                "address": contact.address,
            }
        super().__init__(data, initial=initial)
        if contact.is_masked:
            for field in ("phone", "email", "address"):
                self.fields[
                    field
                ].help_text = "秘匿されています。変えるときだけ、新しい内容を入力してください。"


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="理由",
        max_length=REASON_LENGTH,
        help_text="監査証跡に残ります。",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class AccommodationForm(forms.Form):
    kind = forms.ChoiceField(label="配慮事項", choices=[(kind, kind) for kind in ACCOMMODATIONS])
    note = forms.CharField(label="内容", max_length=200, required=False)
