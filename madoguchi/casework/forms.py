"""What officers and residents type about a case: parsed and checked here, saved elsewhere."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import ModelChoiceIterator
from django.utils import timezone

from madoguchi.casework import rules
from madoguchi.casework.models import Case, Category
from madoguchi.knowledge.rules import Span, mask, mask_candidates
from madoguchi.offices.models import Division, Room
from madoguchi.residents.models import Resident
from madoguchi.staff.models import User
from madoguchi.ui.fields import JapaneseDateField, KanaField, PhoneField

if TYPE_CHECKING:
    RowField = forms.ModelChoiceField[Any]
    RowIterator = ModelChoiceIterator[Any]
else:
    RowField = forms.ModelChoiceField
    RowIterator = ModelChoiceIterator

TEXT_LENGTH = 20_000
REQUIRED_TITLE = "件名を入力してください。ひとことで構いません。例: 保育所の入所申込み"


def _choices(labels: dict[Any, str], *, first: str | None = None) -> list[tuple[str, str]]:
    chosen = [(str(value), label) for value, label in labels.items()]
    return chosen if first is None else [("", first), *chosen]


class KeyField(forms.UUIDField):
    """The key by which a form sent twice is known; made when the form is first shown."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(required=False, initial=uuid4)


class LongText(forms.CharField):
    """Several lines of text."""

    def __init__(self, *, rows: int = 6, **more: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows})
        super().__init__(widget=widget, max_length=TEXT_LENGTH, **more)


def category_field() -> "forms.ModelChoiceField[Category]":
    return forms.ModelChoiceField(
        queryset=Category.objects.filter(is_active=True),
        label="分野",
        empty_label="選んでください",
        error_messages={"required": "分野を選んでください。迷うときは「その他」で構いません。"},
    )


class PersonForm(forms.Form):
    """Who it is: found in the register, entered into it, or left anonymous."""

    NEW = "new"

    name = forms.CharField(label="氏名", max_length=120, required=False)
    kana = KanaField(label="フリガナ", max_length=120, required=False)
    phone = PhoneField(label="電話番号", required=False)
    person = forms.CharField(widget=forms.HiddenInput, required=False)

    def is_named(self) -> bool:
        cleaned = self.cleaned_data
        return any(cleaned.get(field) for field in ("name", "kana", "phone"))

    def wanted(self) -> dict[str, str]:
        """Return what is known of the person, as the register's search takes it."""
        cleaned = getattr(self, "cleaned_data", {})
        return {field: cleaned.get(field) or "" for field in ("name", "kana", "phone")}

    def chosen(self, candidates: list[Resident]) -> Resident | None:
        """Return the candidate that was picked."""
        picked = self.cleaned_data.get("person")
        return next((person for person in candidates if str(person.pk) == picked), None)

    def is_decided(self, candidates: list[Resident]) -> bool:
        """Say whether the officer has picked one of them, or said that it is somebody new."""
        return self.cleaned_data.get("person") == self.NEW or self.chosen(candidates) is not None

    def ask_which(self) -> None:
        """The register knows somebody like this: the officer decides whether it is them."""
        self.add_error(
            None,
            "同じお名前の方が登録されています。一覧から選ぶか、「新しい方として登録」を選んでください。",
        )


class ReceiveForm(PersonForm):
    """A new case: three fields are enough while the telephone is at the ear."""

    key = KeyField()
    channel = forms.ChoiceField(label="経路", choices=_choices(rules.CHANNEL_LABELS))
    kind = forms.ChoiceField(label="種別", choices=_choices(rules.KIND_LABELS))
    category = category_field()
    title = forms.CharField(
        label="件名",
        max_length=120,
        error_messages={"required": REQUIRED_TITLE},
        widget=forms.TextInput(attrs={"autofocus": True}),
    )
    summary = LongText(
        label="相談内容",
        required=False,
        help_text="聞きながら書いてください。書きかけは自動で保存されます。",
        rows=8,
    )
    text = LongText(
        label="今回の対応（伝えたこと、したこと）",
        required=False,
        help_text="あとで書くこともできます。",
        rows=4,
    )
    minutes = forms.IntegerField(
        label="かかった時間（分）", min_value=0, max_value=600, required=False
    )
    to = forms.ModelChoiceField(
        Division.objects.filter(is_active=True, is_centre=False, is_outside=False).order_by(
            "kana", "name"
        ),
        label="引き継ぐ課（このまま対応を頼むとき）",
        empty_label="引き継がない",
        required=False,
    )

    def __init__(self, *args: Any, may_ask: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        if not may_ask:
            del self.fields["to"]

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("minutes") and not self.cleaned_data.get("text"):
            self.add_error("text", "時間を残すときは、今回の対応も書いてください。")
        return self.cleaned_data


class RecordForm(forms.Form):
    """相談記録票: the matter, the worries, and what was said and done this time."""

    key = KeyField()
    version = forms.IntegerField(widget=forms.HiddenInput)
    title = forms.CharField(
        label="件名", max_length=120, error_messages={"required": REQUIRED_TITLE}
    )
    kind = forms.ChoiceField(label="種別", choices=_choices(rules.KIND_LABELS))
    category = category_field()
    summary = LongText(label="相談内容（何に困っているか）", required=False, rows=9)
    text = LongText(
        label="今回の対応（伝えたこと、したこと）",
        required=False,
        help_text="保存すると、経過に日時と名前つきで残ります。",
        rows=6,
    )
    channel = forms.ChoiceField(label="今回の経路", choices=_choices(rules.CHANNEL_LABELS))
    minutes = forms.IntegerField(
        label="かかった時間（分）", min_value=0, max_value=600, required=False
    )
    worries = forms.MultipleChoiceField(
        label="困りごと（○）",
        choices=list(rules.WORRY_LABELS.items()),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    worst = forms.ChoiceField(
        label="最も困っていること（◎）",
        choices=[("", "（なし）"), *rules.WORRY_LABELS.items()],
        required=False,
    )

    def __init__(self, *args: Any, case: Case, **more: Any) -> None:
        super().__init__(*args, **more)
        category = self.fields["category"]
        assert isinstance(category, forms.ModelChoiceField)  # noqa: S101 the class says so
        category.queryset = Category.objects.filter(is_active=True) | Category.objects.filter(
            pk=case.category_id
        )

    @staticmethod
    def initial_of(case: Case) -> dict[str, Any]:
        worries = dict(case.worries.values_list("code", "is_worst"))
        return {
            "version": case.version,
            "title": case.title,
            "kind": case.kind,
            "category": case.category_id,
            "summary": case.summary,
            "channel": case.channel,
            "worries": list(worries),
            "worst": next((code for code, is_worst in worries.items() if is_worst), ""),
        }

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        chosen = {code: False for code in cleaned.pop("worries", [])}
        if worst := cleaned.pop("worst", ""):
            chosen[worst] = True
        return cleaned | {"worries": chosen, "minutes": cleaned.get("minutes") or 0}


class CorrectContactForm(forms.Form):
    text = LongText(
        label="正しい内容", error_messages={"required": "正しい内容を入力してください。"}
    )
    minutes = forms.IntegerField(
        label="かかった時間（分）", min_value=0, max_value=600, required=False
    )
    reason = forms.CharField(
        label="訂正の理由",
        max_length=200,
        help_text="元の記録は消えません。訂正と理由が並んで残ります。",
        error_messages={"required": "訂正の理由を入力してください。例: 日付の書き間違い"},
    )

    def clean_minutes(self) -> int:
        return self.cleaned_data.get("minutes") or 0


class RestrictForm(forms.Form):
    is_sensitive = forms.BooleanField(
        label="限定案件にする（関与職員とセンター長だけが見られます）", required=False
    )
    reason = forms.CharField(
        label="理由",
        max_length=200,
        help_text="監査証跡に残ります。個人の事情は書かず、「本人の希望」のように書いてください。",
        error_messages={"required": "理由を入力してください。例: 本人の希望"},
    )


class InvolveForm(forms.Form):
    user = forms.ModelChoiceField(
        queryset=User.objects.none(),
        label="加える職員",
        empty_label="選んでください",
        error_messages={"required": "加える職員を選んでください。"},
    )

    def __init__(self, *args: Any, case: Case, **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["user"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 the class says so
        colleagues = User.objects.filter(is_active=True, division=case.owner)
        centre = User.objects.filter(is_active=True, division__is_centre=True)
        field.queryset = (
            (colleagues | centre)
            .exclude(involvements__case=case)
            .order_by("division", "kana", "pk")
        )


class AskDivisionForm(forms.Form):
    """出向依頼・引き継ぎ: whom, what for, and what the counsellor already knows."""

    key = KeyField()
    kind = forms.ChoiceField(
        label="依頼の種類",
        choices=[
            (rules.HandoverKind.COME.value, "出向依頼（相談室に来てもらう）"),
            (rules.HandoverKind.TAKE.value, "引き継ぎ（対応を頼む）"),
        ],
        widget=forms.RadioSelect,
        initial=rules.HandoverKind.COME.value,
    )
    to = forms.ModelChoiceField(
        queryset=Division.objects.filter(is_active=True, is_centre=False).order_by(
            "is_outside", "kana", "name"
        ),
        label="依頼先",
        empty_label="選んでください",
        error_messages={"required": "依頼先を選んでください。"},
    )
    officer = forms.ModelChoiceField(
        queryset=User.objects.filter(is_active=True).select_related("division"),
        label="担当者の指定",
        empty_label="指定しない（部署全体に知らせる）",
        required=False,
    )
    room = forms.ModelChoiceField(
        queryset=Room.objects.filter(is_active=True).select_related("site"),
        label="相談室",
        empty_label="選ばない",
        required=False,
    )
    note = LongText(
        label="申し送り",
        help_text="この説明が依頼先に届きます。住民の方に同じ話を繰り返していただかないためです。",
        rows=10,
        error_messages={"required": "申し送りを入力してください。"},
    )
    due_on = JapaneseDateField(label="対応記録の提出期限")

    def __init__(self, *args: Any, case: Case, **more: Any) -> None:
        super().__init__(*args, **more)
        self.case = case
        officer = self.fields["officer"]
        assert isinstance(officer, forms.ModelChoiceField)  # noqa: S101 the class says so
        officer.label_from_instance = _name_and_division  # type: ignore[method-assign,assignment]
        if case.is_sensitive:
            officer.required = True
            officer.empty_label = "選んでください"
            officer.help_text = "限定案件です。ここで選んだ職員だけに知らせます。"
            officer.error_messages["required"] = "限定案件です。担当する職員を選んでください。"

    def clean_due_on(self) -> date:
        due_on: date = self.cleaned_data["due_on"]
        if due_on < timezone.localdate():
            raise ValidationError("提出期限には、今日より後の日を入力してください。")
        return due_on

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        to, officer = cleaned.get("to"), cleaned.get("officer")
        if to and officer and officer.division_id != to.pk:
            self.add_error("officer", f"{officer.name}さんは{to.name}の職員ではありません。")
        if to and to.pk == self.case.owner_id:
            self.add_error("to", "この案件の担当課です。ほかの部署を選んでください。")
        return cleaned


def _name_and_division(user: Any) -> str:
    return f"{user.division}　{user.name}"


class AcceptForm(forms.Form):
    """Come in five, ten or fifteen minutes, or at a time; nothing at all for a 引き継ぎ."""

    minutes = forms.TypedChoiceField(
        coerce=int, choices=[(5, "5分"), (10, "10分"), (15, "15分")], required=False
    )
    time = forms.TimeField(
        label="到着する時刻",
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}),
        error_messages={"invalid": "時刻は「14:30」のように入力してください。"},
    )

    def __init__(self, *args: Any, kind: str = "", **more: Any) -> None:
        super().__init__(*args, **more)
        self.kind = kind

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        has_time = cleaned.get("minutes") or cleaned.get("time")
        if self.kind == rules.HandoverKind.COME and not has_time and not self.errors:
            self.add_error("time", "何分後に着くか、着く時刻を選んでください。")
        return cleaned

    def expected_at(self, *, now: datetime) -> datetime | None:
        """Return when the officer will be there: today, and not in the past."""
        cleaned = self.cleaned_data
        if minutes := cleaned.get("minutes"):
            return now + timedelta(minutes=minutes)
        if at := cleaned.get("time"):
            return max(now, _today_at(at, now=now))
        return None


def _today_at(at: time, *, now: datetime) -> datetime:
    return timezone.make_aware(datetime.combine(timezone.localdate(now), at))


class ReasonForm(forms.Form):
    """Why something is not done after all."""

    reason = forms.CharField(
        label="理由",
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "理由を入力してください。相手に伝わります。"},
    )


class ReturnRecordForm(forms.Form):
    outcome = LongText(
        label="対応記録",
        help_text="誰が、何を説明・対応したか、住民の方の反応、残っていることを書いてください。",
        rows=10,
        error_messages={"required": "対応記録を入力してください。"},
    )


class CloseForm(forms.Form):
    """A case ends with a conclusion, a reason, and a look at whether it was understood."""

    key = KeyField()
    result = forms.ChoiceField(
        label="結果",
        choices=_choices(rules.RESULT_LABELS, first="選んでください"),
        error_messages={"required": "結果を選んでください。"},
    )
    conclusion = LongText(
        label="結論",
        rows=4,
        help_text="どうなったか。FAQの下書きの「回答」にも使われます。",
        error_messages={"required": "結論を入力してください。"},
    )
    reason = LongText(
        label="理由",
        rows=3,
        help_text="なぜその結論になったか。根拠とした制度や判断を書いてください。",
        error_messages={"required": "理由を入力してください。"},
    )
    understanding = forms.ChoiceField(
        label="理解度の確認",
        choices=_choices(rules.UNDERSTANDING_LABELS),
        widget=forms.RadioSelect,
        help_text="結論を、相談者がどう受け止められたか。",
        error_messages={"required": "理解度を確認して、選んでください。"},
    )
    without_record_reason = forms.CharField(
        label="対応記録を待たずに終了する理由", max_length=400, required=False
    )

    def __init__(self, *args: Any, owing: list[str], **more: Any) -> None:
        super().__init__(*args, **more)
        if owing:
            names = "、".join(owing)
            self.fields["without_record_reason"].help_text = (
                f"{names}の対応記録がまだ返っていません。"
                "待たずに終了すると、依頼は取り下げられます。"
            )
        else:
            del self.fields["without_record_reason"]


class ListedRows(RowIterator):
    """The choices out of the rows that the field has read already."""

    field: "ListedChoiceField"

    def __iter__(self) -> Iterator[tuple[Any, str]]:
        yield ("", str(self.field.empty_label or ""))
        for row in self.field.rows:
            value, label = self.choice(row)
            yield value, str(label)


class ListedChoiceField(RowField):
    """A row out of a short table, read once: to be shown, and to check what was chosen."""

    iterator = ListedRows

    @property
    def rows(self) -> list[Any]:
        if not hasattr(self, "_rows"):
            self._rows = list(self.queryset.all()) if self.queryset is not None else []
        return self._rows

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        found = next((row for row in self.rows if str(row.pk) == str(value)), None)
        if found is None:
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return found


class CaseFilterForm(forms.Form):
    """What the case list shows; it lives in the address, so that a list can be kept."""

    q = forms.CharField(
        label="番号・氏名・ことば",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    status = forms.ChoiceField(
        label="状態",
        required=False,
        choices=[
            ("open", "終了を除く"),
            ("", "すべて"),
            *[(status.value, label) for status, label in rules.STATUS_LABELS.items()],
        ],
    )
    kind = forms.ChoiceField(
        label="種別", required=False, choices=_choices(rules.KIND_LABELS, first="すべて")
    )
    channel = forms.ChoiceField(
        label="経路", required=False, choices=_choices(rules.CHANNEL_LABELS, first="すべて")
    )
    category = ListedChoiceField(
        queryset=Category.objects.all(), label="分野", required=False, empty_label="すべて"
    )
    owner = ListedChoiceField(
        queryset=Division.objects.filter(is_outside=False).order_by("-is_centre", "kana", "name"),
        label="担当課",
        required=False,
        empty_label="すべて",
    )
    result = forms.ChoiceField(
        label="結果", required=False, choices=_choices(rules.RESULT_LABELS, first="すべて")
    )
    since = JapaneseDateField(label="受付日（から）", required=False, help_text="")
    until = JapaneseDateField(label="受付日（まで）", required=False, help_text="")
    mine = forms.BooleanField(label="自分が関わった案件だけ", required=False)

    def has_more(self) -> bool:
        """Say whether one of the conditions that are folded away is in force."""
        folded = ("kind", "channel", "owner", "result", "since", "until")
        return any(self.data.get(name) for name in folded)


class FaqDraftForm(forms.Form):
    """
    Question and answer for everybody, without anything that points at a person.

    Each span the analyser proposes is shown; `hidden` and `kept` are what the person decided.
    A text edited afterwards may hold new ones: those are asked about again. `hides_all`: the
    case is of somebody with a restricted display; nothing is shown, asked about or kept.
    """

    question = forms.CharField(label="質問", max_length=300)
    answer = LongText(label="回答", rows=8)
    category = forms.CharField(widget=forms.HiddenInput, max_length=100)

    def __init__(self, *args: Any, known: list[str], hides_all: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        self.known, self.hides_all = known, hides_all
        self.hidden, self.kept = self._decided("hide"), self._decided("keep")
        if hides_all:
            for field in ("question", "answer"):
                self.initial[field] = self._masked(self.initial[field])

    def _decided(self, decision: str) -> set[str]:
        """Return the words for which the radio button `span-1=hide:山田` and its like was set."""
        given = [self.data[name] for name in self.data if name.startswith("span-")]
        pairs = [value.partition(":") for value in given]
        return {words for chosen, _, words in pairs if chosen == decision}

    def spans(self) -> list[Span]:
        """Return every span in the texts that may point at a person, each wording once."""
        if self.is_bound:
            texts = [self.data.get("question", ""), self.data.get("answer", "")]
        else:
            texts = [self.initial["question"], self.initial["answer"]]
        found: dict[str, Span] = {}
        for text in texts:
            for span in mask_candidates(text, known=self.known):
                found.setdefault(span.text, span)
        return list(found.values())

    def clean(self) -> dict[str, Any]:
        undecided = [span for span in self.spans() if span.text not in self.hidden | self.kept]
        if undecided and not self.hides_all:
            names = "、".join(f"「{span.text}」" for span in undecided)
            raise ValidationError(
                f"{names}は、個人情報かもしれません。隠すか残すかを選んで、もう一度押してください。"
            )
        return self.cleaned_data | {
            field: self._masked(self.cleaned_data.get(field, ""))
            for field in ("question", "answer")
        }

    def _masked(self, text: str) -> str:
        spans = mask_candidates(text, known=self.known)
        return mask(text, [span for span in spans if self.hides_all or span.text in self.hidden])


class CategoryForm(forms.Form):
    name = forms.CharField(
        label="名称", max_length=60, error_messages={"required": "名称を入力してください。"}
    )
    code = forms.ChoiceField(
        label="標準の分野",
        choices=[(code, f"{name}（{code}）") for code, name in rules.STANDARD_CATEGORIES],
        help_text="ほかの自治体や前年度と比べるときの分野です。名称を変えても、比べられます。",
    )
    is_active = forms.BooleanField(
        label="新しい案件で選べるようにする", required=False, initial=True
    )

    def __init__(self, *args: Any, category: Category | None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.category = category

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        others = Category.objects.all()
        if self.category is not None:
            others = others.exclude(pk=self.category.pk)
        if others.filter(name=name).exists():
            raise ValidationError("同じ名称の分野があります。別の名称にしてください。")
        return name


class RecordTermForm(forms.Form):
    days = forms.IntegerField(
        label="対応記録の提出期限（日）",
        min_value=1,
        max_value=60,
        error_messages={
            "required": "日数を入力してください。",
            "min_value": "1日以上にしてください。",
            "max_value": "60日以内にしてください。",
        },
    )
    counts_closed_days = forms.BooleanField(label="閉庁日も日数に数える", required=False)


class SurveyForm(forms.Form):
    """One line of five marks for each question; every answer is voluntary."""

    comment = forms.CharField(
        label="ご意見（自由にお書きください）",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="お名前や電話番号など、個人が分かることは書かないでください。",
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for item in rules.ASKED_AFTER_CONSULTATION:
            self.fields[item.value] = forms.TypedChoiceField(
                label=rules.SURVEY_LABELS[item],
                choices=[(str(score), label) for score, label in rules.SCORE_LABELS.items()],
                coerce=int,
                empty_value=None,
                widget=forms.RadioSelect,
                required=False,
            )
        self.order_fields([item.value for item in rules.ASKED_AFTER_CONSULTATION])

    def scores(self) -> dict[str, int]:
        cleaned = self.cleaned_data
        return {
            item.value: cleaned[item.value]
            for item in rules.ASKED_AFTER_CONSULTATION
            if cleaned.get(item.value)
        }

    def clean(self) -> dict[str, Any]:
        if not self.errors and not self.scores() and not self.cleaned_data.get("comment"):
            raise ValidationError("どれか一つでも、お答えください。")
        return self.cleaned_data


class SurveyCodeForm(forms.Form):
    """The number printed on the card."""

    code = forms.CharField(
        label="アンケートの番号",
        max_length=40,
        help_text="お渡しした紙に書いてある12けたの番号です。例: 1234-5678-9012",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": "紙に書いてある番号を入力してください。"},
    )

    def clean_code(self) -> str:
        typed = unicodedata.normalize("NFKC", self.cleaned_data["code"])
        code = re.sub(r"[\s‐\-−ー―]", "", typed)
        if not rules.is_survey_code(code):
            raise ValidationError(
                "番号が違うようです。紙の12けたの数字を、もう一度確かめてください。"
            )
        return code
