"""Readings over 漢字 (ふりがな), written as in printed texts: ｜引っ越し《ひっこし》."""

import re
from collections.abc import Iterator
from datetime import date

from madoguchi.foundation.dates import wareki

# ｜base《reading》, as in printed texts of 青空文庫; without ｜ the run of 漢字 before 《.
_KANJI_RUN = "[㐀-䶿一-鿿豈-\ufaff々〆\U00020000-\U0003ffff\U000e0100-\U000e01ef]+"
_RUBY = re.compile(
    r"｜(?P<base>[^｜《》\n]+)《(?P<reading>[^《》\n]+)》"
    rf"|(?P<kanji>{_KANJI_RUN})《(?P<over>[^《》\n]+)》"
)
# A new era is one more entry.
_CALENDAR = {"令和": "れいわ", "元": "がん", "年": "ねん", "月": "がつ", "日": "にち"}
_WEEKDAYS = dict(
    zip("月火水木金土日", ["げつ", "か", "すい", "もく", "きん", "ど", "にち"], strict=True)
)


def runs(text: str) -> Iterator[tuple[str, str]]:
    """Give (base, reading) piece by piece; the reading is empty where there is none."""
    end = 0
    for found in _RUBY.finditer(text):
        if found.start() > end:
            yield text[end : found.start()], ""
        yield found["base"] or found["kanji"], found["reading"] or found["over"]
        end = found.end()
    if end < len(text):
        yield text[end:], ""


def plain(text: str) -> str:
    """Return the text without its readings."""
    return "".join(base for base, _ in runs(text))


def unread(text: str) -> list[str]:
    """Return the runs of 漢字 that have no reading: those over which one is missing."""
    bare = "".join("\n" if reading else base for base, reading in runs(text))
    return re.findall(_KANJI_RUN, bare)


def over(base: str, reading: str) -> str:
    """
    Put a reading over the 漢字 of a name: 保育所の入所相談 → 保育所《ほいくしょ》の入所相談《…》.

    The kana of the name are found again in its reading; where they are not, the name stays bare.
    """
    parts = [part for part in re.split(f"({_KANJI_RUN})", base) if part]
    pattern = "".join(
        "(.+?)" if re.fullmatch(_KANJI_RUN, part) else re.escape(_hiragana(part)) for part in parts
    )
    found = re.fullmatch(pattern, _hiragana(reading))
    if found is None:
        return base
    readings = iter(found.groups())
    return "".join(
        f"{part}《{next(readings)}》" if re.fullmatch(_KANJI_RUN, part) else part for part in parts
    )


def _hiragana(text: str) -> str:
    kana = re.sub(r"[ァ-ヶ]", lambda each: chr(ord(each[0]) - 0x60), text)
    return re.sub(r"[\s・　]", "", kana)


def of_day(day: date) -> str:
    """Return 令和《れいわ》8年《ねん》11月《がつ》22日《にち》（日《にち》）."""
    written, _, weekday = wareki(day, weekday=True).partition("（")
    for kanji, reading in _CALENDAR.items():
        written = written.replace(kanji, f"{kanji}《{reading}》")
    return f"{written}（{weekday[0]}《{_WEEKDAYS[weekday[0]]}》）"
