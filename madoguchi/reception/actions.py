"""
The verbs of reception and calling.

Locks are taken in one order: the appointment, the counter, the visits by id, the ticket number,
the audit trail. On SQLite every transaction writes alone anyway.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from madoguchi.audit import actions as audit
from madoguchi.booking import actions as booking
from madoguchi.booking.models import Appointment, Service
from madoguchi.foundation import live, numbering
from madoguchi.foundation.dates import fiscal_year
from madoguchi.offices.models import Counter, Site
from madoguchi.reception import rules
from madoguchi.reception.models import Visit
from madoguchi.reception.rules import VisitStatus
from madoguchi.residents.models import Resident
from madoguchi.staff.models import User


@transaction.atomic
def check_in(*, appointment: Appointment, site: Site, by: User, at: datetime) -> Visit:
    """
    Receive somebody who booked, and give a ticket number.

    :raises booking.StepNotAllowed: another day, another site, cancelled, or already here.
    """
    appointment = booking.arrive(appointment=appointment, site=site, at=at)
    return _arrive(
        verb="visit.check_in",
        by=by,
        at=at,
        site=site,
        service=appointment.service,
        appointment=appointment,
        booked_for=appointment.start,
        resident_id=appointment.resident_id,
    )


@transaction.atomic
def walk_in(
    *,
    site: Site,
    service: Service,
    reason: rules.Remark,
    resident: Resident | None = None,
    by: User,
    at: datetime,
) -> Visit:
    """Receive somebody without a booking; the reason is counted."""
    return _arrive(
        verb="visit.walk_in",
        by=by,
        at=at,
        site=site,
        service=service,
        reason_without_booking=reason.value,
        resident_id=resident.pk if resident else None,
    )


@transaction.atomic
def identify(*, visit: Visit, resident: Resident | None, by: User, at: datetime) -> None:
    """
    Say who came and had booked, so that their contact is shown as their display allows.

    Whoever has a restricted display stays the one who booked: nobody is unmasked by a mistake.
    """
    Visit.objects.filter(pk=visit.pk).exclude(resident__is_restricted=True).update(
        resident=resident
    )
    booked = Appointment.objects.filter(visit=visit).exclude(resident__is_restricted=True)
    booked.update(resident=resident)
    visit.refresh_from_db(fields=["resident"])
    _record_visit(visit, "visit.identify", by=by, at=at)


def _arrive(*, verb: str, by: User, at: datetime, site: Site, **fields: Any) -> Visit:
    day = timezone.localdate(at)
    ticket = numbering.next_number(series=f"visit.{site.pk}.{day:%Y%m%d}", year=fiscal_year(day))
    visit = Visit.objects.create(site=site, on=day, ticket=ticket, arrived_at=at, **fields)
    _publish(visit, verb=verb, at=at)
    _record_visit(visit, verb, by=by, at=at)
    return visit


def _publish(visit: Visit, *, verb: str, at: datetime) -> None:
    for topic in (f"reception.{visit.site_id}", f"public.display.{visit.site_id}"):
        live.publish(topic=topic, kind=verb, at=at, ticket=visit.ticket)


def _record_visit(visit: Visit, verb: str, *, by: User, at: datetime, **detail: bool) -> None:
    audit.record(
        verb=verb,
        target=visit,
        person=visit.resident_id,
        actor=by.get_username(),
        at=at,
        detail={"ticket": visit.ticket, "counter": visit.counter_id, **detail},
    )


@transaction.atomic
def call_next(*, counter: Counter, by: User, at: datetime) -> Visit | None:
    """
    Call whose turn it is at this counter; None when nobody waits.

    :raises StepNotAllowed: somebody is still at the counter.
    """
    people = _waiting_for(counter, at=at)
    turn = rules.next_to_call((visit.waiting for visit in people.values()), now=at)
    if turn is None:
        return None
    return _call(people[turn.visit], counter=counter, verb="visit.call_next", by=by, at=at)


@transaction.atomic
def call(*, visit: Visit, counter: Counter, by: User, at: datetime) -> Visit:
    """
    Call one person to this counter, whoever's turn it is; a call out of turn is recorded as one.

    :raises StepNotAllowed: somebody is still at the counter, or the visitor no longer waits
        for it.
    """
    people = _waiting_for(counter, at=at)
    if visit.pk not in people:
        raise rules.StepNotAllowed(
            f"{visit.ticket}番の方は、もうこの窓口でお待ちではありません。"
            "ほかの窓口が呼んだかもしれません。"
        )
    turn = rules.next_to_call((other.waiting for other in people.values()), now=at)
    return _call(
        people[visit.pk],
        counter=counter,
        verb="visit.call",
        by=by,
        at=at,
        out_of_turn=turn is not None and turn.visit != visit.pk,
    )


def _waiting_for(counter: Counter, *, at: datetime) -> dict[int, Visit]:
    """Lock the counter and whoever waits for it today, so that nobody else calls them."""
    counter = Counter.objects.select_for_update().get(pk=counter.pk)
    day = timezone.localdate(at)
    if Visit.objects.filter(counter=counter, on=day).at_a_counter().exists():
        raise rules.StepNotAllowed(
            "この窓口には、呼出中または対応中の方がいます。先に終えてください。"
        )
    waiting = Visit.objects.select_for_update().filter(
        site_id=counter.site_id,
        on=day,
        status=VisitStatus.WAITING,
        service__in=counter.services.all(),
    )
    return {visit.pk: visit for visit in waiting.order_by("pk")}


@transaction.atomic
def recall(*, visit: Visit, by: User, at: datetime) -> Visit:
    """
    Call the same ticket once more; an absent one comes back to the counter that called it.

    :raises StepNotAllowed: the visit is neither called nor absent.
    """
    visit = _locked(visit)
    if visit.status not in (VisitStatus.CALLED, VisitStatus.ABSENT) or visit.counter is None:
        raise rules.StepNotAllowed("呼出中または不在の方だけ、もう一度呼び出せます。")
    taken = Visit.objects.filter(counter=visit.counter, on=visit.on).at_a_counter()
    if taken.exclude(pk=visit.pk).exists():
        raise rules.StepNotAllowed("この窓口には、ほかの方がいます。先に終えてください。")
    return _call(visit, counter=visit.counter, verb="visit.recall", by=by, at=at)


def _call(
    visit: Visit, *, counter: Counter, verb: str, by: User, at: datetime, **detail: bool
) -> Visit:
    visit.status, visit.counter, visit.officer = VisitStatus.CALLED.value, counter, by
    visit.called_at, visit.calls = at, visit.calls + 1
    visit.save(update_fields=["status", "counter", "officer", "called_at", "calls"])
    _publish(visit, verb=verb, at=at)
    _record_visit(visit, verb, by=by, at=at, **detail)
    return visit


def start(*, visit: Visit, by: User, at: datetime) -> Visit:
    """The called visitor has come to the counter."""
    return _step(visit, VisitStatus.SERVING, "visit.start", by=by, at=at, started_at=at)


def finish(*, visit: Visit, by: User, at: datetime) -> Visit:
    """The visitor leaves the counter."""
    return _step(visit, VisitStatus.DONE, "visit.finish", by=by, at=at, finished_at=at)


def mark_absent(*, visit: Visit, by: User, at: datetime) -> Visit:
    """Nobody came to the call; the ticket can still be called again."""
    return _step(visit, VisitStatus.ABSENT, "visit.mark_absent", by=by, at=at)


def return_to_queue(*, visit: Visit, by: User, at: datetime) -> Visit:
    """Let the visitor wait again, at the place in the queue that booking and arrival give."""
    return _step(visit, VisitStatus.WAITING, "visit.return_to_queue", by=by, at=at)


@transaction.atomic
def _step(
    visit: Visit, to: VisitStatus, verb: str, *, by: User, at: datetime, **times: datetime
) -> Visit:
    visit = _locked(visit)
    rules.check_step(VisitStatus(visit.status), to)
    visit.status = to.value
    for field, moment in times.items():
        setattr(visit, field, moment)
    visit.save(update_fields=["status", *times])
    _publish(visit, verb=verb, at=at)
    _record_visit(visit, verb, by=by, at=at)
    return visit


def _locked(visit: Visit) -> Visit:
    Visit.objects.select_for_update().get(pk=visit.pk)
    return Visit.objects.select_related("service", "counter", "site").get(pk=visit.pk)
