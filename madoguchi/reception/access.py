"""The doors to visits and counters."""

from datetime import datetime

from django.core.signing import BadSignature, Signer
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone

from madoguchi.audit import actions as audit
from madoguchi.booking import rules as booking
from madoguchi.booking.models import Appointment
from madoguchi.offices.models import Counter, Site
from madoguchi.reception import queries, rules
from madoguchi.reception.models import TICKETS, Terminal, Visit
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role


def visit_at_counter(user: User, counter: Counter, *, at: datetime) -> Visit | None:
    """Return who is called to the counter or sits there; the name is recorded as read."""
    day = timezone.localdate(at)
    here = Visit.objects.today(site=counter.site, day=day).at_a_counter().filter(counter=counter)
    visit = here.first()
    if visit is not None and visit.appointment is not None:
        audit.record(
            verb="visit.read",
            target=visit,
            person=visit.resident_id,
            actor=user.get_username(),
            at=at,
        )
    return visit


def visit_to_move(user: User, pk: int) -> Visit:
    """Return a visit at a counter this person works at, or 404."""
    counters = counters_of(user)
    return get_object_or_404(Visit.objects.select_related("counter"), pk=pk, counter__in=counters)


def visit_to_call(counter: Counter, pk: int, *, at: datetime) -> Visit:
    """Return a visit for which this counter is there today, or 404."""
    services = queries.services_at([counter], on=timezone.localdate(at))[counter.pk]
    visits = Visit.objects.filter(site=counter.site_id)
    return get_object_or_404(visits.for_counter(counter, services=services), pk=pk)


def visit_by_link(signed: str) -> Visit:
    """Return the visit whose ticket carries this link, or 404."""
    try:
        pk = Signer(salt=TICKETS).unsign(signed)
    except BadSignature as error:
        raise Http404 from error
    rows = Visit.objects.select_related("service", "counter", "site", "appointment")
    return get_object_or_404(rows, pk=int(pk))


def terminal_with(key: str, *, site: Site) -> Terminal:
    """Return the terminal of the site that this key opens, or 404."""
    used = Terminal.objects.filter(site=site, withdrawn_at=None).select_related("site")
    return get_object_or_404(used, key_hash=rules.hash_of(key))


def appointment_at_terminal(text: str) -> Appointment | None:
    """Return the appointment with this number or QR code; what is shown of it is its time only."""
    rows = Appointment.objects.select_related("service", "counter__site")
    try:
        return rows.filter(number=booking.parse_number(text)).first()
    except ValueError:
        token = booking.token_in(text)
        return rows.filter(token=token).first() if token else None


def visit_at_reception(pk: int, *, site: Site) -> Visit:
    return get_object_or_404(Visit.objects.select_related("service", "site"), pk=pk, site=site)


def counters_of(user: User) -> QuerySet[Counter]:
    """Return the counters this person calls to: the centre and reception all, others their own."""
    counters = Counter.objects.filter(is_active=True).select_related("site", "division")
    if user.is_centre or user.role == Role.RECEPTION:
        return counters.order_by("site_id", "id")
    return counters.filter(division=user.division_id).order_by("site_id", "id")


def counter_of(user: User, pk: int) -> Counter:
    return get_object_or_404(counters_of(user), pk=pk)
