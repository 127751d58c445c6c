from typing import Any, cast

from django import forms

from madoguchi.booking.models import Service
from madoguchi.booking.rules import STAGE_LABELS, Stage
from madoguchi.foundation import readings
from madoguchi.introduction import rules
from madoguchi.introduction.models import Assumption
from madoguchi.offices.models import Site
from madoguchi.reception.rules import Remark
from madoguchi.ui.fields import JapaneseDateField


class StageField(forms.ChoiceField):
    """Choose one of the stages; gives a `Stage`."""

    def __init__(self, **more: Any) -> None:
        super().__init__(widget=forms.RadioSelect, **more)

    def offer(self, stages: list[Stage]) -> None:
        self.choices = [(stage.value, STAGE_LABELS[stage]) for stage in stages]

    def clean(self, value: Any) -> Stage:
        return Stage(super().clean(value))


class ProposeForm(forms.Form):
    stage = StageField(label="次の段階", error_messages={"required": "次の段階を選んでください。"})
    on = JapaneseDateField(label="切り替える日")
    reason = forms.CharField(
        label="目的・理由",
        max_length=200,
        required=False,
        help_text="承認する人が読みます。例: 月初めの待ち時間が1時間を超えるため。",
    )

    def __init__(self, *args: Any, now: Stage, **more: Any) -> None:
        super().__init__(*args, **more)
        stages = rules.later_stages(now)
        cast(StageField, self.fields["stage"]).offer(stages)
        self.initial.setdefault("stage", stages[0].value if stages else "")


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="理由",
        max_length=200,
        error_messages={
            "required": "理由を入力してください。あとから経緯が分かるように残します。"
        },
    )


class GoBackForm(ReasonForm):
    stage = StageField(label="戻す段階", error_messages={"required": "段階を選んでください。"})

    field_order = ["stage", "reason"]

    def __init__(self, *args: Any, now: Stage, **more: Any) -> None:
        super().__init__(*args, **more)
        cast(StageField, self.fields["stage"]).offer(rules.earlier_stages(now))


class QuestionForm(forms.Form):
    question = forms.CharField(label="質問", max_length=100, required=False)
    answer = forms.CharField(
        label="答え", max_length=600, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def clean(self) -> dict[str, Any]:
        fields = super().clean() or self.cleaned_data
        if fields.get("question") and not fields.get("answer"):
            self.add_error("answer", "答えを入力してください。")
        if fields.get("answer") and not fields.get("question"):
            self.add_error("question", "質問を入力してください。")
        return fields


QuestionFormSet = forms.formset_factory(QuestionForm, extra=2, max_num=40)


def _words(label: str, rows: int, length: int, help_text: str = "") -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, max_length=length, help_text=help_text, widget=widget)


class NoticeForm(forms.Form):
    title = _words(
        "見出し",
        2,
        120,
        "ふりがなは「予約《よやく》」、熟語の途中なら「｜引っ越し《ひっこし》」のように書きます。",
    )
    body = _words("本文", 8, 1200)
    easy_title = _words("見出し（やさしい日本語）", 2, 120)
    easy_body = _words("本文（やさしい日本語）", 8, 1200)

    def clean(self) -> dict[str, Any]:
        fields = super().clean() or self.cleaned_data
        for name in ("easy_title", "easy_body"):
            missing = readings.unread(fields.get(name, ""))
            if missing:
                self.add_error(
                    name,
                    "やさしい日本語では、すべての漢字にふりがなを付けてください："
                    + "、".join(dict.fromkeys(missing)),
                )
        for name in self.fields:
            if "《" in readings.plain(fields.get(name, "")):
                self.add_error(name, "《 》の前に漢字がないか、閉じていないところがあります。")
        return fields


class TrialForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Assumption
        fields = ["site", "share_booking", "no_show", "per_hour", "counters"]

    def __init__(self, *args: Any, service: Service, **more: Any) -> None:
        super().__init__(*args, **more)
        site = cast("forms.ModelChoiceField[Site]", self.fields["site"])
        site.queryset = Site.objects.filter(counters__services=service).distinct()
        site.empty_label = None
        for name, low, high in (
            ("share_booking", 0, 100),
            ("no_show", 0, 60),
            ("per_hour", 1, 60),
            ("counters", 1, 20),
        ):
            self.fields[name] = forms.IntegerField(
                label=self.fields[name].label,
                min_value=low,
                max_value=high,
                widget=forms.NumberInput(attrs={"class": "narrow", "data-slider": "data-slider"}),
            )


class EventForm(forms.Form):
    """What reception counts; the reason comes from the walk-in form around the button."""

    service = forms.ModelChoiceField(
        Service.objects.none(),
        error_messages={"required": "先に、手続き・相談を選んでください。"},
    )
    reason = forms.ChoiceField(
        choices=[("", ""), *((remark.value, "") for remark in Remark)], required=False
    )

    def __init__(self, *args: Any, site: Site, **more: Any) -> None:
        super().__init__(*args, **more)
        field = cast("forms.ModelChoiceField[Service]", self.fields["service"])
        field.queryset = Service.objects.shown().filter(counters__site=site).distinct()

    def clean_reason(self) -> Remark | None:
        reason = self.cleaned_data["reason"]
        return Remark(reason) if reason else None
