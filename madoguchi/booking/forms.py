from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, TypedDict, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet, TextChoices
from django.http import QueryDict
from django.utils.crypto import get_random_string

from madoguchi.booking import queries, rules
from madoguchi.booking.models import Errand, OpeningRule, Service
from madoguchi.foundation.dates import wareki
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

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if not self.is_bound:  # sent back with an error, the summary of errors has the focus
            self.fields["name"].widget.attrs["autofocus"] = True

    def clean_source(self) -> rules.Source:
        return rules.Source(self.cleaned_data["source"])


class WaitingForm(PersonForm):
    """Which full day is waited for, and how the person is reached."""

    field_order = ["place", "name", "kana", "email", "phone"]

    place = forms.ChoiceField(label="キャンセル待ちをする日")

    def __init__(self, *args: Any, days: Sequence[tuple[Site, date]], **more: Any) -> None:
        super().__init__(*args, **more)
        self.days = {f"{site.code}.{day.isoformat()}": (site, day) for site, day in days}
        field = cast(forms.ChoiceField, self.fields["place"])
        field.choices = [
            (value, f"{wareki(day, weekday=True)}　{site}")
            for value, (site, day) in self.days.items()
        ]
        self.fields["email"].help_text = "空きが出たら、すぐにお知らせします。2時間、押さえます。"
        self.fields[
            "phone"
        ].help_text = "メールのない方には、職員がお電話します。例: 090-1234-5678"

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if not self.errors and not cleaned["email"] and not cleaned["phone"]:
            self.add_error("email", "メールアドレスか電話番号のどちらかを入力してください。")
        if "place" in cleaned:
            cleaned["site"], cleaned["day"] = self.days[cleaned.pop("place")]
        cleaned.pop("key", None)
        return cleaned


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


class ServicesField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Service) -> str:
        return f"{obj.name}（およそ{obj.minutes}分）"


class ErrandForm(forms.Form):
    """How many come, and what else they want to settle in the same visit; asked by the address."""

    people = forms.IntegerField(
        label="一緒に来られる人数（ご本人を含む）",
        required=False,
        min_value=1,
        widget=forms.NumberInput(attrs={"class": "narrow"}),
    )
    also = ServicesField(
        Service.objects.none(),
        label="同じ日に一緒に済ませる手続き",
        to_field_name="code",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, asked: QueryDict, *, service: Service) -> None:
        super().__init__(asked)
        self.service = service
        if service.most_people > 1:
            people = cast(forms.IntegerField, self.fields["people"])
            people.help_text = f"{service.most_people}人まで"
        else:
            del self.fields["people"]
        others = queries.together_with(service)
        if others:
            also = cast(ServicesField, self.fields["also"])
            also.queryset = Service.objects.filter(pk__in=[other.pk for other in others])
        else:
            del self.fields["also"]

    def clean_people(self) -> int:
        people = self.cleaned_data["people"] or 1
        if people > self.service.most_people:
            raise ValidationError(f"一度に予約できるのは{self.service.most_people}人までです。")
        return int(people)

    @property
    def errand(self) -> Errand:
        """Return what was asked for; the plain service if it cannot be read."""
        if not self.is_valid():
            return Errand((self.service,))
        also = self.cleaned_data.get("also", ())
        return Errand((self.service, *also), self.cleaned_data.get("people", 1))


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


NUMBERS = {  # field of a service: lowest, highest; what the form leaves empty keeps its default
    "minutes": (5, 480),
    "buffer_before": (0, 120),
    "buffer_after": (0, 120),
    "most_people": (1, 20),
    "minutes_per_person": (0, 120),
    "most_per_person": (1, 20),
    "lead_minutes": (0, 180 * 24 * 60),
    "closes_days_before": (0, 60),
    "opens_days_before": (0, rules.MAX_OPENS_DAYS),
    "online_share": (0, 100),
    "booking_share": (0, 100),
    "confirm_minutes": rules.CONFIRM,
}
MUST_BE_SAID = ("minutes", "lead_minutes", "opens_days_before")


class ServiceForm(forms.ModelForm):  # type: ignore[type-arg]
    counters = CountersField(
        Counter.objects.filter(is_active=True).select_related("site").order_by("site", "id"),
        label="受け付ける窓口",
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    GROUPS = (
        (
            "名称と案内",
            ("name", "kana", "code", "category", "summary", "keywords", "division", "bring"),
        ),
        ("受け付ける窓口と段階", ("counters", "stage", "is_active", "order")),
        ("かかる時間", ("minutes", "buffer_before", "buffer_after")),
        (
            "何人で、何件まで",
            ("most_people", "minutes_per_person", "may_be_combined", "most_per_person"),
        ),
        (
            "いつから、いつまで予約できるか",
            (
                "opens_days_before",
                "releases_at",
                "closes_days_before",
                "closes_at",
                "lead_minutes",
            ),
        ),
        ("電話や、予約なしの方のための枠", ("online_share", "booking_share")),
        ("オンライン予約の確認", ("confirm_minutes",)),
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
            "bring",
            "stage",
            "counters",
            "is_active",
            "order",
            "minutes",
            "buffer_before",
            "buffer_after",
            "most_people",
            "minutes_per_person",
            "may_be_combined",
            "most_per_person",
            "opens_days_before",
            "releases_at",
            "closes_days_before",
            "closes_at",
            "lead_minutes",
            "online_share",
            "booking_share",
            "confirm_minutes",
        ]
        widgets = {
            "stage": forms.RadioSelect,
            "bring": forms.Textarea(attrs={"rows": 5}),
            "summary": forms.Textarea(attrs={"rows": 3}),
            "releases_at": forms.TimeInput(format="%H:%M", attrs={"class": "narrow"}),
            "closes_at": forms.TimeInput(format="%H:%M", attrs={"class": "narrow"}),
        }
        help_texts = {
            "code": "アドレスに使う半角の英数字。例: hoiku-nyusho",
            "keywords": "住民が使うことばを、空白で区切って。例: 保育園 入園 待機児童",
            "bring": "1行に1つ。予約の確認画面と予約票に出ます。",
            "category": "例: 子育て",
            "summary": "住民に見せる、1〜2文の説明。",
            "minutes": "来庁者とお話しする時間。",
            "buffer_before": "来庁の前に空けておく時間。受付時間の中に入ります。",
            "buffer_after": "終わったあとに空けておく時間。受付時間の中に入ります。",
            "most_people": "親子や家族など、1つの予約で来られる人数。",
            "minutes_per_person": "例: 2人目から15分ずつ長くするときは15",
            "may_be_combined": "同じく印のある手続きと、1つの予約で続けて済ませられます。",
            "most_per_person": "空欄なら、いくつでも。電話番号かメールアドレスで数えます。",
            "opens_days_before": "180日まで。",
            "releases_at": "職員がいる時刻に。例: 8:30",
            "closes_days_before": "0なら、下の「何分前」だけで決まります。例: 2（2開庁日前まで）",
            "closes_at": "締め切る日の、この時刻まで。例: 17:00",
            "lead_minutes": "例: 60（1時間前まで）",
            "online_share": "窓口の1日の受付時間のうち、オンライン予約に使ってよい割合。",
            "confirm_minutes": "空欄なら、確認は求めません。30と入れると、メールのリンクを"
            "30分以内に押した予約だけが成立します。電話・窓口・受付機の予約には求めません。",
            "booking_share": "電話・窓口の予約も合わせた割合。残りは予約なしの方のためです。",
        }

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for name, (low, high) in NUMBERS.items():
            self.fields[name] = forms.IntegerField(
                label=self.fields[name].label,
                help_text=self.fields[name].help_text,
                initial=self.fields[name].initial,
                required=name in MUST_BE_SAID,
                min_value=low,
                max_value=high,
                widget=forms.NumberInput(attrs={"class": "narrow"}),
            )
        for name in ("releases_at", "closes_at"):
            self.fields[name].required = False

    def offer(self, *, divisions: QuerySet[Division]) -> None:
        """Offer these divisions only."""
        field = cast("forms.ModelChoiceField[Division]", self.fields["division"])
        field.queryset = divisions

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the fields under their headings."""
        return [(title, [self[name] for name in names]) for title, names in self.GROUPS]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        plain = Service()
        for name in (*NUMBERS, "releases_at", "closes_at"):
            if cleaned.get(name) is None and name not in self.errors:
                cleaned[name] = getattr(plain, name)
        online, booked = cleaned.get("online_share"), cleaned.get("booking_share")
        if online is not None and booked is not None and online > booked:
            self.add_error(
                "online_share",
                "「予約全体の枠」より大きくはできません。同じか、小さくしてください。",
            )
        return cleaned


WEEKDAYS = [(str(index), name) for index, name in enumerate(rules.WEEKDAY_NAMES)]
WEEKS = [(str(index), name) for index, name in enumerate(rules.WEEK_NAMES)]


class RuleKind(TextChoices):
    OPEN = "open", "いつもの受付時間"
    CLOSED = "closed", "休止（この時間は受け付けない）"
    SPECIAL = "special", "特別な受付時間（その日は、いつもの決まりの代わりにこれだけ）"


class OpeningRuleForm(forms.Form):
    counter = CounterField(Counter.objects.none(), label="窓口")
    kind = forms.ChoiceField(
        label="種類",
        choices=RuleKind.choices,
        initial=RuleKind.OPEN,
        required=False,
        widget=forms.RadioSelect,
    )
    weekdays = forms.MultipleChoiceField(
        label="曜日",
        choices=WEEKDAYS,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "曜日を1つ以上選んでください。"},
    )
    weeks_of_month = forms.MultipleChoiceField(
        label="月の第何週か",
        choices=WEEKS,
        required=False,
        help_text="例: 第2火曜だけなら、火と第2。選ばなければ毎週です。",
        widget=forms.CheckboxSelectMultiple,
    )
    every_weeks = forms.IntegerField(
        label="何週ごとか",
        required=False,
        min_value=1,
        max_value=52,
        help_text="隔週なら2。適用開始日のある週から数えます。空欄か1なら毎週です。",
        widget=forms.NumberInput(attrs={"class": "narrow"}),
    )
    opens_at = forms.TimeField(
        label="から", widget=forms.TimeInput(format="%H:%M", attrs={"class": "narrow"})
    )
    closes_at = forms.TimeField(
        label="まで", widget=forms.TimeInput(format="%H:%M", attrs={"class": "narrow"})
    )
    lunch_from = forms.TimeField(
        label="昼休み（から）",
        required=False,
        help_text="休まないときは空欄に。",
        widget=forms.TimeInput(format="%H:%M", attrs={"class": "narrow"}),
    )
    lunch_until = forms.TimeField(
        label="昼休み（まで）",
        required=False,
        widget=forms.TimeInput(format="%H:%M", attrs={"class": "narrow"}),
    )
    valid_from = JapaneseDateField(label="適用開始日")
    valid_until = JapaneseDateField(
        label="適用終了日", required=False, help_text="空欄なら、ずっと続きます。"
    )
    only_this = forms.BooleanField(label="この手続きだけの時間にする", required=False)
    note = forms.CharField(label="備考", required=False, max_length=100)

    def __init__(self, *args: Any, service: Service, **more: Any) -> None:
        super().__init__(*args, **more)
        self.service = service
        counter = cast(CounterField, self.fields["counter"])
        counter.queryset = service.counters.select_related("site")

    def clean_weekdays(self) -> int:
        return sum(1 << int(day) for day in self.cleaned_data["weekdays"])

    def clean_weeks_of_month(self) -> int:
        return sum(1 << int(week) for week in self.cleaned_data["weeks_of_month"])

    def clean_every_weeks(self) -> int:
        return self.cleaned_data["every_weeks"] or 1

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        self._check_order(
            "opens_at", "closes_at", "「まで」は「から」より後の時刻にしてください。"
        )
        self._check_order("lunch_from", "lunch_until", "昼休みの終わりは、始まりより後に。")
        self._check_order(
            "valid_from", "valid_until", "終了日は開始日より後にしてください。", True
        )
        if bool(cleaned.get("lunch_from")) != bool(cleaned.get("lunch_until")):
            self.add_error("lunch_until", "昼休みは「から」と「まで」の両方を入力してください。")
        if cleaned.get("kind") == RuleKind.CLOSED and cleaned.get("lunch_from"):
            self.add_error("lunch_from", "休止には昼休みを入れられません。空欄にしてください。")
        if cleaned.get("weeks_of_month") and cleaned.get("every_weeks", 1) > 1:
            self.add_error(
                "every_weeks", "「第何週」と「何週ごと」は、どちらか一方にしてください。"
            )
        return cleaned

    def _check_order(self, first: str, last: str, words: str, may_be_same: bool = False) -> None:
        begin, end = self.cleaned_data.get(first), self.cleaned_data.get(last)
        if begin and end and (end < begin or (end == begin and not may_be_same)):
            self.add_error(last, words)

    def rule(self) -> OpeningRule:
        """Return the opening rule that was described, not saved."""
        fields = dict(self.cleaned_data)
        kind = fields.pop("kind")
        fields["service"] = self.service if fields.pop("only_this") else None
        return OpeningRule(
            is_closure=kind == RuleKind.CLOSED, is_exception=kind == RuleKind.SPECIAL, **fields
        )


def as_typed(rule: OpeningRule) -> dict[str, Any]:
    """Return a rule as the form shows it, to be changed."""
    kind = RuleKind.CLOSED if rule.is_closure else RuleKind.OPEN
    if rule.is_exception and not rule.is_closure:
        kind = RuleKind.SPECIAL
    return {
        "counter": rule.counter,
        "kind": kind,
        "weekdays": [str(i) for i in rules.bits(rule.weekdays)],
        "weeks_of_month": [str(i) for i in rules.bits(rule.weeks_of_month)],
        "every_weeks": rule.every_weeks,
        "opens_at": rule.opens_at,
        "closes_at": rule.closes_at,
        "lunch_from": rule.lunch_from,
        "lunch_until": rule.lunch_until,
        "valid_from": rule.valid_from,
        "valid_until": rule.valid_until,
        "only_this": rule.service_id is not None,
        "note": rule.note,
    }


class WhyForm(forms.Form):
    """Which place is asked about, by which way of booking, and as of when."""

    counter = CounterField(Counter.objects.none(), label="窓口")
    day = JapaneseDateField(label="日")
    start = forms.TimeField(
        label="時刻",
        help_text="15分きざみ。例: 9:00",
        widget=forms.TimeInput(format="%H:%M", attrs={"class": "narrow"}),
    )
    source = forms.ChoiceField(
        label="予約の方法",
        choices=[(source.value, rules.SOURCE_LABELS[source]) for source in rules.Source],
        initial=rules.Source.WEB.value,
        widget=forms.RadioSelect,
    )
    seen_on = JapaneseDateField(
        label="いつの時点か（日）", required=False, help_text="空欄なら、いま。例: R8.11.3"
    )
    seen_at = forms.TimeField(
        label="いつの時点か（時刻）",
        required=False,
        widget=forms.TimeInput(format="%H:%M", attrs={"class": "narrow"}),
    )

    def __init__(self, *args: Any, service: Service, **more: Any) -> None:
        super().__init__(*args, **more)
        counter = cast(CounterField, self.fields["counter"])
        sites = service.counters.values("site")
        counter.queryset = Counter.objects.filter(site__in=sites).select_related("site")

    def clean_start(self) -> time:
        start: time = self.cleaned_data["start"]
        try:
            rules.cell_of(datetime.combine(date(2000, 1, 1), start, rules.JST))
        except rules.NotBookable as error:
            raise ValidationError(
                "7:00から22:15までの、15分きざみの時刻にしてください。"
            ) from error
        return start

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("seen_at") and not self.cleaned_data.get("seen_on"):
            self.add_error("seen_on", "時刻だけでなく、日も入力してください。")
        return self.cleaned_data

    @property
    def place(self) -> datetime:
        return datetime.combine(self.cleaned_data["day"], self.cleaned_data["start"], rules.JST)

    @property
    def moment(self) -> datetime | None:
        """Return the past moment that is meant; None is now. A day alone means its end."""
        if not self.cleaned_data["seen_on"]:
            return None
        seen_at = self.cleaned_data["seen_at"] or time(23, 59, 59)
        return datetime.combine(self.cleaned_data["seen_on"], seen_at, rules.JST)


class CloseDayForm(forms.Form):
    day = JapaneseDateField(label="休む日")
    note = forms.CharField(
        label="理由",
        required=False,
        max_length=100,
        help_text="「なぜこの枠は出ないのか」に出ます。例: 職員研修のため",
    )
    only_this = forms.BooleanField(
        label="この手続きだけ休む（同じ窓口のほかの手続きは受け付ける）", required=False
    )
