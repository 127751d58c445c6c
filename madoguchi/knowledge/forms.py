from typing import Any

from django import forms

from madoguchi.knowledge.models import Faq
from madoguchi.knowledge.rules import STATUS_LABELS
from madoguchi.offices.models import Division
from madoguchi.ui.fields import JapaneseDateField


class SearchForm(forms.Form):
    """What a citizen looks for. Never an error: too long a text is read to its limit."""

    q = forms.CharField(
        label="知りたいこと",
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    category = forms.CharField(required=False, widget=forms.HiddenInput)


class FilterForm(forms.Form):
    q = forms.CharField(
        label="ことば",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    status = forms.ChoiceField(
        label="状態",
        required=False,
        choices=[
            ("", "すべて"),
            *((status.value, text) for status, text in STATUS_LABELS.items()),
        ],
    )
    category = forms.ChoiceField(label="分野", required=False)
    division = forms.ModelChoiceField(
        Division.objects.order_by("name"), label="担当課", required=False, empty_label="すべて"
    )
    due = forms.BooleanField(label="見直し日を過ぎたものだけ", required=False)

    def __init__(self, *args: Any, categories: list[str], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["category"] = forms.ChoiceField(
            label="分野",
            required=False,
            choices=[("", "すべて"), *((name, name) for name in categories)],
        )


class FaqForm(forms.Form):
    question = forms.CharField(
        label="質問",
        max_length=Faq._meta.get_field("question").max_length,
        help_text="市民が話すことばで、1つだけ。例: 引っ越したら何をすればよいですか。",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    asked = forms.CharField(
        label="ほかの聞かれ方",
        required=False,
        max_length=2_000,
        help_text="別のことばで聞かれたら、1行に1つ書いてください。検索で見つかるようになります。",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    answer = forms.CharField(
        label="回答",
        max_length=20_000,
        help_text="結論を先に。必要な物、場所、時間、問い合わせ先まで。個人の事情は書きません。",
        widget=forms.Textarea(attrs={"rows": 12}),
    )
    category = forms.CharField(
        label="分野", max_length=200, widget=forms.TextInput(attrs={"list": "faq-categories"})
    )
    division = forms.ModelChoiceField(
        Division.objects.filter(is_active=True).order_by("name"),
        label="担当課",
        required=False,
        empty_label="（決めない）",
    )
    review_on = JapaneseDateField(
        label="見直し日",
        required=False,
        help_text="制度が変わる時期など。過ぎると一覧で知らせます。例: R9.3.31",
    )


class SendBackForm(forms.Form):
    reason = forms.CharField(
        label="差し戻しの理由",
        max_length=400,
        help_text="作成者が直せるように、どこをどうするかを書いてください。",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
