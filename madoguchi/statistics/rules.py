"""Which days are counted, what they are compared with, and which figures are too small to show."""

from dataclasses import dataclass
from datetime import date, timedelta

from madoguchi.foundation.dates import era_year, fiscal_year

SMALL = 5  # fewer could point at a person
FURTHER = 3  # the third time a matter is passed on, and any later one, are counted together


@dataclass(frozen=True)
class Period:
    """A month, or a 年度 from April to March; `last` is included."""

    first: date
    last: date
    words: str
    key: str  # as it stands in an address: 2026-11, or 2026 for the 年度


def month(year: int, number: int) -> Period:
    """
    Return the month.

    :raises ValueError: there is none.
    """
    first = date(year, number, 1)
    last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    name, _, short = era_year(year, on=first)
    words = f"{name}{'元' if short == 1 else short}年{number}月"
    return Period(first, last, words, f"{first:%Y-%m}")


def whole_year(year: int) -> Period:
    """Return the 年度: 2026 is 2026-04-01 to 2027-03-31."""
    first = date(year, 4, 1)
    name, _, short = era_year(year, on=first)
    words = f"{name}{'元' if short == 1 else short}年度"
    return Period(first, date(year + 1, 3, 31), words, str(year))


def read_period(text: str, *, today: date) -> Period:
    """Read 2026-11 or 2026 (年度); anything else is the month of today."""
    year, _, number = text.partition("-")
    try:
        if len(year) == 4:
            return month(int(year), int(number)) if number else whole_year(int(year))
    except ValueError:
        pass
    return month(today.year, today.month)


def year_before(period: Period) -> Period:
    """Return the same month, or the 年度, one year earlier."""
    if "-" in period.key:
        return month(period.first.year - 1, period.first.month)
    return whole_year(period.first.year - 1)


def neighbours(period: Period) -> tuple[Period, Period]:
    """Return the period before and the one after."""
    if "-" not in period.key:
        return whole_year(period.first.year - 1), whole_year(period.first.year + 1)
    before, after = period.first - timedelta(days=1), period.last + timedelta(days=1)
    return month(before.year, before.month), month(after.year, after.month)


def year_of(period: Period) -> Period:
    """Return the 年度 in which the period begins."""
    return whole_year(fiscal_year(period.first))


def change(now: int, before: int) -> str:
    """Return +12%, -3%, ±0%; nothing to compare with: 皆増, or a dash for nothing at all."""
    if before == 0:
        return "皆増" if now else "—"
    percent = round((now - before) * 100 / before)
    return f"{percent:+d}%" if percent else "±0%"


def share(count: int, *, of: int) -> int:
    """Return the length of a bar, 0 to 100."""
    return round(count * 100 / of) if of else 0


def shown_small(count: int) -> str:
    """Return how a count is told to somebody who may not see what was counted."""
    return "5件未満" if count < SMALL else f"{count}件"
