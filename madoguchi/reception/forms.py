from typing import Any, cast

from django import forms

from madoguchi.booking.models import Service
from madoguchi.offices.models import Counter, Site
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
        choices=[
            (remark.value, rules.REMARK_LABELS[remark])
            for remark in rules.Remark
            if remark is not rules.Remark.AT_TERMINAL
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "理由を選んでください。"},
    )

    def __init__(self, *args: Any, site: Site, **more: Any) -> None:
        super().__init__(*args, **more)
        field = cast("forms.ModelChoiceField[Service]", self.fields["service"])
        field.queryset = Service.objects.shown().filter(counters__site=site).distinct()

    def clean_reason(self) -> rules.Remark:
        return rules.Remark(self.cleaned_data["reason"])


class TransferForm(forms.Form):
    """To which counter the visitor goes on, now or afterwards."""

    service = forms.ModelChoiceField(
        Service.objects.none(),
        label="次の用件",
        empty_label="えらんでください",
        error_messages={"required": "次の用件を選んでください。"},
    )
    desk = forms.ModelChoiceField(
        Counter.objects.none(),
        label="窓口",
        required=False,
        empty_label="どの窓口でもよい",
        help_text="窓口を指定すると、その窓口だけが呼び出せます。",
    )
    note = forms.CharField(
        label="申し送り",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="次の窓口の職員に見えます。住民には見えません。",
    )
    when = forms.ChoiceField(
        label="いつ",
        choices=[("now", "いま引き継ぐ"), ("after", "この窓口が終わったら、続けて案内する")],
        initial="now",
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, site: Site, **more: Any) -> None:
        super().__init__(*args, **more)
        services = cast("forms.ModelChoiceField[Service]", self.fields["service"])
        services.queryset = Service.objects.shown().filter(counters__site=site).distinct()
        desks = cast("forms.ModelChoiceField[Counter]", self.fields["desk"])
        desks.queryset = Counter.objects.filter(site=site, is_active=True).order_by("pk")


class QueueRuleForm(forms.Form):
    order = forms.ChoiceField(
        label="呼び出す順",
        choices=[(order.value, rules.ORDER_LABELS[order]) for order in rules.Order],
        widget=forms.RadioSelect,
    )
    grace_minutes = forms.IntegerField(
        label="予約の時刻に何分まで遅れてよいか",
        min_value=0,
        max_value=120,
        help_text="これを超えて遅れた方は、予約のない方と同じ順になります。例: 5",
        widget=forms.NumberInput(attrs={"class": "narrow"}),
    )
    delay_minutes = forms.IntegerField(
        label="予約なしの方を何分後回しにするか",
        min_value=0,
        max_value=120,
        help_text="「予約なしは後回し」のときに使います。例: 15",
        widget=forms.NumberInput(attrs={"class": "narrow"}),
    )
    busy_minutes = forms.IntegerField(
        label="何分待つと「混んでいる」とするか",
        min_value=5,
        max_value=240,
        help_text="これを超えると、受付の全体に応援の案を出します。例: 30",
        widget=forms.NumberInput(attrs={"class": "narrow"}),
    )


class TerminalForm(forms.Form):
    name = forms.CharField(
        label="置き場所",
        max_length=40,
        help_text="例: 1階入口",
        error_messages={"required": "置き場所を入力してください。"},
    )


class PeriodForm(forms.Form):
    first = JapaneseDateField(label="から", help_text="")
    last = JapaneseDateField(label="まで", help_text="")

    def clean(self) -> dict[str, Any]:
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first and last and last < first:
            self.add_error("last", "「まで」は「から」より後の日にしてください。")
        return self.cleaned_data
