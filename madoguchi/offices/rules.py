"""
When an office is open, and whom it tells people in distress to call.

Closed days (閉庁日) are Saturday, Sunday, the holidays of the 国民の祝日に関する法律 and
12/29–1/3 (地方自治法第4条の2 and the city's by-law on days of rest).
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum

import jpholiday

Hours = tuple[time, time]  # (opens, closes)


class Reason(StrEnum):
    """Why a day is open or shut."""

    WEEKDAY = "weekday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    YEAR_END = "year_end"
    EXCEPTION = "exception"


@dataclass(frozen=True)
class RegularHours:
    """The hours of a site without its exceptions; `closed_day` None means shut on closed days."""

    weekday: Hours
    closed_day: Hours | None = None
    is_open_at_year_end: bool = False


@dataclass(frozen=True)
class SingleDay:
    """The hours of one single day (None: shut) and the reason people are told."""

    hours: Hours | None
    reason: str


@dataclass(frozen=True)
class OfficeDay:
    """One day of a site: its hours (None: shut), why, and the words for it."""

    on: date
    hours: Hours | None
    why: Reason
    words: str


@dataclass(frozen=True)
class HelpLine:
    """Somebody to call, and the number: こころの電話, 000-0000-1010."""

    name: str
    phone: str


_HELP_LINE = re.compile(r"(?P<name>.*[^ :])[ :]+(?P<phone>#?[0-9][0-9-]*)")


def help_line(text: str) -> HelpLine | None:
    """Read one line of a name and a number at its end, in any width; None: it has no number."""
    plain = re.sub("[‐‑–—―−ー](?=[0-9])", "-", unicodedata.normalize("NFKC", text)).strip()
    found = _HELP_LINE.fullmatch(plain)
    return HelpLine(found["name"], found["phone"]) if found else None


def holiday_name(on: date) -> str:
    """Return 文化の日, 国民の休日 or another holiday's name; empty on other days."""
    return jpholiday.is_holiday_name(on) or ""


def is_year_end(on: date) -> bool:
    return (on.month, on.day) >= (12, 29) or (on.month, on.day) <= (1, 3)


def closed_day_reason(on: date) -> Reason | None:
    """Return why the day is a 閉庁日; None on an ordinary weekday."""
    if is_year_end(on):
        return Reason.YEAR_END
    if holiday_name(on):
        return Reason.HOLIDAY
    return Reason.WEEKEND if on.weekday() >= 5 else None


def office_day(
    on: date, *, regular: RegularHours, exceptions: Mapping[date, SingleDay]
) -> OfficeDay:
    """Say whether the site is open that day, and why. An exception wins over everything."""
    if on in exceptions:
        return OfficeDay(on, exceptions[on].hours, Reason.EXCEPTION, exceptions[on].reason)
    why = closed_day_reason(on)
    if why is None:
        return OfficeDay(on, regular.weekday, Reason.WEEKDAY, "平日")
    if why is Reason.YEAR_END:
        hours = regular.closed_day if regular.is_open_at_year_end else None
        return OfficeDay(on, hours, why, "年末年始")
    words = holiday_name(on) or "土日"[on.weekday() - 5] + "曜日"
    return OfficeDay(on, regular.closed_day, why, words)


def hours_on(
    on: date, *, regular: RegularHours, exceptions: Mapping[date, SingleDay]
) -> Hours | None:
    """Return (opens, closes) of the day; None when shut."""
    return office_day(on, regular=regular, exceptions=exceptions).hours


def add_open_days(start: date, days: int) -> date:
    """
    Return the day that lies `days` 開庁日 after `start`, the start itself not counted.

    Closed days count for nobody, also where the centre itself is open on them: a division
    answers on its working days. Zero days: `start`, moved on to an open day if it is none.
    """
    day = start
    left = days
    while left > 0 or closed_day_reason(day):
        day += timedelta(days=1)
        if not closed_day_reason(day):
            left -= 1
    return day
