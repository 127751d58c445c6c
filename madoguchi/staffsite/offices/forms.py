import csv
import re
import unicodedata
from datetime import date, time, timedelta
from io import StringIO
from typing import Any

from django import forms
from django.db import models

from madoguchi.foundation.spreadsheets import original_text
from madoguchi.offices.models import City, Counter, CounterKind, Division, Room, Site
from madoguchi.offices.rules import Hours, help_line
from madoguchi.ui.fields import JapaneseDateField

MAX_PASTED = 300
MAX_DAYS = 31
_PHONE = re.compile(r"^[0-9#][0-9()-]*$")
_HIRAGANA = {ord(kata): ord(kata) - 0x60 for kata in map(chr, range(0x30A1, 0x30F7))}


class ClockField(forms.TimeField):
    """A time of day in any width: 8:30, 0830, ８：３０."""

    widget = forms.TimeInput(attrs={"class": "narrow", "inputmode": "numeric"}, format="%H:%M")
    input_formats = ["%H:%M", "%H%M", "%H時%M分", "%H時"]
    default_error_messages = {
        "invalid": "時刻として読めません。「8:30」のように入力してください。",
        "required": "時刻を入力してください。",
    }

    def to_python(self, value: Any) -> time | None:
        plain = unicodedata.normalize("NFKC", value).strip() if isinstance(value, str) else value
        return super().to_python(plain.zfill(4) if str(plain).isdigit() else plain)


class OfficePhoneField(forms.CharField):
    """The number of an office, extension included: 000-0000-1234, #9110."""

    widget = forms.TextInput(attrs={"type": "tel", "class": "narrow"})

    def __init__(self, *, label: str = "電話", required: bool = False) -> None:
        super().__init__(label=label, required=required, max_length=20)

    def to_python(self, value: Any) -> str:
        plain = unicodedata.normalize("NFKC", super().to_python(value) or "")
        plain = re.sub(r"[‐‑–—―−ー]", "-", plain)
        if plain and not _PHONE.match(plain):
            raise forms.ValidationError(
                "電話番号は数字とハイフンで入力してください。例: 0898-00-0000"
            )
        return plain


class ReadingField(forms.CharField):
    """The reading of an office's name, in hiragana."""

    def __init__(self, *, max_length: int) -> None:
        super().__init__(
            label="ふりがな",
            required=False,
            max_length=max_length,
            help_text="五十音順に並べるとき、読み上げるときに使います。",
        )

    def to_python(self, value: Any) -> str:
        text = unicodedata.normalize("NFKC", super().to_python(value) or "")
        return text.translate(_HIRAGANA)


class OfficeForm(forms.Form):
    """Fields of one office row; its name must be free among its neighbours."""

    def __init__(self, *args: Any, row: models.Model | None = None, **more: Any) -> None:
        self.row = row
        if row is not None and "initial" not in more:
            more["initial"] = {name: getattr(row, name) for name in self.base_fields}
        super().__init__(*args, **more)

    def refuse_double_name(self, others: models.QuerySet[Any]) -> None:
        name = self.cleaned_data.get("name")
        if self.row is not None:
            others = others.exclude(pk=self.row.pk)
        if name and others.filter(name=name).exists():
            self.add_error("name", f"「{name}」はすでにあります。別の名称にしてください。")


class CityForm(OfficeForm):
    name = forms.CharField(label="自治体の名称", max_length=40, help_text="例: 汐見市")
    kana = ReadingField(max_length=80)
    phone = OfficePhoneField(label="代表電話")
    urgent_help = forms.CharField(
        label="緊急の相談先（いのち・暴力・虐待）",
        required=False,
        max_length=2_000,
        help_text="「死にたい」「DV」のようなことばで探した方に、答えより先に示します。"
        "1行に1つ、名称と電話番号。例: こころの電話 000-0000-1010",
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    row: City | None

    def clean_urgent_help(self) -> str:
        lines = [line.strip() for line in self.cleaned_data["urgent_help"].splitlines()]
        lines = [line for line in lines if line]
        for line in lines:
            if help_line(line) is None:
                raise forms.ValidationError(
                    f"「{line}」に電話番号がありません。「こころの電話 000-0000-1010」のように、"
                    "名称のあとに空白を入れて、番号を書いてください。"
                )
        return "\n".join(lines)


class SiteForm(OfficeForm):
    name = forms.CharField(label="名称", max_length=60, help_text="例: 本庁舎、港町支所")
    kana = ReadingField(max_length=120)
    address = forms.CharField(label="所在地", max_length=120, required=False)
    phone = OfficePhoneField()
    opens_at = ClockField(label="平日に開く時刻", initial=time(8, 30))
    closes_at = ClockField(label="平日に閉まる時刻", initial=time(17, 15))
    closed_day_opens_at = ClockField(
        label="土日・祝日に開く時刻",
        required=False,
        help_text="土日・祝日に閉める庁舎では、空欄のままにします。",
    )
    closed_day_closes_at = ClockField(label="土日・祝日に閉まる時刻", required=False)
    is_open_at_year_end = forms.BooleanField(
        label="年末年始（12月29日〜1月3日）も、土日・祝日と同じ時間に開ける", required=False
    )

    row: Site | None

    def clean(self) -> None:
        self.refuse_double_name(Site.objects.all())
        get = self.cleaned_data.get
        for first, last in (
            ("opens_at", "closes_at"),
            ("closed_day_opens_at", "closed_day_closes_at"),
        ):
            opens, closes = get(first), get(last)
            if opens and closes and opens >= closes:
                self.add_error(last, "開く時刻より後の時刻にしてください。")
        opens, closes = get("closed_day_opens_at"), get("closed_day_closes_at")
        if opens and not closes and "closed_day_closes_at" not in self.errors:
            self.add_error("closed_day_closes_at", "閉まる時刻も入力してください。")
        if closes and not opens and "closed_day_opens_at" not in self.errors:
            self.add_error("closed_day_opens_at", "開く時刻も入力してください。")
        if get("is_open_at_year_end") and not (opens or closes):
            self.add_error(
                "closed_day_opens_at",
                "年末年始も開けるときは、土日・祝日の時間を入力してください。",
            )


class DivisionForm(OfficeForm):
    name = forms.CharField(label="名称", max_length=60, help_text="例: 保育課")
    kana = ReadingField(max_length=120)
    phone = OfficePhoneField()
    email = forms.EmailField(label="メール", required=False)
    duties = forms.CharField(
        label="所管事務",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="引き継ぎ先を選ぶときに表示します。例: 保育所の入所、保育料、一時預かり",
    )
    is_centre = forms.BooleanField(
        label="相談センター（全課の案件を受け、所管課へつなぐ部署）", required=False
    )
    is_outside = forms.BooleanField(label="庁外の関係機関", required=False)

    row: Division | None

    def clean(self) -> None:
        self.refuse_double_name(Division.objects.all())
        if self.cleaned_data.get("is_centre") and self.cleaned_data.get("is_outside"):
            self.add_error("is_outside", "相談センターを関係機関にすることはできません。")


class CounterForm(OfficeForm):
    name = forms.CharField(
        label="名称", max_length=40, help_text="呼び出しで読み上げる名前です。例: 5番"
    )
    site = forms.ModelChoiceField(Site.objects.filter(is_active=True), label="庁舎")
    division = forms.ModelChoiceField(
        Division.objects.filter(is_active=True, is_outside=False).order_by("id"), label="部署"
    )
    kind = forms.ChoiceField(label="種類", choices=CounterKind.choices, widget=forms.RadioSelect)

    row: Counter | None

    def clean(self) -> None:
        self.refuse_double_name(Counter.objects.filter(site=self.cleaned_data.get("site")))


class RoomForm(OfficeForm):
    name = forms.CharField(label="名称", max_length=40, help_text="例: 相談室1")
    site = forms.ModelChoiceField(Site.objects.filter(is_active=True), label="庁舎")
    seats = forms.IntegerField(label="席数", min_value=1, max_value=200, initial=4)

    row: Room | None

    def clean(self) -> None:
        self.refuse_double_name(Room.objects.filter(site=self.cleaned_data.get("site")))


class DivisionsForm(forms.Form):
    """Divisions pasted from a spreadsheet: name, reading, phone, mail, duties; one per line."""

    text = forms.CharField(
        label="部署の一覧",
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text="1行に1つ。Excelから貼り付けるか、「名称,ふりがな,電話,メール,所管事務」の順に"
        "入力します。名称だけでもかまいません。",
    )

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        self.rows: list[Division] = []
        known = set(Division.objects.values_list("name", flat=True))
        seen: set[str] = set()
        self.skipped = 0
        for number, cells in enumerate(_lines(text), start=1):
            name = cells[0] if cells else ""
            if not name or name == "名称":
                continue
            if name in known:
                self.skipped += 1
                continue
            row = DivisionForm(
                dict(zip(("name", "kana", "phone", "email", "duties"), cells, strict=False))
            )
            if not row.is_valid():
                why = " ".join(str(each) for errors in row.errors.values() for each in errors)
                self.add_error("text", f"{number}行目（{name}）: {why}")
            elif name in seen:
                self.add_error("text", f"{number}行目: 「{name}」が重なっています。")
            else:
                self.rows.append(Division(**row.cleaned_data))
            seen.add(name)
        if len(self.rows) > MAX_PASTED:
            self.add_error("text", f"一度に登録できるのは{MAX_PASTED}件までです。分けてください。")
        elif not self.rows and "text" not in self.errors:
            self.add_error("text", "新しく登録する部署がありません。")
        return text


def _lines(text: str) -> list[list[str]]:
    comma = "\t" if "\t" in text else ","
    rows = csv.reader(StringIO(text.replace("，", ",")), delimiter=comma)
    return [[original_text(cell).strip() for cell in row] for row in rows if any(row)]


class OpeningDayForm(forms.Form):
    """Other hours for one day, or for some days in a row."""

    is_open = forms.TypedChoiceField(
        label="この日は",
        choices=[("open", "開ける"), ("shut", "閉める")],
        coerce=lambda choice: choice == "open",
        widget=forms.RadioSelect,
    )
    opens_at = ClockField(label="開く時刻", required=False)
    closes_at = ClockField(label="閉まる時刻", required=False)
    reason = forms.CharField(
        label="理由",
        max_length=100,
        help_text="住民の画面にも表示します。例: 庁舎設備の点検のため",
    )
    last = JapaneseDateField(
        label="この日まで続ける",
        required=False,
        help_text="何日か続くときだけ入力します。例: R8.12.5",
    )

    def __init__(self, *args: Any, on: date, **more: Any) -> None:
        self.on = on
        super().__init__(*args, **more)

    def clean(self) -> None:
        get = self.cleaned_data.get
        if get("is_open"):
            for name in ("opens_at", "closes_at"):
                if get(name) is None and name not in self.errors:
                    self.add_error(name, "時刻を入力してください。")
            opens, closes = get("opens_at"), get("closes_at")
            if opens and closes and opens >= closes:
                self.add_error("closes_at", "開く時刻より後の時刻にしてください。")
        last = get("last")
        if last and not self.on <= last < self.on + timedelta(days=MAX_DAYS):
            self.add_error("last", f"この日から{MAX_DAYS}日以内の日を入力してください。")

    @property
    def hours(self) -> Hours | None:
        """The hours asked for; None: shut."""
        if not self.cleaned_data["is_open"]:
            return None
        return self.cleaned_data["opens_at"], self.cleaned_data["closes_at"]

    @property
    def days(self) -> list[date]:
        last = self.cleaned_data["last"] or self.on
        return [self.on + timedelta(days=n) for n in range((last - self.on).days + 1)]
