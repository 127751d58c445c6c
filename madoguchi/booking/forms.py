from datetime import date, datetime
from typing import Any, TypedDict, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.crypto import get_random_string

from madoguchi.booking import rules
from madoguchi.booking.models import Service
from madoguchi.offices.models import Counter, Division, Site
from madoguchi.ui.fields import JapaneseDateField, KanaField, PhoneField


def new_key() -> str:
    """Return the key that makes a form sent twice one booking."""
    return get_random_string(32)


class PersonForm(forms.Form):
    """Who books: as little as the counter needs."""

    name = forms.CharField(
        label="お名前",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": "お名前を入力してください。"},
    )
    kana = KanaField(
        label="ふりがな",
        max_length=120,
        required=False,
        help_text="ひらがなでも、カタカナでもかまいません。",
    )
    phone = PhoneField(
        label="電話番号",
        required=False,
        help_text="都合が変わったときに、市からご連絡します。例: 090-1234-5678",
    )
    email = forms.EmailField(
        label="メールアドレス",
        required=False,
        help_text="予約番号と、変更・取り消しのページをお送りします。",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=100, required=False)

    def clean_key(self) -> str:
        return self.cleaned_data["key"] or new_key()

    def renew_key(self) -> None:
        """Keep what was typed, but let the next sending be another booking."""
        self.data = {name: self.data.get(name, "") for name in self.fields} | {"key": new_key()}


class FindForm(forms.Form):
    number = forms.CharField(
        label="予約番号",
        max_length=40,
        help_text="英字と数字、あわせて8文字です。大文字でも小文字でもかまいません。例: K7XM-3PWC",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
        error_messages={"required": "予約番号を入力してください。"},
    )
    phone = forms.CharField(
        label="電話番号",
        max_length=30,
        required=False,
        help_text="予約のときに電話番号を入力した方は、同じ番号を入力してください。",
        widget=forms.TextInput(
            attrs={"autocomplete": "tel", "inputmode": "tel", "class": "narrow"}
        ),
    )

    def clean_number(self) -> str:
        try:
            return rules.parse_number(self.cleaned_data["number"])
        except ValueError as error:
            raise ValidationError(str(error)) from error


class CallerForm(PersonForm):
    """Who books by telephone or at the counter, as staff type it."""

    field_order = ["name", "kana", "phone", "email", "source"]

    source = forms.ChoiceField(
        label="予約の方法",
        choices=[
            (source.value, rules.SOURCE_LABELS[source])
            for source in (rules.Source.PHONE, rules.Source.COUNTER)
        ],
        initial=rules.Source.PHONE.value,
        widget=forms.RadioSelect,
    )

    def clean_source(self) -> rules.Source:
        return rules.Source(self.cleaned_data["source"])


class AppointmentNumberForm(forms.Form):
    number = forms.CharField(
        label="予約番号",
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "narrow"}),
        error_messages={"required": "予約番号を入力してください。"},
    )

    def clean_number(self) -> str:
        try:
            return rules.parse_number(self.cleaned_data["number"])
        except ValueError as error:
            raise ValidationError(str(error)) from error


class StartForm(forms.Form):
    """Which place was chosen, from the address of the page."""

    site = forms.ModelChoiceField(Site.objects.all(), to_field_name="code")
    start = forms.CharField(max_length=40)

    def clean_start(self) -> datetime:
        try:
            start = datetime.fromisoformat(self.cleaned_data["start"].replace(" ", "+"))
            aware = start if start.tzinfo else start.replace(tzinfo=rules.JST)
            rules.cell_of(aware)
        except (ValueError, OverflowError, rules.NotBookable) as error:
            raise ValidationError("時刻として読めません。") from error
        return aware


class DayForm(forms.Form):
    """Which site and day of the calendar is looked at; all may be missing."""

    site = forms.ModelChoiceField(Site.objects.all(), to_field_name="code", required=False)
    on = forms.DateField(required=False, input_formats=["%Y-%m-%d"])

    def clean_on(self) -> date | None:
        on: date | None = self.cleaned_data["on"]
        return on if on is None or 2000 <= on.year <= 2999 else None


class Place(TypedDict):
    """A chosen start at a site."""

    site: Site
    start: datetime


class Day(TypedDict, total=False):
    """A site and a day of the calendar, as far as they were asked for."""

    site: Site
    on: date


def chosen_place(asked: QueryDict, *, instead: str | None = None) -> Place | None:
    """
    Return the place of the page's address, or None if it is none; `instead` is the start on
    the button that offers another time.
    """
    form = StartForm(asked.dict() | ({"start": instead} if instead else {}))
    if not form.is_valid():
        return None
    return Place(site=form.cleaned_data["site"], start=form.cleaned_data["start"])


def chosen_day(asked: QueryDict) -> Day:
    form = DayForm(asked)
    if not form.is_valid():
        return {}
    found = form.cleaned_data
    day = Day()
    if found["site"]:
        day["site"] = found["site"]
    if found["on"]:
        day["on"] = found["on"]
    return day


class SearchForm(forms.Form):
    q = forms.CharField(
        label="手続き・相談をさがす",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )


class CounterField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Counter) -> str:
        return f"{obj.site} {obj}"


class CountersField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Counter) -> str:
        return f"{obj.site} {obj}"


class ServiceForm(forms.ModelForm):  # type: ignore[type-arg]
    counters = CountersField(
        Counter.objects.filter(is_active=True).select_related("site").order_by("site", "id"),
        label="受け付ける窓口",
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    class Meta:
        model = Service
        fields = [
            "name",
            "kana",
            "code",
            "category",
            "summary",
            "keywords",
            "division",
            "minutes",
            "bring",
            "stage",
            "counters",
            "lead_minutes",
            "opens_days_before",
            "order",
            "is_active",
        ]
        widgets = {
            "stage": forms.RadioSelect,
            "bring": forms.Textarea(attrs={"rows": 5}),
            "summary": forms.Textarea(attrs={"rows": 3}),
        }
        help_texts = {
            "code": "アドレスに使う半角の英数字。例: hoiku-nyusho",
            "keywords": "住民が使うことばを、空白で区切って。例: 保育園 入園 待機児童",
            "bring": "1行に1つ。予約の確認画面と予約票に出ます。",
            "category": "例: 子育て",
            "summary": "住民に見せる、1〜2文の説明。",
            "lead_minutes": "例: 60（1時間前まで）、2880（2日前まで）",
            "opens_days_before": "180日まで。新しい日は朝8:30から予約できます。",
        }

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for name, low, high in (
            ("minutes", 5, 480),
            ("lead_minutes", 0, 180 * 24 * 60),
            ("opens_days_before", 0, rules.MAX_OPENS_DAYS),
        ):
            self.fields[name] = forms.IntegerField(
                label=self.fields[name].label,
                help_text=self.fields[name].help_text,
                initial=self.fields[name].initial,
                min_value=low,
                max_value=high,
                widget=forms.NumberInput(attrs={"class": "narrow"}),
            )

    def offer(self, *, divisions: QuerySet[Division]) -> None:
        """Offer these divisions only."""
        field = cast("forms.ModelChoiceField[Division]", self.fields["division"])
        field.queryset = divisions


WEEKDAYS = [(str(index), name) for index, name in enumerate("月火水木金土日")]


class OpeningRuleForm(forms.Form):
    counter = CounterField(Counter.objects.none(), label="窓口")
    only_this = forms.BooleanField(label="この手続きだけの時間にする", required=False)
    is_closure = forms.BooleanField(label="休止にする（この時間は受け付けない）", required=False)
    weekdays = forms.MultipleChoiceField(
        label="曜日",
        choices=WEEKDAYS,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "曜日を1つ以上選んでください。"},
    )
    opens_at = forms.TimeField(
        label="から", widget=forms.TimeInput(format="%H:%M", attrs={"class": "narrow"})
    )
    closes_at = forms.TimeField(
        label="まで", widget=forms.TimeInput(format="%H:%M", attrs={"class": "narrow"})
    )
    valid_from = JapaneseDateField(label="適用開始日")
    valid_until = JapaneseDateField(
        label="適用終了日", required=False, help_text="空欄なら、ずっと続きます。"
    )
    note = forms.CharField(label="備考", required=False, max_length=100)

    def __init__(self, *args: Any, service: Service, **more: Any) -> None:
        super().__init__(*args, **more)
        self.service = service
        counter = cast(CounterField, self.fields["counter"])
        counter.queryset = service.counters.select_related("site")

    def clean_weekdays(self) -> int:
        return sum(1 << int(day) for day in self.cleaned_data["weekdays"])

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        opens, closes = cleaned.get("opens_at"), cleaned.get("closes_at")
        if opens and closes and closes <= opens:
            self.add_error("closes_at", "「まで」は「から」より後の時刻にしてください。")
        first, last = cleaned.get("valid_from"), cleaned.get("valid_until")
        if first and last and last < first:
            self.add_error("valid_until", "終了日は開始日より後にしてください。")
        return cleaned

    def rule(self) -> dict[str, Any]:
        """Return the fields of the opening rule that was described."""
        fields = dict(self.cleaned_data)
        fields["service"] = self.service if fields.pop("only_this") else None
        return fields
