"""A member's duties as a calendar file (RFC 5545), for the calendar on desk or phone."""

from collections.abc import Iterable
from datetime import datetime

from icalendar import Calendar, Event

from madoguchi.rota.models import Duty

PRODUCT = "-//madoguchi//rota//JA"


def calendar(rows: Iterable[tuple[Duty, datetime, datetime]], *, host: str, at: datetime) -> bytes:
    """Return the duties as a file with its time zone; nothing in it but day, hour and role."""
    found = Calendar()
    found.add("prodid", PRODUCT)
    found.add("version", "2.0")
    for duty, begins, ends in rows:
        event = Event()
        event.add("uid", f"duty-{duty.pk}@{host}")
        event.add("dtstamp", at)
        event.add("dtstart", begins)
        event.add("dtend", ends)
        event.add("summary", f"当番（{duty.skill}）")
        event.add("location", duty.rota.site.name)
        found.add_component(event)
    found.add_missing_timezones()
    return bytes(found.to_ical())
