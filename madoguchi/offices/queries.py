from datetime import date, time, timedelta

from madoguchi.offices import rules
from madoguchi.offices.models import Site
from madoguchi.offices.rules import Hours, OfficeDay, RegularHours, SingleDay


def open_hours(*, site: Site, first: date, last: date) -> dict[date, Hours]:
    """
    Return the hours of each open day from first to last, both included; a missing day is shut.

    One query, however long the range is.
    """
    days = office_days(site=site, first=first, last=last)
    return {day.on: day.hours for day in days if day.hours is not None}


def office_days(*, site: Site, first: date, last: date) -> list[OfficeDay]:
    """Return every day from first to last with its hours and the reason. One query."""
    regular = regular_hours(site)
    exceptions = {
        row.on: SingleDay(_pair(row.opens_at, row.closes_at), row.reason)
        for row in site.opening_days.filter(on__range=(first, last))
    }
    return [
        rules.office_day(first + timedelta(days=offset), regular=regular, exceptions=exceptions)
        for offset in range((last - first).days + 1)
    ]


def regular_hours(site: Site) -> RegularHours:
    """Return what the site keeps on days without an exception."""
    return RegularHours(
        weekday=(site.opens_at, site.closes_at),
        closed_day=_pair(site.closed_day_opens_at, site.closed_day_closes_at),
        is_open_at_year_end=site.is_open_at_year_end,
    )


def _pair(opens: time | None, closes: time | None) -> Hours | None:
    return None if opens is None or closes is None else (opens, closes)
