"""Dates, times and texts as a Japanese office writes them; for citizens in their language."""

from datetime import date, datetime, time

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from madoguchi.foundation import dates, readings

register = template.Library()


def is_japanese() -> bool:
    return (get_language() or "ja") == "ja"


def _here(moment: date | datetime) -> date:
    """Return the day in Japan; a datetime with a zone is moved there first."""
    if isinstance(moment, datetime):
        return timezone.localtime(moment).date() if timezone.is_aware(moment) else moment.date()
    return moment


@register.filter
def wareki(day: date | datetime | None, style: str = "") -> str:
    """Return 令和8年11月22日; `wareki:"weekday"` adds （日）. Nothing for no date."""
    if not day:
        return ""
    if is_japanese():
        return dates.wareki(_here(day), weekday=style == "weekday")
    written = date_format(_here(day), "DATE_FORMAT")
    return f"{written} ({date_format(_here(day), 'l')})" if style == "weekday" else written


@register.filter
def month(day: date | None) -> str:
    """Return 2026年11月. Nothing for no date."""
    if not day:
        return ""
    return f"{day.year}年{day.month}月" if is_japanese() else date_format(day, "YEAR_MONTH_FORMAT")


@register.filter
def when(moment: datetime | None) -> str:
    """Return 令和8年11月22日（日） 9:05. Nothing for no moment."""
    return f"{wareki(moment, 'weekday')} {clock(moment)}" if moment else ""


@register.filter
def wareki_short(day: date | datetime | None) -> str:
    """Return R8.11.22. Nothing for no date."""
    return dates.wareki_short(_here(day)) if day else ""


@register.filter
def clock(moment: datetime | time | str | None) -> str:
    """Return 9:05, in Japan. Nothing for no time."""
    if not isinstance(moment, (datetime, time)):
        return ""
    if isinstance(moment, datetime) and timezone.is_aware(moment):
        moment = timezone.localtime(moment)
    return f"{moment.hour}:{moment.minute:02}"


@register.filter
def wareki_clock(moment: datetime | None) -> str:
    """Return 令和8年11月22日 9:05. Nothing for no moment."""
    return f"{wareki(moment)} {clock(moment)}" if moment else ""


@register.filter
def minutes(count: int | str | None) -> str:
    """Return 45分, 1時間, 1時間30分. Nothing for no count."""
    if count is None or count == "":
        return ""
    hours, rest = divmod(int(count), 60)
    if not is_japanese():
        return gettext("%(count)s分") % {"count": int(count)}
    return f"{hours}時間{rest}分" if hours and rest else f"{hours}時間" if hours else f"{rest}分"


@register.filter
def phone(number: str | None) -> str:
    """Return 090-1234-5678 where the grouping is certain; other numbers as they are."""
    digits = number or ""
    if not digits.isdecimal():
        return digits
    if len(digits) == 11:
        return f"{digits[:3]}-{digits[3:7]}-{digits[7:]}"
    if len(digits) == 10 and digits.startswith(("0120", "0570")):
        return f"{digits[:4]}-{digits[4:7]}-{digits[7:]}"
    if len(digits) == 10 and digits.startswith(("03", "06")):
        return f"{digits[:2]}-{digits[2:6]}-{digits[6:]}"
    return digits


@register.filter
def paragraphs(text: str | None) -> SafeString:
    """Return the text, escaped, with a paragraph at every blank line and its line breaks kept."""
    blocks = (text or "").replace("\r\n", "\n").split("\n\n")
    drawn = (escape(block.strip()).replace("\n", "<br>") for block in blocks if block.strip())
    return mark_safe("".join(f"<p>{block}</p>" for block in drawn))  # noqa: S308 escaped above


@register.filter
def read(text: str | None) -> SafeString:
    """Return 予約《よやく》 as the word with its reading over it (ruby), escaped."""
    drawn = (
        f"<ruby>{escape(base)}<rp>（</rp><rt>{escape(reading)}</rt><rp>）</rp></ruby>"
        if reading
        else escape(base)
        for base, reading in readings.runs(text or "")
    )
    return mark_safe("".join(drawn))  # noqa: S308 escaped above


@register.filter
def read_by(name: str, kana: str) -> SafeString:
    """Return a name with its kana over the 漢字, as far as they are found in it."""
    return read(readings.over(name, kana))


@register.filter
def read_when(moment: datetime) -> SafeString:
    """Return 令和8年11月22日（日） 9:05 with its readings, whatever the visitor's language."""
    return read(f"{readings.of_day(_here(moment))} {clock(moment)}")
