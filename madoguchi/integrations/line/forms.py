from django import forms
from django.core.exceptions import ValidationError

from madoguchi.booking import rules


class FollowForm(forms.Form):
    """Which booking one wants to be reminded of."""

    number = forms.CharField(
        label="予約番号",
        max_length=40,
        help_text="英字と数字、あわせて8文字です。例: K7XM-3PWC",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
        error_messages={"required": "予約番号を入力してください。"},
    )
    phone = forms.CharField(
        label="電話番号",
        max_length=30,
        required=False,
        help_text="予約のときに電話番号を入力した方は、同じ番号を入力してください。",
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )

    def clean_number(self) -> str:
        try:
            return rules.parse_number(self.cleaned_data["number"])
        except ValueError as error:
            raise ValidationError(str(error)) from error
