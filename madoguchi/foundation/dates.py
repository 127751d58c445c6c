"""The Japanese calendar: 和暦, 年度, and dates as people type them."""

import re
import unicodedata
from datetime import date

# First day of each era (元号を改める政令). A new era is one more line.
ERAS = (
    (date(2019, 5, 1), "令和", "R"),
    (date(1989, 1, 8), "平成", "H"),
    (date(1926, 12, 25), "昭和", "S"),
    (date(1912, 7, 30), "大正", "T"),
    (date(1868, 10, 23), "明治", "M"),
)
_WEEKDAYS = "月火水木金土日"
_WRITTEN = re.compile(
    r"^(?:(?P<era>令和|平成|昭和|大正|明治|[RHSTM])(?P<short>元|\d{1,3})|(?P<year>\d{4}))"
    r"(?:年|[./-])(?P<month>\d{1,2})(?:月|[./-])(?P<day>\d{1,2})日?(?:\(.\))?$",
    re.IGNORECASE,
)


def fiscal_year(day: date) -> int:
    """Return the 年度, April to March: 2027-03-31 belongs to 2026."""
    return day.year if day.month >= 4 else day.year - 1


def era_year(year: int, *, on: date | None = None) -> tuple[str, str, int]:
    """Return (令和, R, 8) for a Gregorian year; `on` decides within a year of change."""
    day = on or date(year, 12, 31)
    for first, name, letter in ERAS:
        if day >= first:
            return name, letter, year - first.year + 1
    raise ValueError(f"{day} は和暦で表せません")


def wareki(day: date, *, weekday: bool = False) -> str:
    """Return 令和8年11月22日, with the weekday in brackets when asked."""
    name, _, year = era_year(day.year, on=day)
    text = f"{name}{'元' if year == 1 else year}年{day.month}月{day.day}日"
    return f"{text}（{_WEEKDAYS[day.weekday()]}）" if weekday else text


def wareki_short(day: date) -> str:
    """Return R8.11.22."""
    _, letter, year = era_year(day.year, on=day)
    return f"{letter}{year}.{day.month}.{day.day}"


def parse_date(text: str) -> date:
    """
    Read a date as people write it: R8.4.1, 令和8年4月1日, 2026-04-01, ８．４．１ (this era).

    :raises ValueError: no such date, or not a date.
    """
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    found = _WRITTEN.match(plain) or _WRITTEN.match(f"{ERAS[0][2]}{plain}")
    if found is None:
        raise ValueError("日付として読めません")
    month, day = int(found["month"]), int(found["day"])
    if found["year"]:
        return date(int(found["year"]), month, day)
    short = 1 if found["short"] == "元" else int(found["short"])
    for index, (first, name, letter) in enumerate(ERAS):
        if found["era"].upper() in (name, letter):
            when = date(first.year + short - 1, month, day)
            until = ERAS[index - 1][0] if index else date.max
            if first <= when < until:
                return when
    raise ValueError("その元号にその日はありません")
