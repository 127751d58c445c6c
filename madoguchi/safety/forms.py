from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django import forms

from madoguchi.casework.models import Category
from madoguchi.casework.rules import CHANNEL_LABELS, Channel
from madoguchi.safety import queries
from madoguchi.safety.models import Incident
from madoguchi.safety.rules import judgement, measures, response
from madoguchi.safety.rules.judgement import Act, Facts, Line
from madoguchi.safety.rules.response import Stage
from madoguchi.staff.models import User
from madoguchi.ui.fields import JapaneseDateField

CHANNELS = (
    Channel.COUNTER,
    Channel.PHONE,
    Channel.ONSITE,
    Channel.MAIL,
    Channel.FORM,
    Channel.LETTER,
    Channel.ONLINE,
)


def _choices(labels: Any) -> list[tuple[str, str]]:
    return [(each.value, label) for each, label in labels.items()]


def _text(label: str, *, rows: int = 3, required: bool = False, help_text: str = "") -> Any:
    return forms.CharField(
        label=label,
        max_length=20_000,
        required=required,
        widget=forms.Textarea(attrs={"rows": rows}),
        help_text=help_text,
    )


class IncidentForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput, required=False, initial=uuid4)
    channel = forms.ChoiceField(
        label="経路", choices=[(each.value, CHANNEL_LABELS[each]) for each in CHANNELS]
    )
    minutes_ago = forms.IntegerField(
        label="何分前に始まりましたか",
        min_value=0,
        max_value=24 * 60,
        initial=0,
        help_text="今始まったなら0。時間は、この時刻から数えます。",
    )
    place = forms.CharField(
        label="場所", max_length=120, required=False, help_text="例: 本庁舎1階 3番窓口"
    )
    counterpart = forms.CharField(
        label="相手方", max_length=200, required=False, help_text="氏名か、服装などの特徴"
    )
    people = forms.IntegerField(label="相手方の人数", min_value=1, max_value=99, initial=1)
    demand = _text("求められていること（相手の言葉で）")
    trigger = _text("きっかけ")

    def begun(self, *, at: datetime) -> dict[str, Any]:
        """Return what `actions.open_incident` takes."""
        cleaned = dict(self.cleaned_data)
        minutes = cleaned.pop("minutes_ago")
        return cleaned | {"started_at": at - timedelta(minutes=minutes)}


class DescribeForm(forms.Form):
    place = forms.CharField(label="場所", max_length=120, required=False)
    counterpart = forms.CharField(label="相手方（氏名か特徴）", max_length=200, required=False)
    people = forms.IntegerField(label="相手方の人数", min_value=1, max_value=99)
    demand = _text("求められていること（相手の言葉で）")
    trigger = _text("きっかけ")


class StepForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput, required=False)
    stage = forms.ChoiceField(choices=_choices(response.STAGE_LABELS), required=False)
    text = forms.CharField(max_length=4_000, required=False)
    ordered_by = forms.ModelChoiceField(User.objects.none(), required=False)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["ordered_by"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 the class says so
        field.queryset = queries.managers()

    def clean_stage(self) -> Stage | None:
        return Stage(self.cleaned_data["stage"]) if self.cleaned_data["stage"] else None


class JudgementForm(forms.Form):
    demand = forms.ChoiceField(
        label="求めていることは妥当か",
        choices=_choices(judgement.DEMAND_LABELS),
        widget=forms.RadioSelect,
    )
    manner = forms.ChoiceField(
        label="言い方・やり方は相当か",
        choices=_choices(judgement.MANNER_LABELS),
        widget=forms.RadioSelect,
    )
    effect = forms.ChoiceField(
        label="職場への影響",
        choices=_choices(judgement.EFFECT_LABELS),
        widget=forms.RadioSelect,
        help_text="心身の苦痛、止まった仕事、ほかの来庁者への影響",
    )
    fault = forms.ChoiceField(
        label="市の側の不備", choices=_choices(judgement.FAULT_LABELS), widget=forms.RadioSelect
    )
    need = forms.ChoiceField(
        label="配慮すべき事情（障害・認知症・病気・言葉など）",
        choices=_choices(judgement.NEED_LABELS),
        widget=forms.RadioSelect,
        initial=judgement.Need.NOT_ASKED.value,
    )
    acts = forms.MultipleChoiceField(
        label="行為の類型（当てはまるものすべて）",
        choices=_choices(judgement.ACT_LABELS),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    result = forms.ChoiceField(
        label="判定",
        choices=_choices(judgement.RESULT_LABELS),
        widget=forms.RadioSelect,
        required=False,
    )
    reason = _text("理由（事実と言葉で。形容は避ける）", rows=4)
    consulted = forms.ModelMultipleChoiceField(
        User.objects.none(),
        label="一緒に判断した人",
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def __init__(self, *args: Any, incident: Incident, by: User, **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["consulted"]
        assert isinstance(field, forms.ModelMultipleChoiceField)  # noqa: S101 the class says so
        field.queryset = queries.judges(incident).exclude(pk=by.pk)

    def facts(self, *, stop_requests: int) -> Facts:
        cleaned = self.cleaned_data
        return Facts(
            demand=judgement.Demand(cleaned["demand"]),
            manner=judgement.Manner(cleaned["manner"]),
            effect=judgement.Effect(cleaned["effect"]),
            fault=judgement.Fault(cleaned["fault"]),
            need=judgement.Need(cleaned["need"]),
            acts=frozenset(Act(code) for code in cleaned["acts"]),
            stop_requests=stop_requests,
        )


class ComplaintForm(forms.Form):
    title = forms.CharField(label="件名", max_length=120)
    category = forms.ModelChoiceField(
        Category.objects.filter(is_active=True), label="分野", empty_label="選んでください"
    )


class MeasureForm(forms.Form):
    kind = forms.ChoiceField(label="措置", choices=_choices(measures.MEASURE_LABELS))
    ground = _text("根拠と理由", required=True)
    remains_open = _text(
        "相手方に残る方法",
        required=True,
        help_text="例: 手続きと相談は、文書と予約した窓口で今までどおり受けます。",
    )
    review_on = JapaneseDateField(label="見直す日", help_text="6か月以内")

    def clean_kind(self) -> measures.Measure:
        return measures.Measure(self.cleaned_data["kind"])


class ReviewForm(forms.Form):
    review_on = JapaneseDateField(label="次に見直す日", help_text="6か月以内")


class EndForm(forms.Form):
    reason = forms.CharField(
        label="終える理由",
        max_length=400,
        error_messages={"required": "終える理由を入力してください。"},
    )


class FilterForm(forms.Form):
    q = forms.CharField(label="番号", required=False, max_length=20)
    status = forms.ChoiceField(
        label="状態",
        required=False,
        choices=[("open", "続いているもの"), ("over", "終わったもの"), ("", "すべて")],
    )


class LimitForm(forms.Form):
    notice = forms.IntegerField(label="お知らせまで（分）", min_value=1, max_value=600)
    second = forms.IntegerField(label="二次対応まで（分）", min_value=1, max_value=600)
    end = forms.IntegerField(label="終わりを告げるまで（分）", min_value=1, max_value=600)
    stop_requests = forms.IntegerField(label="やめるよう求める回数", min_value=1, max_value=9)
    leave_requests = forms.IntegerField(label="退去を求める回数", min_value=1, max_value=9)

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if not self.errors and not cleaned["notice"] <= cleaned["second"] <= cleaned["end"]:
            self.add_error(
                "end", "「お知らせ」「二次対応」「終わり」の順に、同じか長い分数にしてください。"
            )
        return cleaned


class WordsForm(forms.Form):
    text = _text("言葉（1行に一つ）", rows=4, required=True)


class DelegationForm(forms.Form):
    user = forms.ModelChoiceField(
        User.objects.filter(is_active=True).order_by("name"),
        label="委任する人",
        empty_label="選んでください",
    )


class StandardForm(forms.Form):
    """The definition, and for each line of the standard its words and whether it is used."""

    definition = _text("カスハラの定義", rows=3, required=True)

    def __init__(self, *args: Any, lines: Sequence[Line], **more: Any) -> None:
        super().__init__(*args, **more)
        self.lines = lines
        for line in lines:
            label = judgement.RESULT_LABELS[line.result]
            self.fields[f"words_{line.code}"] = forms.CharField(
                label=f"{label}の行",
                max_length=400,
                initial=line.words,
                required=False,
                widget=forms.Textarea(attrs={"rows": 2}),
                help_text=f"出典: {line.source}　空にすると、この行を使いません。",
            )

    def kept(self) -> list[Line]:
        """Return the lines that are used from now on, in their new words."""
        words = {line.code: self.cleaned_data[f"words_{line.code}"] for line in self.lines}
        return [
            Line(
                line.code,
                line.result,
                words[line.code],
                line.source,
                line.when,
                caps=line.caps,
            )
            for line in self.lines
            if words[line.code]
        ]
