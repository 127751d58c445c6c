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
from madoguchi.reception import queries, rules
from madoguchi.reception.models import (
    Alert,
    Closing,
    QueueRule,
    Stop,
    Support,
    Terminal,
    Visit,
)
from madoguchi.reception.rules import VisitStatus
from madoguchi.residents.models import Resident
from madoguchi.staff.models import User


@transaction.atomic
def check_in(*, appointment: Appointment, site: Site, by: User | Terminal, at: datetime) -> Visit:
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
    by: User | Terminal,
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


def _arrive(*, verb: str, by: User | Terminal, at: datetime, site: Site, **fields: Any) -> Visit:
    day = timezone.localdate(at)
    ticket = numbering.next_number(series=f"visit.{site.pk}.{day:%Y%m%d}", year=fiscal_year(day))
    visit = Visit.objects.create(site=site, on=day, ticket=ticket, arrived_at=at, **fields)
    _publish(visit, verb=verb, at=at)
    _record_visit(visit, verb, by=by, at=at)
    return visit


def _publish(visit: Visit, *, verb: str, at: datetime) -> None:
    live.publish(topic=f"reception.{visit.site_id}", kind=verb, at=at, ticket=visit.ticket)
    shown: dict[str, int | str] = {"ticket": visit.ticket}
    if visit.status == VisitStatus.CALLED and visit.counter is not None:
        # A display announces the call from this, before it has asked for anything.
        shown |= {"visit": visit.pk, "calls": visit.calls, "counter": visit.counter.name}
    live.publish(topic=f"public.display.{visit.site_id}", kind=verb, at=at, **shown)


def _record_visit(
    visit: Visit, verb: str, *, by: User | Terminal, at: datetime, **detail: bool | int
) -> None:
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

    :raises StepNotAllowed: somebody is still at the counter, or it is closed.
    """
    people = _waiting_for(counter, at=at)
    order = queries.call_order(counter.site_id)
    turn = rules.next_to_call((visit.waiting for visit in people.values()), now=at, by=order)
    if turn is None:
        return None
    return _call(people[turn.visit], counter=counter, verb="visit.call_next", by=by, at=at)


@transaction.atomic
def call(*, visit: Visit, counter: Counter, by: User, at: datetime) -> Visit:
    """
    Call one person to this counter, whoever's turn it is; a call out of turn is recorded as one.

    :raises StepNotAllowed: somebody is still at the counter, it is closed, or the visitor no
        longer waits for it.
    """
    people = _waiting_for(counter, at=at)
    if visit.pk not in people:
        raise rules.StepNotAllowed(
            f"{visit.ticket}番の方は、もうこの窓口でお待ちではありません。"
            "ほかの窓口が呼んだかもしれません。"
        )
    order = queries.call_order(counter.site_id)
    turn = rules.next_to_call((other.waiting for other in people.values()), now=at, by=order)
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
    if queries.is_closed(counter, on=day):
        raise rules.StepNotAllowed("この窓口は休止中です。再開してから、お呼びください。")
    services = queries.services_at([counter], on=day)[counter.pk]
    waiting = Visit.objects.select_for_update().filter(site_id=counter.site_id, on=day).waiting()
    return {
        visit.pk: visit for visit in waiting.for_counter(counter, services=services).order_by("pk")
    }


@transaction.atomic
def recall(*, visit: Visit, by: User, at: datetime) -> Visit:
    """
    Call the same ticket once more; who was absent or parked comes back to the same counter.

    :raises StepNotAllowed: the visit is neither called nor absent nor parked at a counter.
    """
    visit = _locked(visit)
    again = (VisitStatus.CALLED, VisitStatus.ABSENT, VisitStatus.PARKED)
    if visit.status not in again or visit.counter is None:
        raise rules.StepNotAllowed("呼出中・不在・保留の方だけ、もう一度呼び出せます。")
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


@transaction.atomic
def finish(*, visit: Visit, by: User, at: datetime) -> Visit:
    """The visitor leaves the counter: for home, or to wait for the next one on the ticket."""
    visit = _locked(visit)
    following = visit.stops.filter(finished_at=None).select_related("service").order_by("pk")
    if visit.status == VisitStatus.SERVING and (stop := following.first()) is not None:
        _leave(visit, at=at)
        stop.delete()
        return _send_on(
            visit,
            service=stop.service,
            desk=stop.counter,
            note=stop.note,
            verb="visit.go_on",
            by=by,
            at=at,
        )
    return _step(visit, VisitStatus.DONE, "visit.finish", by=by, at=at, finished_at=at)


@transaction.atomic
def add_stop(
    *, visit: Visit, service: Service, desk: Counter | None, note: str, by: User, at: datetime
) -> Stop:
    """
    Put another counter on the same ticket; the visitor goes on to it without a new number.

    :raises StepNotAllowed: the visitor has left, or nobody there could call.
    """
    visit = _locked(visit)
    if visit.status == VisitStatus.DONE:
        raise rules.StepNotAllowed("この方の受付は終わっています。新しい番号を出してください。")
    _check_somebody_calls(visit, service=service, desk=desk)
    stop = visit.stops.create(service=service, counter=desk, note=note)
    _publish(visit, verb="visit.add_stop", at=at)
    _record_visit(visit, "visit.add_stop", by=by, at=at, service=service.pk)
    return stop


@transaction.atomic
def transfer(
    *, visit: Visit, service: Service, desk: Counter | None, note: str, by: User, at: datetime
) -> Visit:
    """
    Send the visitor to another counter with a note; the place in the queue stays.

    :raises StepNotAllowed: nobody is at this counter, or nobody there could call.
    """
    visit = _locked(visit)
    if visit.status not in rules.AT_A_COUNTER:
        raise rules.StepNotAllowed("窓口にいる方だけ、ほかの窓口へ引き継げます。")
    _check_somebody_calls(visit, service=service, desk=desk)
    _leave(visit, at=at)
    return _send_on(
        visit, service=service, desk=desk, note=note, verb="visit.transfer", by=by, at=at
    )


def _check_somebody_calls(visit: Visit, *, service: Service, desk: Counter | None) -> None:
    there = Counter.objects.filter(site=visit.site_id, is_active=True)
    if desk is None and not there.filter(services=service).exists():
        raise rules.StepNotAllowed(
            f"{visit.site}には、「{service}」の窓口がありません。窓口を指定してください。"
        )
    if desk is not None and not there.filter(pk=desk.pk).exists():
        raise rules.StepNotAllowed(f"{desk}は、{visit.site}の窓口ではありません。")


def _leave(visit: Visit, *, at: datetime) -> None:
    """Keep where the visitor was and how long it took, before the next counter is written."""
    if visit.status == VisitStatus.SERVING:
        visit.stops.create(
            service=visit.service,
            counter=visit.counter,
            note=visit.note,
            officer=visit.officer,
            called_at=visit.called_at,
            finished_at=at,
        )


def _send_on(
    visit: Visit,
    *,
    service: Service,
    desk: Counter | None,
    note: str,
    verb: str,
    by: User,
    at: datetime,
) -> Visit:
    visit.status, visit.service, visit.desk, visit.note = "waiting", service, desk, note
    visit.counter = None
    visit.save(update_fields=["status", "service", "desk", "note", "counter"])
    _publish(visit, verb=verb, at=at)
    _record_visit(visit, verb, by=by, at=at, service=service.pk)
    return visit


@transaction.atomic
def park(*, visit: Visit, by: User, at: datetime) -> Visit:
    """Let the visitor do something else first (保留); nobody calls until the place is taken up."""
    visit = _locked(visit)
    _leave(visit, at=at)
    return _step(visit, VisitStatus.PARKED, "visit.park", by=by, at=at)


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


# --- the hall --------------------------------------------------------------------------------


@transaction.atomic
def close_counter(*, counter: Counter, by: User, at: datetime) -> None:
    """
    Let the counter call nobody for a while; whoever is there is served to the end.

    :raises StepNotAllowed: somebody waits who may go to no other counter.
    """
    counter = Counter.objects.select_for_update().get(pk=counter.pk)
    on = timezone.localdate(at)
    if Visit.objects.filter(desk=counter, on=on).waiting().exists():
        raise rules.StepNotAllowed(
            "この窓口を指定して待っている方がいます。先に呼ぶか、引き継いでください。"
        )
    if queries.is_closed(counter, on=on):
        return
    Closing.objects.create(counter=counter, on=on, closed_at=at, closed_by=by.get_username())
    _tell(counter, verb="counter.close", by=by, at=at)


@transaction.atomic
def open_counter(*, counter: Counter, by: User, at: datetime) -> None:
    """Let a closed counter call again."""
    closings = Closing.objects.filter(counter=counter, on=timezone.localdate(at), opened_at=None)
    if closings.update(opened_at=at, opened_by=by.get_username()):
        _tell(counter, verb="counter.open", by=by, at=at)


@transaction.atomic
def begin_support(*, counter: Counter, service: Service, by: User, at: datetime) -> None:
    """
    Let a counter of another section call for the service too, until the end of the day.

    :raises StepNotAllowed: it is closed.
    """
    counter = Counter.objects.select_for_update().get(pk=counter.pk)
    on = timezone.localdate(at)
    if queries.is_closed(counter, on=on):
        raise rules.StepNotAllowed("この窓口は休止中です。再開してから、応援を始めてください。")
    if service.pk in queries.services_at([counter], on=on)[counter.pk]:
        return
    Support.objects.create(
        counter=counter, service=service, on=on, begun_at=at, begun_by=by.get_username()
    )
    _tell(counter, verb="support.begin", by=by, at=at, service=service.pk)


@transaction.atomic
def end_support(*, support: Support, by: User, at: datetime) -> None:
    """Let the counter be its own section's again; whoever sits there is served to the end."""
    going = Support.objects.filter(pk=support.pk, ended_at=None)
    if going.update(ended_at=at, ended_by=by.get_username()):
        _tell(support.counter, verb="support.end", by=by, at=at, service=support.service_id)


@transaction.atomic
def raise_alert(*, counter: Counter, by: User, at: datetime) -> Alert:
    """Call colleagues to the counter at once; pressed again while open, it is the same one."""
    Counter.objects.select_for_update().get(pk=counter.pk)
    alert = Alert.objects.filter(counter=counter, acknowledged_at=None).first()
    if alert is None:
        alert = Alert.objects.create(counter=counter, raised_at=at, raised_by=by.get_username())
        _tell(counter, verb="alert.raise", by=by, at=at, alert=alert.pk)
    return alert


@transaction.atomic
def acknowledge_alert(*, alert: Alert, by: User, at: datetime) -> None:
    """Say "I am going"; the first one is kept."""
    open_ = Alert.objects.filter(pk=alert.pk, acknowledged_at=None)
    if open_.update(acknowledged_at=at, acknowledged_by=by.get_username()):
        _tell(alert.counter, verb="alert.acknowledge", by=by, at=at, alert=alert.pk)


def _tell(counter: Counter, *, verb: str, by: User, at: datetime, **ids: int) -> None:
    for topic in (f"reception.{counter.site_id}", f"public.display.{counter.site_id}"):
        if not (verb.startswith("alert.") and topic.startswith("public.")):
            live.publish(topic=topic, kind=verb, at=at, counter_id=counter.pk)
    audit.record(verb=verb, target=counter, actor=by.get_username(), at=at, detail=ids)


@transaction.atomic
def set_queue_rule(*, site: Site, fields: dict[str, Any], by: User, at: datetime) -> QueueRule:
    """Declare in which order the site calls; everybody reads it on display and ticket."""
    changed = fields | {"changed_at": at, "changed_by": by.get_username()}
    rule, _ = QueueRule.objects.update_or_create(site=site, defaults=changed)
    for topic in (f"reception.{site.pk}", f"public.display.{site.pk}"):
        live.publish(topic=topic, kind="queue_rule.set", at=at)
    audit.record(
        verb="queue_rule.set",
        target=rule,
        actor=by.get_username(),
        at=at,
        detail={name: str(value) for name, value in fields.items()},
    )
    return rule


@transaction.atomic
def add_terminal(*, site: Site, name: str, by: User, at: datetime) -> tuple[Terminal, str]:
    """Register a screen in the hall; return it and its key, which is not kept."""
    key = rules.new_key()
    terminal = Terminal.objects.create(
        site=site,
        name=name,
        key_hash=rules.hash_of(key),
        made_at=at,
        made_by=by.get_username(),
    )
    audit.record(verb="terminal.add", target=terminal, actor=by.get_username(), at=at)
    return terminal, key


@transaction.atomic
def withdraw_terminal(*, terminal: Terminal, by: User, at: datetime) -> None:
    """Let the key open nothing any more."""
    used = Terminal.objects.filter(pk=terminal.pk, withdrawn_at=None)
    if used.update(withdrawn_at=at, withdrawn_by=by.get_username()):
        audit.record(verb="terminal.withdraw", target=terminal, actor=by.get_username(), at=at)
