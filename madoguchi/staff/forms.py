from typing import Any

from django import forms

from madoguchi.audit.rules import VERB_LABELS
from madoguchi.offices.models import Division
from madoguchi.staff.models import User
from madoguchi.staff.rules import ROLE_LABELS, Role
from madoguchi.ui.fields import JapaneseDateField, KanaField


class LogInForm(forms.Form):
    username = forms.CharField(
        label="職員ID",
        max_length=60,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        label="パスワード",
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    code = forms.CharField(
        label="確認コード",
        max_length=40,
        help_text="認証アプリに表示されている6けたの数字。電話がないときは、予備コード。",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "class": "narrow"}),
    )


class PasswordForm(forms.Form):
    old = forms.CharField(
        label="今のパスワード",
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label="新しいパスワード",
        max_length=128,
        strip=False,
        help_text="10文字以上。名前や職員IDに似たもの、よくあるもの、数字だけは使えません。",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="新しいパスワード（もう一度）",
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        new, again = cleaned.get("new"), cleaned.get("again")
        if new and again and new != again:
            self.add_error("again", "上の新しいパスワードと違います。同じものを入力してください。")
        return cleaned


class PersonForm(forms.Form):
    name = forms.CharField(label="氏名", max_length=60)
    kana = KanaField(label="ふりがな", max_length=120, required=False)
    email = forms.EmailField(label="メール", max_length=254, required=False)
    role = forms.ChoiceField(
        label="役割", choices=[(role.value, label) for role, label in ROLE_LABELS.items()]
    )
    division = forms.ModelChoiceField(
        Division.objects.filter(is_active=True, is_outside=False).order_by("-is_centre", "name"),
        label="部署",
    )
    is_contractor = forms.BooleanField(label="委託事業者", required=False)

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])


class NewPersonForm(PersonForm):
    username = forms.RegexField(
        r"^[a-z0-9][a-z0-9._-]{1,59}$",
        label="職員ID",
        help_text="ログインに使います。半角の英小文字・数字・「.」「_」「-」で、2文字以上。",
        error_messages={
            "invalid": "半角の英小文字・数字・「.」「_」「-」で、2文字以上にしてください。"
        },
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    field_order = ["username"]

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if User.objects.filter(username=username).exists():
            raise forms.ValidationError("この職員IDは使われています。別のIDにしてください。")
        return username


class AuditSearchForm(forms.Form):
    actor = forms.CharField(label="操作者（職員ID）", max_length=150, required=False)
    person = forms.IntegerField(label="相談者の番号", min_value=1, required=False)
    key = forms.CharField(label="対象（受付番号など）", max_length=80, required=False)
    verb = forms.ChoiceField(
        label="操作", choices=[("", "すべて"), *VERB_LABELS.items()], required=False
    )
    since = JapaneseDateField(label="いつから", required=False)
    until = JapaneseDateField(label="いつまで", required=False)
