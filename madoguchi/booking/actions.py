"""
The verbs of booking.

Locks are taken in one order: the appointment, the counter-days by (day, counter), the audit
trail. On SQLite every transaction writes alone anyway.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, Expression, ExpressionWrapper, F, Q
from django.template.loader import render_to_string

from madoguchi.audit import actions as audit
from madoguchi.booking import queries, rules
from madoguchi.booking.models import (
    Appointment,
    CounterDay,
    Hold,
    HoldQuerySet,
    OpeningRule,
    Service,
)
from madoguchi.booking.rules import AppointmentStatus, Source
from madoguchi.foundation import live
from madoguchi.messaging import actions as messaging
from madoguchi.offices.models import Counter, Site
from madoguchi.residents.models import Resident
from madoguchi.staff.models import User

RESIDENT = "resident"  # the actor of whoever books without an account


def _actor(by: User | None) -> str:
    return by.get_username() if by else RESIDENT


def _today(at: datetime) -> date:
    return at.astimezone(rules.JST).date()


# --- the guard -------------------------------------------------------------------------------


def claim(*, day: date, counter_id: int, mask: int) -> bool:
    """
    Take the cells if every one is open and free; say whether they are ours now.

    One conditional UPDATE: of two transactions that want the same cell, the second waits for
    the first and then finds the condition false. Nothing else may set a busy bit.
    """
    free = CounterDay.objects.alias(
        taken=_cells_of("busy", mask), opened=_cells_of("open", mask)
    ).filter(day=day, counter_id=counter_id, taken=0, opened=mask)
    return free.update(busy=F("busy").bitor(mask)) == 1


def _cells_of(column: str, mask: int) -> Expression:
    """
    Return the column's cells under the mask, as a number of 64 bits.

    Without the wrapper Django takes it for one of 32, and on PostgreSQL answers "no row" to
    any mask beyond, unasked: nothing from 14:45 onwards could be booked.
    """
    return ExpressionWrapper(F(column).bitand(mask), output_field=BigIntegerField())


def free(*, day: date, counter_id: int, mask: int) -> None:
    """Give the cells back; only for a row this transaction moved out of an occupying state."""
    CounterDay.objects.filter(day=day, counter_id=counter_id).update(
        busy=F("busy").bitand(rules.WHOLE_DAY & ~mask)
    )


# --- appointments ----------------------------------------------------------------------------


def book(
    *,
    service: Service,
    site: Site,
    start: datetime,
    name: str,
    kana: str = "",
    phone: str = "",
    email: str = "",
    source: Source = Source.WEB,
    resident: Resident | None = None,
    key: str | None = None,
    hold: str = "",
    by: User | None = None,
    at: datetime,
) -> Appointment:
    """
    Keep a place for somebody; `by` None is the resident. The same key again: the same answer.

    `hold` is the token of the visitor's own hold: it becomes the booking, or, if it is for
    another place, is given back. Once it has lapsed the place must be free, as for everybody.

    :raises Full: every counter is taken then.
    :raises NotBookable: the service, the site or the start is not offered this way.
    :raises KeyReused: the key was used for another content.
    """
    fingerprint = rules.fingerprint(
        service.code, site.code, start.astimezone(rules.JST).isoformat(), name, kana, phone, email
    )
    if (earlier := _booked_with(key, fingerprint)) is not None:
        return earlier
    release_lapsed(at=at)
    held = _own_hold(hold, service=service, site=site, start=start)
    # Whoever held the place in time may book it, even if the lead time has passed since.
    _check_bookable(service, site=site, start=start, at=held.made_at if held else at, by=by)
    fields: dict[str, Any] = {
        "service": service,
        "start": start,
        "cells": service.cells,
        "source": source.value,
        "name": name,
        "kana": kana,
        "phone": phone,
        "email": email,
        "resident": resident,
        "key": key,
        "fingerprint": fingerprint,
        "booked_at": at,
    }
    try:
        return _book(site=site, fields=fields, held=held, by=by, at=at)
    except IntegrityError:
        # The same key was sent twice at once; the first one has committed by now.
        if (earlier := _booked_with(key, fingerprint)) is not None:
            return earlier
        raise


@transaction.atomic
def _book(
    *, site: Site, fields: dict[str, Any], held: Hold | None, by: User | None, at: datetime
) -> Appointment:
    if held is None or (counter_id := _take_over(held, at=at)) is None:
        counter_id = _claim_any(fields["service"], site=site, start=fields["start"])
    appointment = Appointment.objects.create(
        number=_unused_number(),
        token=rules.new_token(),
        counter_id=counter_id,
        **fields,
    )
    _tell_reception(site.pk, kind="appointment.book", at=at, appointment=appointment.pk)
    _mail(appointment, "book", at=at)
    audit.record(
        verb="appointment.book",
        target=appointment,
        key=appointment.number,
        person=appointment.resident_id,
        actor=_actor(by),
        at=at,
        detail={"source": appointment.source, "service": appointment.service.code},
    )
    return appointment


def _booked_with(key: str | None, fingerprint: str) -> Appointment | None:
    if not key:
        return None
    earlier = (
        Appointment.objects.select_related("service", "counter__site").filter(key=key).first()
    )
    if earlier is not None and earlier.fingerprint != fingerprint:
        raise rules.KeyReused(
            "前と違う内容が送られました。前の内容での予約は、すでにできています。"
            "もう一つ予約するときは、もう一度送ってください。"
        )
    return earlier


def _check_bookable(
    service: Service, *, site: Site, start: datetime, at: datetime, by: User | None
) -> None:
    if not service.is_active or (by is None and not service.is_online):
        raise rules.NotBookable(
            "この手続きは、オンラインでは予約できません。電話でお問い合わせください。",
            field="service",
        )
    if by is not None and service.stage == rules.Stage.ANNOUNCED:
        raise rules.NotBookable(
            "この手続きは、まだ予約を受け付けていません（告知の段階です）。", field="service"
        )
    window = queries.window_of(service, at=at, by_staff=by is not None)
    if start < window.earliest or start.astimezone(rules.JST).date() > window.last_day:
        raise rules.NotBookable("予約できる期間の外です。表示された日時から選んでください。")
    if not service.counters.filter(site=site, is_active=True).exists():
        raise rules.NotBookable("この手続きは、その庁舎では受け付けていません。", field="site")


def _claim_any(service: Service, *, site: Site, start: datetime) -> int:
    """Claim the cells at the first counter that has them, and return that counter's id."""
    rows = queries.candidates(service, site=site, start=start)
    if not rows:
        raise rules.NotBookable("その時刻は受け付けていません。表示された日時から選んでください。")
    mask = rules.run_mask(rules.cell_of(start), service.cells)
    for row in rows:
        if claim(day=row.day, counter_id=row.counter_id, mask=mask):
            return row.counter_id
    raise rules.Full("申し訳ありません。その時刻は、ほかの方の予約で埋まりました。")


def _unused_number() -> str:
    number = rules.new_number()
    while Appointment.objects.filter(number=number).exists():
        number = rules.new_number()
    return number


# --- holds -----------------------------------------------------------------------------------


def hold(
    *,
    service: Service,
    site: Site,
    start: datetime,
    instead_of: str = "",
    by: User | None = None,
    at: datetime,
) -> Hold:
    """
    Keep the place for HOLD while the form is filled in; one visitor keeps one.

    `instead_of` is the token of the visitor's earlier hold: it is given back. It is nobody's
    record and leaves no line in the trail.

    :raises Full: every counter is taken then.
    :raises NotBookable: the service, the site or the start is not offered this way.
    """
    release_lapsed(at=at)
    if (same := _own_hold(instead_of, service=service, site=site, start=start)) is not None:
        return same
    _check_bookable(service, site=site, start=start, at=at, by=by)
    return _hold(service, site=site, start=start, at=at)


@transaction.atomic
def _hold(service: Service, *, site: Site, start: datetime, at: datetime) -> Hold:
    counter_id = _claim_any(service, site=site, start=start)
    return Hold.objects.create(
        token=rules.new_token(),
        service=service,
        counter_id=counter_id,
        start=start,
        cells=service.cells,
        made_at=at,
        until=at + rules.HOLD,
    )


def _own_hold(token: str, *, service: Service, site: Site, start: datetime) -> Hold | None:
    """Return the visitor's hold if it is for this place; give back one for another."""
    found = Hold.objects.filter(token=token).select_related("counter").first() if token else None
    if found is None:
        return None
    if (found.service, found.counter.site, found.start) == (service, site, start):
        return found
    _release(Hold.objects.filter(pk=found.pk))
    return None


def _take_over(held: Hold, *, at: datetime) -> int | None:
    """
    Make the hold's cells the booking's and return the counter; None if it lapsed meanwhile.

    :raises NotBookable: the counter's hours were changed while the form was filled in.
    """
    if not _delete(Hold.objects.filter(pk=held.pk, until__gt=at)):
        return None
    day = CounterDay.objects.select_for_update().get(day=held.day, counter=held.counter_id)
    if day.open & held.mask != held.mask:
        raise rules.NotBookable(
            "受付時間が変わり、その時刻は予約できなくなりました。ほかの時刻を選んでください。"
        )
    return held.counter_id


def release_lapsed(*, at: datetime) -> int:
    """Give back every place whose hold has lapsed; return how many. Each on its own."""
    lapsed = Hold.objects.lapsed(at=at).order_by("until", "id").values_list("pk", flat=True)
    return sum(_release(Hold.objects.lapsed(at=at).filter(pk=pk)) for pk in list(lapsed))


@transaction.atomic
def _release(one: HoldQuerySet) -> bool:
    """Delete the one hold and give its cells back, unless somebody was first."""
    found = one.first()
    if found is None or not _delete(one):
        return False
    free(day=found.day, counter_id=found.counter_id, mask=found.mask)
    return True


def _delete(one: HoldQuerySet) -> bool:
    """Say whether we deleted it: of any number who try, one does, and the cells are its."""
    deleted, _ = one.delete()
    return deleted == 1


# --- changing and cancelling -----------------------------------------------------------------


@transaction.atomic
def cancel(*, appointment: Appointment, by: User | None = None, at: datetime) -> Appointment:
    """
    Give the place back. Cancelling twice is cancelling once.

    :raises StepNotAllowed: the visitor has come, or the time has passed.
    """
    booked = Appointment.objects.filter(pk=appointment.pk, status=AppointmentStatus.BOOKED)
    if by is None:
        booked = booked.filter(start__gt=at)
    moved = booked.update(status=AppointmentStatus.CANCELLED, cancelled_at=at)
    appointment = _whole(appointment.pk)
    if not moved:
        if appointment.status == AppointmentStatus.CANCELLED:
            return appointment
        raise rules.StepNotAllowed(
            "この予約は、もう取り消せません（来庁済み、または時刻を過ぎました）。"
        )

    free(day=appointment.day, counter_id=appointment.counter_id, mask=appointment.mask)
    _tell_reception(
        appointment.site.pk, kind="appointment.cancel", at=at, appointment=appointment.pk
    )
    _mail(appointment, "cancel", at=at)
    _record(appointment, "appointment.cancel", by=by, at=at)
    return appointment


@transaction.atomic
def reschedule(
    *,
    appointment: Appointment,
    site: Site,
    start: datetime,
    by: User | None = None,
    at: datetime,
) -> Appointment:
    """
    Move the appointment; its number and link stay. The old place is kept until the new one is
    taken: both changes are one transaction.

    :raises Full: the new place is taken; nothing changed.
    :raises NotBookable: the new place is not offered.
    :raises StepNotAllowed: the visitor has come, or it is cancelled, or the time has passed.
    """
    Appointment.objects.select_for_update().get(pk=appointment.pk)
    appointment = _whole(appointment.pk)
    if not appointment.is_changeable or (by is None and appointment.start <= at):
        raise rules.StepNotAllowed("この予約は、もう変更できません。")
    service = appointment.service
    _check_bookable(service, site=site, start=start, at=at, by=by)
    before = appointment.site.pk
    _lock_days(
        Q(day=appointment.day, counter=appointment.counter_id)
        | Q(day=start.astimezone(rules.JST).date(), counter__services=service)
    )

    free(day=appointment.day, counter_id=appointment.counter_id, mask=appointment.mask)
    appointment.counter_id = _claim_any(service, site=site, start=start)
    appointment.start, appointment.cells = start, service.cells
    appointment.save(update_fields=["counter", "start", "cells"])
    appointment = _whole(appointment.pk)
    for site_id in sorted({before, site.pk}):
        _tell_reception(site_id, kind="appointment.reschedule", at=at, appointment=appointment.pk)
    _mail(appointment, "reschedule", at=at)
    _record(appointment, "appointment.reschedule", by=by, at=at)
    return appointment


def _lock_days(wanted: Q) -> None:
    ids = CounterDay.objects.filter(wanted).values("pk")
    rows = CounterDay.objects.select_for_update().filter(pk__in=ids)
    list(rows.order_by("day", "counter_id").values_list("pk", flat=True))


def _whole(pk: int) -> Appointment:
    return Appointment.objects.select_related("service", "counter__site").get(pk=pk)


def _tell_reception(site_id: int, *, kind: str, at: datetime, **ids: int | str) -> None:
    live.publish(topic=f"reception.{site_id}", kind=kind, at=at, **ids)


SUBJECTS = {
    "book": "予約を受け付けました",
    "reschedule": "予約を変更しました",
    "cancel": "予約を取り消しました",
    "remind": "明日の予約のお知らせ",
}


def _mail(appointment: Appointment, what: str, *, at: datetime) -> None:
    """
    Confirm by mail: number, time, place and link.

    Neither the name nor the matter: a mail is read by others in the family.
    """
    if not appointment.email:
        return
    messaging.post(
        channel="mail",
        to=appointment.email,
        subject=f"{SUBJECTS[what]}（{appointment.shown_number}）",
        body=render_to_string(
            f"booking/mail/{what}.txt",
            {"appointment": appointment, "link": f"{settings.SITE_URL}{appointment.address}"},
        ),
        at=at,
        about=appointment.number,
    )


def _record(appointment: Appointment, verb: str, *, by: User | None, at: datetime) -> None:
    audit.record(
        verb=verb,
        target=appointment,
        key=appointment.number,
        person=appointment.resident_id,
        actor=_actor(by),
        at=at,
    )


@transaction.atomic
def arrive(*, appointment: Appointment, site: Site, at: datetime) -> Appointment:
    """
    Note that who booked is here. The caller gives the ticket and leaves the line in the trail.

    :raises StepNotAllowed: another day, another site, cancelled, or already here.
    """
    moved = Appointment.objects.filter(
        pk=appointment.pk, status=AppointmentStatus.BOOKED, counter__site=site
    )
    day = _today(at)
    arrived = moved.on_day(day).update(status=AppointmentStatus.ARRIVED)
    appointment = _whole(appointment.pk)
    if not arrived:
        raise rules.StepNotAllowed(_why_not_received(appointment, site=site, day=day))
    return appointment


def _why_not_received(appointment: Appointment, *, site: Site, day: date) -> str:
    if appointment.status == AppointmentStatus.CANCELLED:
        return "この予約は取り消されています。予約なしとして受け付けてください。"
    if appointment.status == AppointmentStatus.ARRIVED:
        return "この予約は、すでに受付が済んでいます。"
    if appointment.day != day:
        return f"この予約は{appointment.when}です。予約なしとして受け付けてください。"
    return f"この予約は{appointment.site}です。{site}では、予約なしとして受け付けてください。"


@transaction.atomic
def remind(*, appointment: Appointment, at: datetime) -> bool:
    """
    Remind of tomorrow's appointment by mail; say whether this call did.

    Which start it was is noted in the transaction that posts the mail: a restart neither
    repeats nor loses one, and an appointment that is moved is reminded of anew.
    """
    tomorrow = Appointment.objects.to_remind(day=_today(at) + timedelta(days=1))
    if not tomorrow.filter(pk=appointment.pk).update(reminded_of=F("start")):
        return False
    appointment = _whole(appointment.pk)
    _mail(appointment, "remind", at=at)
    audit.record(
        verb="appointment.remind",
        target=appointment,
        key=appointment.number,
        person=appointment.resident_id,
        actor="system",
        at=at,
    )
    return True


@transaction.atomic
def mark_missed(*, before: date, at: datetime) -> int:
    """Note who did not come on the days before; the cells stay taken. Return how many."""
    late = Appointment.objects.filter(
        status=AppointmentStatus.BOOKED, start__lt=rules.start_of(before, 0)
    )
    ids = sorted(late.values_list("pk", flat=True))
    moved = Appointment.objects.filter(pk__in=ids, status=AppointmentStatus.BOOKED).update(
        status=AppointmentStatus.MISSED
    )
    if moved:
        audit.record(
            verb="appointment.mark_missed", actor="system", at=at, detail={"appointments": ids}
        )
    return moved


# --- services and opening rules --------------------------------------------------------------


@transaction.atomic
def save_service(
    *,
    service: Service | None,
    fields: dict[str, Any],
    counters: Collection[Counter],
    by: User,
    at: datetime,
) -> Service:
    """Make or change a service. Appointments keep the length they were booked with."""
    verb = "service.change" if service else "service.make"
    service = service or Service()
    for field, value in fields.items():
        setattr(service, field, value)
    service.save()
    service.counters.set(counters)
    lay_out_days(counters=counters, first=_today(at))
    audit.record(
        verb=verb,
        target=service,
        key=service.code,
        actor=by.get_username(),
        at=at,
        detail={"fields": sorted(fields), "counters": sorted(c.pk for c in counters)},
    )
    return service


@transaction.atomic
def add_opening_rule(
    *,
    counter: Counter,
    weekdays: int,
    opens_at: time,
    closes_at: time,
    valid_from: date,
    valid_until: date | None = None,
    service: Service | None = None,
    is_closure: bool = False,
    note: str = "",
    by: User,
    at: datetime,
) -> OpeningRule:
    """Say when the counter takes bookings, or takes none. No appointment is touched."""
    rule = OpeningRule.objects.create(
        counter=counter,
        service=service,
        weekdays=weekdays,
        opens_at=opens_at,
        closes_at=closes_at,
        valid_from=valid_from,
        valid_until=valid_until,
        is_closure=is_closure,
        note=note,
        made_at=at,
        made_by=by.get_username(),
    )
    lay_out_days(counters=[counter], first=_today(at))
    audit.record(verb="opening_rule.add", target=rule, actor=by.get_username(), at=at)
    return rule


@transaction.atomic
def withdraw_opening_rule(*, rule: OpeningRule, by: User, at: datetime) -> None:
    """End a rule; it stays readable. No appointment is touched."""
    moved = OpeningRule.objects.in_force().filter(pk=rule.pk)
    if not moved.update(withdrawn_at=at, withdrawn_by=by.get_username()):
        return
    lay_out_days(counters=[rule.counter], first=_today(at))
    audit.record(verb="opening_rule.withdraw", target=rule, actor=by.get_username(), at=at)


@transaction.atomic
def lay_out_days(*, counters: Iterable[Counter], first: date, last: date | None = None) -> int:
    """
    Bring the open masks up to date with rules and site hours; return how many days changed.

    Only `open` is written: a booking outside the new hours keeps its place.
    """
    counters = list(counters)
    until = last or first + timedelta(days=rules.HORIZON_DAYS)
    wanted = queries.laid_out(counters, first=first, last=until)
    rows = CounterDay.objects.filter(day__range=(first, until), counter__in=counters)
    known = set(rows.values_list("day", "counter_id"))
    CounterDay.objects.bulk_create(
        [
            CounterDay(day=day, counter_id=counter, open=mask)
            for (day, counter), mask in wanted.items()
            if (day, counter) not in known
        ],
        ignore_conflicts=True,
        batch_size=500,
    )
    stale = [
        row
        for row in rows.select_for_update().order_by("day", "counter_id")
        if row.open != wanted[row.day, row.counter_id]
    ]
    for row in stale:
        row.open = wanted[row.day, row.counter_id]
    CounterDay.objects.bulk_update(stale, ["open"], batch_size=200)
    return len(wanted) - len(known) + len(stale)


@transaction.atomic
def rebuild_busy(*, first: date | None = None, last: date | None = None) -> int:
    """
    Make the busy masks anew from the appointments; return how many rows were wrong.

    For imports and repairs. Counter-days that are missing are made.
    """
    rows = CounterDay.objects.select_for_update().order_by("day", "counter_id")
    if first is not None:
        rows = rows.filter(day__gte=first)
    if last is not None:
        rows = rows.filter(day__lte=last)
    wanted = queries.masks_from_appointments(first=first, last=last)
    wrong = []
    for row in rows:
        mask = wanted.pop((row.day, row.counter_id), 0)
        if row.busy != mask:
            row.busy = mask
            wrong.append(row)
    CounterDay.objects.bulk_update(wrong, ["busy"], batch_size=200)
    CounterDay.objects.bulk_create(
        [CounterDay(day=day, counter_id=c, busy=mask) for (day, c), mask in wanted.items()],
        batch_size=500,
    )
    return len(wrong) + len(wanted)
