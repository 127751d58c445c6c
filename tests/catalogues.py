"""
Which texts the citizens' pages say: what must stand in every catalogue of madoguchi/locale.

From templates the marked texts; from Python the labels, helps and refusals that `said`
translates where they are shown.
"""

import re
from pathlib import Path

from django import forms
from django.conf import settings

from madoguchi.booking import forms as booking
from madoguchi.booking import queries
from madoguchi.casework import forms as casework
from madoguchi.casework.rules import SCORE_LABELS, STANDARD_CATEGORIES
from madoguchi.intake import forms as intake
from madoguchi.intake.rules import KIND_LABELS, STAGE_LABELS
from madoguchi.integrations.line.forms import FollowForm
from madoguchi.publicsite.navigation import FOOT, HEAD
from madoguchi.reception.rules import CallOrder, Order
from madoguchi.reception.rules.waiting import Range

ROOT = Path(__file__).resolve().parent.parent / "madoguchi"
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "ja"]
JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龥]")
_MARKED = re.compile(r"""{%\s*translate\s+("([^"]*)"|'([^']*)')""")
_BLOCK = re.compile(r"{%\s*blocktranslate.*?%}(.*?){%\s*endblocktranslate\s*%}", re.DOTALL)
_EMPTY = re.compile(r'{% include "ui/_empty.html" with ([^%]*) %}')
_GIVEN = re.compile(r'(?:title|text|label)="([^"]*)"')
_VALUE = re.compile(r"{{\s*(\w+)\s*}}")


def catalogue(language: str) -> Path:
    locale = {"zh-hans": "zh_Hans"}.get(language, language)
    return ROOT / "locale" / locale / "LC_MESSAGES" / "django.po"


def public_templates() -> list[Path]:
    """Return the templates that mark texts; staff pages mark none."""
    return sorted(file for file in ROOT.rglob("*.html") if "i18n" in file.read_text("utf-8"))


def texts() -> list[str]:
    """Return every text, each once, in the order of the templates and then of the rules."""
    found: list[str] = []
    for file in public_templates():
        source = file.read_text(encoding="utf-8")
        found += [double or single for _, double, single in _MARKED.findall(source)]
        found += [
            _VALUE.sub(r"%(\1)s", " ".join(block.split())) for block in _BLOCK.findall(source)
        ]
        found += [text for given in _EMPTY.findall(source) for text in _GIVEN.findall(given)]
    found = [text for text in found if JAPANESE.search(text)]
    return list(dict.fromkeys([*found, *_of_python()]))


def _of_python() -> list[str]:
    found = [label for label, _ in (*HEAD, *FOOT)]
    found += ["※必須", "%(count)s分", *queries.MARK_WORDS.values(), *SCORE_LABELS.values()]
    for form in (
        booking.PersonForm(),
        booking.FindForm(),
        booking.SearchForm(),
        booking.WaitingForm(days=[]),
        casework.SurveyForm(),
        casework.SurveyCodeForm(),
        intake.OpenPageForm(),
        intake.MoreForm(),
        FollowForm(),
    ):
        found += _of_form(form)
    for field in intake.SubmitForm.base_fields.values():  # its fields of choice are rows
        found += _of_field(field)
    found += ["わからない", *KIND_LABELS.values(), *STAGE_LABELS.values()]
    found += [name for _, name in STANDARD_CATEGORIES]
    for name in ("people", "also"):
        found += _of_field(booking.ErrandForm.base_fields[name])
    lengths = (0, 5, 10, 120, 150, 180, 210)
    found += [Range(low, low, high).words for low in lengths for high in lengths if low <= high]
    found += [CallOrder(order=order).words for order in Order]
    found += REFUSALS
    return [re.sub(r"\d+", "#", text) for text in found if text and JAPANESE.search(text)]


def _of_form(form: forms.Form) -> list[str]:
    return [text for field in form.fields.values() for text in _of_field(field)]


def _of_field(field: forms.Field) -> list[str]:
    # Django's own words are lazy, and translated by Django.
    errors = [text for text in field.error_messages.values() if isinstance(text, str)]
    return [str(field.label), str(field.help_text), *errors]


# What a citizen may be refused, as the rules say it.
REFUSALS = [
    "申し訳ありません。その時刻は、ほかの方の予約で埋まりました。",
    "その時刻は受け付けていません。表示された日時から選んでください。",
    "予約できる期間の外です。表示された日時から選んでください。",
    "受付時間が変わり、その時刻は予約できなくなりました。ほかの時刻を選んでください。",
    "この予約は、もう取り消せません（来庁済み、または時刻を過ぎました）。",
    "この予約は、もう変更できません。",
    "予約の日時を変更しました。",
    "予約を取り消しました。",
    "予約が見つかりません。予約番号と、予約のときの電話番号をお確かめください。",
    "番号か合言葉が違います。控えをもう一度確かめてください。",
    "短い間に何度も送られました。10分ほどたってから、もう一度お試しください。",
    "確認の期限を過ぎたため、この予約は取り消されました。もう一度予約してください。",
    "予約番号は、英字と数字あわせて8文字です。",
    "予約番号のどこかが違うようです。もう一度お確かめください。",
    "この手続きは、おひとりの予約の数に限りがあります。"
    "電話番号かメールアドレスを入力してください。",
    "短い間に何件も予約されています。数秒お待ちになってから、"
    "もう一度「この内容で予約する」を押してください。",
    "メールアドレスか電話番号のどちらかを入力してください。",
    "どれか一つでも、お答えください。",
]
