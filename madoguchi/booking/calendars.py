"""Entries for calendar programs (RFC 5545): times and numbers, never whose they are."""

from collections.abc import Iterable

from icalendar import Calendar, Event

from madoguchi.booking import rules
from madoguchi.booking.models import Appointment

PRODUCT = "-//madoguchi//booking//JA"


def of_appointment(appointment: Appointment, *, city: str) -> bytes:
    """
    Return the entry for the visitor's own calendar.

    It names neither the matter nor the link: calendars are shared within families.
    """
    summary = f"{city}の予約（{appointment.shown_number}）"
    return _calendar([_event(appointment, summary=summary)])


def of_counter(appointments: Iterable[Appointment], *, name: str) -> bytes:
    """
    Return the counter's coming bookings for the calendars of those who serve there.

    Service and number only: the calendar program keeps them wherever it likes.
    """
    events = [_event(row, summary=f"{row.service}（{row.shown_number}）") for row in appointments]
    return _calendar(events, name=name)


def _event(appointment: Appointment, *, summary: str) -> Event:
    event = Event()
    event.add("uid", f"{appointment.number}@madoguchi")
    event.add("dtstamp", appointment.cancelled_at or appointment.booked_at)
    event.add("dtstart", appointment.start.astimezone(rules.JST))
    event.add("dtend", appointment.end.astimezone(rules.JST))
    event.add("summary", summary)
    event.add("location", f"{appointment.site} {appointment.site.address}".strip())
    if appointment.is_pending:
        event.add("status", "TENTATIVE")
    elif appointment.status == rules.AppointmentStatus.CANCELLED:
        event.add("status", "CANCELLED")
    return event


def _calendar(events: Iterable[Event], *, name: str = "") -> bytes:
    ics = Calendar()
    ics.add("prodid", PRODUCT)
    ics.add("version", "2.0")
    ics.add("method", "PUBLISH")
    if name:
        ics.add("x-wr-calname", name)
    for event in events:
        ics.add_component(event)
    ics.add_missing_timezones()
    return bytes(ics.to_ical())
