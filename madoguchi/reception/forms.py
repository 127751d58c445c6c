from typing import Any, cast

from django import forms

from madoguchi.booking.models import Service
from madoguchi.offices.models import Site
from madoguchi.reception import rules
from madoguchi.ui.fields import JapaneseDateField


class CheckInForm(forms.Form):
    code = forms.CharField(
        label="予約番号・お名前・QRコード",
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "予約番号かお名前を入力してください。"},
    )


class WalkInForm(forms.Form):
    service = forms.ModelChoiceField(
        Service.objects.none(),
        label="手続き・相談",
        empty_label="えらんでください",
        error_messages={"required": "手続き・相談を選んでください。"},
    )
    reason = forms.ChoiceField(
        label="予約しなかった理由",
        choices=[(remark.value, rules.REMARK_LABELS[remark]) for remark in rules.Remark],
        widget=forms.RadioSelect,
        error_messages={"required": "理由を選んでください。"},
    )

    def __init__(self, *args: Any, site: Site, **more: Any) -> None:
        super().__init__(*args, **more)
        field = cast("forms.ModelChoiceField[Service]", self.fields["service"])
        field.queryset = Service.objects.shown().filter(counters__site=site).distinct()

    def clean_reason(self) -> rules.Remark:
        return rules.Remark(self.cleaned_data["reason"])


class PeriodForm(forms.Form):
    first = JapaneseDateField(label="から", help_text="")
    last = JapaneseDateField(label="まで", help_text="")

    def clean(self) -> dict[str, Any]:
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first and last and last < first:
            self.add_error("last", "「まで」は「から」より後の日にしてください。")
        return self.cleaned_data
