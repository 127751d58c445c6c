from datetime import date
from typing import Any
from uuid import uuid4

from django import forms

from madoguchi.casework.models import Category
from madoguchi.casework.rules import CHANNEL_LABELS, KIND_LABELS, Channel, Kind
from madoguchi.foundation.dates import wareki
from madoguchi.letters import rules
from madoguchi.letters.actions import Said
from madoguchi.offices.models import Division
from madoguchi.ui.fields import JapaneseDateField, KanaField, PhoneField

CHANNELS = (
    Channel.MAYOR_LETTER,
    Channel.LETTER,
    Channel.MAIL,
    Channel.FORM,
    Channel.FAX,
    Channel.OPINION_BOX,
)
ROWS = 3  # empty items on a new page; "項目を増やす" adds as many


class LetterForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput, required=False, initial=uuid4)
    received_on = JapaneseDateField(label="受付日")
    channel = forms.ChoiceField(
        label="経路", choices=[(each.value, CHANNEL_LABELS[each]) for each in CHANNELS]
    )
    wants_reply = forms.BooleanField(label="回答を希望している", required=False, initial=True)
    name = forms.CharField(
        label="差出人の氏名", max_length=120, required=False, help_text="匿名の手紙は空欄に。"
    )
    kana = KanaField(label="フリガナ", max_length=120, required=False)
    phone = PhoneField(label="電話番号", required=False)
    text = forms.CharField(
        label="手紙の全文",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 10}),
        error_messages={"required": "手紙の全文を入力してください。"},
    )

    def clean_received_on(self) -> date:
        on: date = self.cleaned_data["received_on"]
        return on

    def received(self) -> dict[str, Any]:
        """Return what `actions.receive` takes of the letter itself."""
        cleaned = dict(self.cleaned_data)
        sender = {field: cleaned.pop(field) or "" for field in ("name", "kana", "phone")}
        return cleaned | {"sender": sender if any(sender.values()) else None}


class ItemForm(forms.Form):
    """One thing the letter says. All empty: there is no such item."""

    title = forms.CharField(label="件名", max_length=120, required=False)
    text = forms.CharField(
        label="内容（所管課に渡る文。お名前などは書かないでください）",
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    kind = forms.ChoiceField(
        label="種別",
        choices=[(kind.value, KIND_LABELS[kind]) for kind in Kind],
        initial=Kind.REQUEST.value,
    )
    category = forms.ModelChoiceField(
        Category.objects.filter(is_active=True),
        label="分野",
        required=False,
        empty_label="選んでください",
    )
    owner = forms.ModelChoiceField(
        Division.objects.filter(is_active=True, is_outside=False).order_by("name"),
        label="担当課",
        required=False,
        empty_label="選んでください",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if not self.is_said():
            return cleaned
        for field in ("title", "category", "owner"):
            if not cleaned.get(field) and field not in self.errors:
                self.add_error(field, f"{self.fields[field].label}を入れてください。")
        return cleaned

    def is_said(self) -> bool:
        return any(
            self.cleaned_data.get(field) for field in ("title", "text", "category", "owner")
        )

    def said(self) -> Said:
        cleaned = self.cleaned_data
        return Said(
            title=cleaned["title"],
            text=cleaned["text"],
            kind=cleaned["kind"],
            category=cleaned["category"],
            owner=cleaned["owner"],
        )


class SaidFormSet(forms.BaseFormSet):  # type: ignore[type-arg]
    def clean(self) -> None:
        if not any(self.errors) and not self.said():
            raise forms.ValidationError("項目を、少なくとも一つ入力してください。")

    def said(self) -> list[Said]:
        return [form.said() for form in self.forms if form.is_said()]


ItemFormSet: type[SaidFormSet] = forms.formset_factory(  # type: ignore[assignment]
    ItemForm, formset=SaidFormSet, extra=ROWS, max_num=rules.MOST_ITEMS
)


class FilterForm(forms.Form):
    q = forms.CharField(label="番号", required=False, max_length=20)
    status = forms.ChoiceField(
        label="状態",
        required=False,
        choices=[("open", "回答していないもの"), ("answered", "回答済み"), ("", "すべて")],
    )
    year = forms.TypedChoiceField(label="年度", required=False, coerce=int, empty_value=None)

    def __init__(self, *args: Any, years: list[int], **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["year"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 the class says so
        field.choices = [("", "すべて")] + [
            (str(year), f"{wareki(date(year, 4, 1)).partition('年')[0]}年度") for year in years
        ]


class OutcomeForm(forms.Form):
    outcome = forms.ChoiceField(
        label="結果",
        choices=[("", "選んでください")]
        + [(each.value, label) for each, label in rules.OUTCOME_LABELS.items()],
        error_messages={"required": "結果を選んでください。"},
    )

    def clean_outcome(self) -> rules.Outcome:
        return rules.Outcome(self.cleaned_data["outcome"])


class AnswerForm(forms.Form):
    text = forms.CharField(
        label="回答文",
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text="項目ごとの結論と理由から作りました。手紙を書いた方に届く言葉に直してください。",
    )
