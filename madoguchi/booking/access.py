"""The doors to appointments and services."""

from contextlib import suppress
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.http import Http404, QueryDict
from django.shortcuts import get_object_or_404
from django.utils.crypto import constant_time_compare

from madoguchi.audit import actions as audit
from madoguchi.booking import queries, rules
from madoguchi.booking.models import (
    Appointment,
    AppointmentPlace,
    CounterFeed,
    Hold,
    OpeningRule,
    Service,
    Waiting,
)
from madoguchi.foundation.limits import Limit
from madoguchi.offices.models import Counter, Division, Site
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role

# From one address. A family or a library books more than once; a number is not guessed in ten.
BOOKING = Limit(name="booking", times=30, span=timedelta(minutes=10))
HOLDING = Limit(name="hold", times=30, span=timedelta(minutes=10))
LOOK_UP = Limit(name="look_up", times=10, span=timedelta(minutes=10))
# From all addresses together: a thousand of them shall not guess what one may not.
ALL_LOOK_UPS = Limit(name="all_look_ups", times=300, span=timedelta(minutes=10))


def appointment_by_token(token: str) -> Appointment:
    """Return the appointment whose link this is, or 404. Whoever has the link may change it."""
    if "\x00" in token:
        raise Http404
    rows = Appointment.objects.select_related("service__division", "counter__site")
    return get_object_or_404(rows, token=token)


def appointment_by_number(*, number: str, phone: str) -> Appointment | None:
    """
    Return the appointment of this number; if it has a telephone number, that must agree.

    The caller limits how often one may try.
    """
    appointment = Appointment.objects.filter(number=number).first()
    if appointment is None:
        return None
    known, given = rules.phone_key(appointment.phone), rules.phone_key(phone)
    return appointment if not known or constant_time_compare(given, known) else None


def own_hold(token: str, *, at: datetime) -> Hold | None:
    """Return the hold whose token the browser keeps, as long as it holds."""
    if not token or "\x00" in token:
        return None
    rows = Hold.objects.select_related("service", "counter__site")
    return rows.filter(token=token, until__gt=at).first()


def waiting_by_token(token: str) -> Waiting:
    """Return who is on the waiting list with this link, or 404."""
    if "\x00" in token:
        raise Http404
    return get_object_or_404(Waiting.objects.select_related("service", "site"), token=token)


def waiting_list(user: User, *, at: datetime) -> list[Waiting]:
    """Return the waiting list with names and telephone numbers; recorded as read."""
    rows = list(queries.open_waiting())
    if rows:
        audit.record(
            verb="waiting.list",
            actor=user.get_username(),
            at=at,
            detail={"waiting": [row.pk for row in rows]},
        )
    return rows


def appointment_at_reception(user: User, text: str, *, at: datetime) -> Appointment | None:
    """
    Return the appointment with this number, or whose link the QR code holds; None if there is
    none. Reading it is recorded.
    """
    rows = Appointment.objects.select_related("service", "counter__site", "resident")
    try:
        found = rows.filter(number=rules.parse_number(text)).first()
    except ValueError:
        token = rules.token_in(text)
        found = rows.filter(token=token).first() if token else None
    if found is not None:
        audit.record(
            verb="appointment.read",
            target=found,
            key=found.number,
            person=found.resident_id,
            actor=user.get_username(),
            at=at,
        )
    return found


def appointment_to_change(user: User, number: str, *, at: datetime) -> Appointment:
    """Return one appointment for staff, or 404. Reading it is recorded."""
    found = appointment_at_reception(user, number, at=at)
    if found is None:
        raise Http404
    return found


def appointments_expected(user: User, *, site: Site, at: datetime) -> list[Appointment]:
    """Return who is expected today, with names; the list is recorded as read."""
    day = at.astimezone(rules.JST).date()
    rows = list(Appointment.objects.expected(site=site, day=day))
    _list_read(user, "appointment.list", [row.pk for row in rows], at=at)
    return rows


def appointments_named(user: User, name: str, *, site: Site, at: datetime) -> list[Appointment]:
    """Return who is expected today under this name or reading; recorded as read."""
    day = at.astimezone(rules.JST).date()
    rows = queries.expected_by_name(name, site=site, day=day)
    _list_read(user, "appointment.find", [row.pk for row in rows], at=at)
    return rows


def _list_read(user: User, verb: str, ids: list[int], *, at: datetime) -> None:
    if ids:
        audit.record(verb=verb, actor=user.get_username(), at=at, detail={"appointments": ids})


def services_of(user: User) -> QuerySet[Service]:
    """Return the services this person sets up: the centre and administrators all."""
    services = Service.objects.select_related("division")
    if user.is_centre or user.role == Role.ADMIN:
        return services
    return services.filter(division=user.division_id)


def service_to_change(user: User, code: str) -> Service:
    return get_object_or_404(services_of(user), code=code)


def opening_rule_of(service: Service, pk: int) -> OpeningRule:
    """Return a rule in force at one of the service's counters, or 404."""
    rows = queries.rules_of(service).select_related("counter__site", "service")
    return get_object_or_404(rows, pk=pk)


def untold_move_of(service: Service, pk: int) -> AppointmentPlace:
    return get_object_or_404(queries.untold_moves(service), pk=pk)


def divisions_for_services(user: User) -> QuerySet[Division]:
    """Return whose services this person may set up."""
    divisions = Division.objects.filter(is_active=True, is_outside=False).order_by("name")
    if user.is_centre or user.role == Role.ADMIN:
        return divisions
    return divisions.filter(pk=user.division_id)


def approved_moves(sent: QueryDict) -> dict[int, datetime]:
    """Return which appointment goes where, as it was approved: `move-17=2026-12-01T09:00`."""
    moves = {}
    for name, value in sent.items():
        key = name.removeprefix("move-")
        if name != key and key.isdecimal() and len(key) < 19:
            with suppress(ValueError):
                moves[int(key)] = datetime.fromisoformat(str(value)).replace(tzinfo=rules.JST)
    return moves


def moves_to_approve(sent: QueryDict, proposals: list[queries.Proposal]) -> dict[str, object]:
    """Return what `booking/approve_moves.html` needs: the proposals, and the form sent again."""
    return {
        "proposals": proposals,
        "stuck": [row for row in proposals if row.start is None],
        "by_mail": sum(row.is_told_by_mail for row in proposals),
        "sent": [
            (name, value)
            for name, values in sent.lists()
            for value in values
            if name != "csrfmiddlewaretoken" and not name.startswith("move-")
        ],
    }


def feed_by_token(token: str) -> CounterFeed:
    """Return the calendar whose secret link this is, or 404; a withdrawn one is none."""
    if "\x00" in token:
        raise Http404
    feeds = CounterFeed.objects.filter(withdrawn_at=None).select_related("counter__site")
    return get_object_or_404(feeds, token=token)


def counters_to_follow(user: User) -> QuerySet[Counter]:
    """Return the counters whose calendar this person gives out: those of their services."""
    counters = Counter.objects.filter(is_active=True, services__in=services_of(user))
    return counters.select_related("site").distinct().order_by("site", "id")


def counter_to_follow(user: User, pk: str) -> Counter:
    return get_object_or_404(counters_to_follow(user), pk=pk if pk.isdecimal() else 0)


def feed_of(user: User, pk: int) -> CounterFeed:
    feeds = CounterFeed.objects.filter(counter__in=counters_to_follow(user))
    return get_object_or_404(feeds, pk=pk)
