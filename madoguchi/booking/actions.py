"""
The verbs of booking.

Locks are taken in one order: the service, the counter-days by (day, counter), the appointment,
the audit trail. On SQLite every transaction writes alone anyway.
"""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, Expression, ExpressionWrapper, F, Q
from django.template.loader import render_to_string
from django.utils import translation

from madoguchi.audit import actions as audit
from madoguchi.booking import queries, rules
from madoguchi.booking.models import (
    Appointment,
    AppointmentPlace,
    CounterDay,
    CounterFeed,
    Errand,
    Hold,
    HoldQuerySet,
    OpeningRule,
    Service,
    ServiceVersion,
    Waiting,
)
from madoguchi.booking.rules import AppointmentStatus, HoldKind, Source, WaitingStatus
from madoguchi.foundation import jobs, live
from madoguchi.foundation.errors import RuleBroken
from madoguchi.messaging import actions as messaging
from madoguchi.offices.models import Counter, Site
from madoguchi.residents.models import Resident
from madoguchi.staff.models import User

RESIDENT = "resident"  # the actor of whoever books without an account


Moves = Mapping[int, datetime]  # which appointment goes to which start, at its site
NO_MOVES: Moves = {}


class WouldOrphan(RuleBroken):
    """A change of hours would leave appointments outside them; `proposals` has a way for each."""

    def __init__(self, proposals: list[queries.Proposal]) -> None:
        super().__init__(
            f"受付時間の外になる予約が{len(proposals)}件あります。"
            "移し先を確かめて、承認してください。まだ何も変わっていません。"
        )
        self.proposals = proposals


def _actor(by: User | None) -> str:
    return by.get_username() if by else RESIDENT


def _today(at: datetime) -> date:
    return at.astimezone(rules.JST).date()


# --- the guard -------------------------------------------------------------------------------


def claim(*, day: date, counter_id: int, mask: int, is_online: bool = False) -> bool:
    """
    Take the cells if every one is open and free; say whether they are ours now.

    One conditional UPDATE: of two transactions that want the same cell, the second waits for
    the first and then finds the condition false. Nothing else may set a busy bit.
    """
    free = CounterDay.objects.alias(
        taken=_cells_of("busy", mask), opened=_cells_of("open", mask)
    ).filter(day=day, counter_id=counter_id, taken=0, opened=mask)
    columns = ("busy", "online") if is_online else ("busy",)
    return free.update(**{column: F(column).bitor(mask) for column in columns}) == 1


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
        busy=F("busy").bitand(rules.WHOLE_DAY & ~mask),
        online=F("online").bitand(rules.WHOLE_DAY & ~mask),
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
    also: Collection[Service] = (),
    people: int = 1,
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
    :raises NotBookable: the service, the site or the start is not offered this way, or the
        person has as many appointments as one may have.
    :raises KeyReused: the key was used for another content.
    """
    errand = Errand((service, *also), people)
    fingerprint = rules.fingerprint(
        service.code,
        site.code,
        start.astimezone(rules.JST).isoformat(),
        name,
        kana,
        phone,
        email,
        *([str(people), *(other.code for other in also)] if also or people > 1 else []),
    )
    if (earlier := _booked_with(key, fingerprint)) is not None:
        return earlier
    release_lapsed(at=at)
    held = _own_hold(hold, errand=errand, site=site, start=start)
    # Whoever held the place in time may book it, even if the lead time has passed since.
    asked_at, asked_by = held.made_at if held else at, source if by else Source.WEB
    window = queries.window_of(errand, at=asked_at, source=asked_by)
    _check_bookable(errand, site=site, start=start, window=window, is_online=by is None)
    fields: dict[str, Any] = {
        "start": start,
        "source": source.value,
        "name": name,
        "kana": kana,
        "phone": phone,
        "email": email,
        "resident": resident,
        "key": key,
        "fingerprint": fingerprint,
        "booked_at": at,
        **_confirmation(errand, email=email, source=source, start=start, at=at),
    }
    try:
        return _book(errand, site=site, window=window, fields=fields, held=held, by=by, at=at)
    except IntegrityError:
        # The same key was sent twice at once; the first one has committed by now.
        if (earlier := _booked_with(key, fingerprint)) is not None:
            return earlier
        raise


@transaction.atomic
def _book(
    errand: Errand,
    *,
    site: Site,
    window: rules.Window,
    fields: dict[str, Any],
    held: Hold | None,
    by: User | None,
    at: datetime,
) -> Appointment:
    _check_own_limit(errand, fields, at=at)
    start, is_online = fields["start"], fields["source"] == Source.WEB
    counter_id = _take_over(held, errand, window=window, at=at) if held else None
    if counter_id is None:
        counter_id = _claim_any(errand, site=site, start=start, window=window, is_online=is_online)
    appointment = Appointment.objects.create(
        number=_unused_number(),
        token=rules.new_token(),
        service=errand.main,
        people=errand.people,
        counter_id=counter_id,
        **_lengths(errand),
        **fields,
    )
    appointment.also.set(errand.services[1:])
    _stand(appointment, at=at)
    _tell_reception(site.pk, kind="appointment.book", at=at, appointment=appointment.pk)
    _mail(appointment, "confirm" if appointment.is_pending else "book", at=at)
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


def _confirmation(
    errand: Errand, *, email: str, source: Source, start: datetime, at: datetime
) -> dict[str, Any]:
    """
    Let an online booking wait for the mail's link, where the service asks for it.

    Whoever books by telephone, at the counter or at the machine in the hall spoke to us or
    stands before us: nobody without a mail address is left out.
    """
    minutes = errand.confirm_minutes
    if minutes is None or source is not Source.WEB:
        return {}
    if not email:
        phone = errand.main.division.phone
        by_phone = f"電話（{phone}）" if phone else "お電話"
        raise rules.NotBookable(
            "この手続きのオンライン予約には、メールでの確認が必要です。"
            f"メールアドレスがない方は、{by_phone}でも予約できます。",
            field="email",
        )
    until = min(at + timedelta(minutes=minutes), start)
    return {"status": AppointmentStatus.PENDING.value, "confirm_until": until}


@transaction.atomic
def confirm(*, appointment: Appointment, by: User | None = None, at: datetime) -> Appointment:
    """
    Make a booking that waits for its mail a booking; confirming twice is confirming once.

    `by` a member of staff: whoever called because no mail came.

    :raises StepNotAllowed: the time for it is over, or it is cancelled.
    """
    appointment = _locked(appointment)
    pending = Appointment.objects.filter(
        pk=appointment.pk, status=AppointmentStatus.PENDING, confirm_until__gt=at
    )
    confirmed = pending.update(status=AppointmentStatus.BOOKED)
    appointment = _whole(appointment.pk)
    if not confirmed:
        if appointment.status == AppointmentStatus.BOOKED:
            return appointment
        raise rules.StepNotAllowed(
            "確認の期限を過ぎたため、この予約は取り消されました。もう一度予約してください。"
        )
    _tell_reception(
        appointment.site.pk, kind="appointment.confirm", at=at, appointment=appointment.pk
    )
    _mail(appointment, "book", at=at)
    _record(appointment, "appointment.confirm", by=by, at=at)
    return appointment


@transaction.atomic
def _lapse(appointment: Appointment, *, at: datetime) -> None:
    """Give back the place of a booking that was not confirmed in time."""
    appointment = _locked(appointment)
    late = Appointment.objects.unconfirmed(at=at).filter(pk=appointment.pk)
    if not late.update(status=AppointmentStatus.CANCELLED, cancelled_at=at):
        return
    appointment = _whole(appointment.pk)
    if not _keep_back(appointment, by=None, at=at):
        free(day=appointment.day, counter_id=appointment.counter_id, mask=appointment.mask)
    _leave(appointment, at=at)
    _tell_reception(
        appointment.site.pk, kind="appointment.lapse", at=at, appointment=appointment.pk
    )
    _mail(appointment, "lapse", at=at)
    audit.record(
        verb="appointment.lapse",
        target=appointment,
        key=appointment.number,
        person=appointment.resident_id,
        actor="system",
        at=at,
    )


def _lengths(errand: Errand) -> dict[str, int]:
    span = errand.span
    return {"minutes": errand.minutes, "cells": span.cells, "cells_before": span.before}


def _stand(
    appointment: Appointment, *, at: datetime, by_office: bool = False, is_told: bool = True
) -> None:
    """Write down where the appointment stands from now on."""
    _leave(appointment, at=at)
    AppointmentPlace.objects.create(
        appointment=appointment,
        counter_id=appointment.counter_id,
        day=appointment.day,
        mask=appointment.mask,
        is_online=appointment.source == Source.WEB,
        taken_at=at,
        is_moved_by_office=by_office,
        told_at=at if is_told else None,
    )


def _leave(appointment: Appointment, *, at: datetime) -> None:
    appointment.places.filter(left_at=None).update(left_at=at)


def _check_own_limit(errand: Errand, fields: dict[str, Any], *, at: datetime) -> None:
    """
    Refuse whoever already has as many coming appointments for a service as one may have.

    The service's row is locked, so that two requests of one person are counted one after the
    other. A person is known by telephone number, mail address or register entry, not by name.
    """
    limited = [s for s in errand.services if s.most_per_person is not None]
    if not limited:
        return
    ids = sorted(service.pk for service in limited)
    list(Service.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))
    known = {name: fields[name] for name in ("phone", "email", "resident") if fields[name]}
    if not known:
        raise rules.NotBookable(
            "この手続きは、おひとりの予約の数に限りがあります。"
            "電話番号かメールアドレスを入力してください。",
            field="phone",
        )
    person = Q()
    for name, value in known.items():
        person |= Q(**{f"{name}__iexact" if name == "email" else name: value})
    coming = Appointment.objects.filter(person, status__in=rules.STANDING, start__gte=at)
    for service in limited:
        of_service = coming.filter(Q(service=service) | Q(also=service)).distinct()
        if service.most_per_person and of_service.count() >= service.most_per_person:
            raise rules.NotBookable(
                f"「{service}」の予約は、おひとり{service.most_per_person}件までです。"
                "前の予約を変更するか、取り消してから予約してください。",
                field="phone",
            )


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
    errand: Errand, *, site: Site, start: datetime, window: rules.Window, is_online: bool
) -> None:
    for service in errand.services:
        refusal = rules.service_refusal(
            is_active=service.is_active, stage=rules.Stage(service.stage), is_online=is_online
        )
        if refusal:
            raise rules.NotBookable(refusal, field="service")
    _check_errand(errand)
    if start < window.earliest or start.astimezone(rules.JST).date() > window.last_day:
        raise rules.NotBookable("予約できる期間の外です。表示された日時から選んでください。")
    if not queries.serving(errand).filter(site=site).exists():
        raise rules.NotBookable("この手続きは、その庁舎では受け付けていません。", field="site")


def _check_errand(errand: Errand) -> None:
    if not 1 <= errand.people <= errand.main.most_people:
        raise rules.NotBookable(
            f"一度に予約できるのは{errand.main.most_people}人までです。", field="people"
        )
    if len(errand.services) > 1 and not all(s.may_be_combined for s in errand.services):
        raise rules.NotBookable("一緒には予約できない手続きがあります。", field="also")
    if len(set(errand.services)) < len(errand.services):
        raise rules.NotBookable("同じ手続きが2つあります。", field="also")
    if errand.span.total > rules.MOST_CELLS:
        raise rules.NotBookable("一度に予約するには長すぎます。分けて予約してください。")


def _claim_any(
    errand: Errand, *, site: Site, start: datetime, window: rules.Window, is_online: bool
) -> int:
    """
    Claim the cells at the first counter that has them, and return that counter's id.

    The days are locked before rules and shares are read: whoever changes the hours holds the
    same rows, and two bookings never count the same share.
    """
    day = start.astimezone(rules.JST).date()
    _lock_days(Q(day=day, counter__site=site, counter__in=queries.serving(errand)))
    found = queries.candidates(errand, site=site, start=start, window=window)
    if not found:
        raise rules.NotBookable("その時刻は受け付けていません。表示された日時から選んでください。")
    mask = errand.span.at(rules.cell_of(start))
    for counter_id in (each.row.counter_id for each in found if each.has_share):
        if claim(day=day, counter_id=counter_id, mask=mask, is_online=is_online):
            return counter_id
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
    also: Collection[Service] = (),
    people: int = 1,
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
    errand = Errand((service, *also), people)
    release_lapsed(at=at)
    if (same := _own_hold(instead_of, errand=errand, site=site, start=start)) is not None:
        return same
    window = queries.window_of(errand, at=at, source=Source.PHONE if by else Source.WEB)
    _check_bookable(errand, site=site, start=start, window=window, is_online=by is None)
    return _hold(errand, site=site, start=start, window=window, is_online=by is None, at=at)


@transaction.atomic
def _hold(
    errand: Errand,
    *,
    site: Site,
    start: datetime,
    window: rules.Window,
    is_online: bool,
    at: datetime,
) -> Hold:
    counter_id = _claim_any(errand, site=site, start=start, window=window, is_online=is_online)
    return Hold.objects.create(
        token=rules.new_token(),
        service=errand.main,
        asked=errand.asked,
        counter_id=counter_id,
        start=start,
        cells=errand.span.cells,
        cells_before=errand.span.before,
        is_online=is_online,
        made_at=at,
        until=at + rules.HOLD,
    )


def _own_hold(token: str, *, errand: Errand, site: Site, start: datetime) -> Hold | None:
    """Return the visitor's hold if it is for this place; give back one for another."""
    found = Hold.objects.filter(token=token).select_related("counter").first() if token else None
    if found is None:
        return None
    if found.is_for(errand) and (found.counter.site, found.start) == (site, start):
        return found
    _release(Hold.objects.filter(pk=found.pk, token=token))
    return None


def _take_over(held: Hold, errand: Errand, *, window: rules.Window, at: datetime) -> int | None:
    """
    Make the hold's cells the booking's and return the counter; None if it lapsed meanwhile.

    :raises NotBookable: the counter's hours were changed while the form was filled in.
    """
    # With its token: an offer that lapsed is by now the next person's, under another one.
    if not _delete(Hold.objects.filter(pk=held.pk, token=held.token, until__gt=at)):
        return None
    _lock_days(Q(day=held.day, counter=held.counter_id))
    found = queries.candidates(errand, site=held.counter.site, start=held.start, window=window)
    if held.counter_id not in {each.row.counter_id for each in found}:
        raise rules.NotBookable(
            "受付時間が変わり、その時刻は予約できなくなりました。ほかの時刻を選んでください。"
        )
    return held.counter_id


def release_lapsed(*, at: datetime) -> int:
    """
    Give back every place whose hold has lapsed; return how many. Each on its own, and likewise
    every booking that was not confirmed by mail in time.

    What was cancelled, or offered and not taken, goes to the next who waits for it instead.
    """
    for unconfirmed in list(Appointment.objects.unconfirmed(at=at).order_by("confirm_until")):
        with suppress(rules.StepNotAllowed):  # moved meanwhile: the next round sees it
            _lapse(unconfirmed, at=at)
    lapsed = Hold.objects.lapsed(at=at).order_by("until", "id")
    given_back = 0
    for held in list(lapsed):
        if held.kind == HoldKind.FORM or not offer(hold=held, at=at):
            given_back += _release(Hold.objects.lapsed(at=at).filter(pk=held.pk))
    return given_back


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
    Give the place back: to who waits for it, or to all at a moment that nobody knows.

    Cancelling twice is cancelling once.

    :raises StepNotAllowed: the visitor has come, or the time has passed.
    """
    appointment = _locked(appointment)
    booked = Appointment.objects.filter(pk=appointment.pk, status__in=rules.STANDING)
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

    if not _keep_back(appointment, by=by, at=at):
        free(day=appointment.day, counter_id=appointment.counter_id, mask=appointment.mask)
    _leave(appointment, at=at)
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
    errand, day = appointment.errand, start.astimezone(rules.JST).date()
    there = Q(day=day, counter__site=site, counter__in=queries.serving(errand))
    appointment = _locked(appointment, there)
    if not appointment.is_changeable or (by is None and appointment.start <= at):
        raise rules.StepNotAllowed("この予約は、もう変更できません。")
    window = queries.window_of(
        appointment.errand, at=at, source=Source.PHONE if by else Source.WEB
    )
    _check_bookable(
        appointment.errand, site=site, start=start, window=window, is_online=by is None
    )
    before, left = appointment.site.pk, _whole(appointment.pk)
    appointment = _move(appointment, site=site, start=start, window=window, at=at)
    _keep_back(left, by=by, at=at, is_free=True)
    for site_id in sorted({before, site.pk}):
        _tell_reception(site_id, kind="appointment.reschedule", at=at, appointment=appointment.pk)
    _mail(appointment, "reschedule", at=at)
    _record(appointment, "appointment.reschedule", by=by, at=at)
    return appointment


def _move(
    appointment: Appointment,
    *,
    site: Site,
    start: datetime,
    window: rules.Window,
    by_office: bool = False,
    at: datetime,
) -> Appointment:
    """Let go of the old place and take the new one; the days are locked by the caller."""
    errand, before = appointment.errand, appointment.start
    free(day=appointment.day, counter_id=appointment.counter_id, mask=appointment.mask)
    appointment.counter_id = _claim_any(
        errand,
        site=site,
        start=start,
        window=window,
        is_online=appointment.source == Source.WEB,
    )
    appointment.start = start
    for column, length in _lengths(errand).items():
        setattr(appointment, column, length)
    appointment.save(update_fields=["counter", "start", *_lengths(errand)])
    appointment = _whole(appointment.pk)
    _stand(
        appointment,
        at=at,
        by_office=by_office,
        is_told=not by_office or before == start or bool(appointment.email),
    )
    return appointment


def _locked(appointment: Appointment, days: Q | None = None) -> Appointment:
    """
    Lock the days on which the appointment stands and may go to, then the appointment.

    :raises StepNotAllowed: it was moved to another day or counter while we waited.
    """
    known = _whole(appointment.pk)
    here = Q(day=known.day, counter=known.counter_id)
    _lock_days(here if days is None else here | days)
    Appointment.objects.select_for_update().get(pk=known.pk)
    found = _whole(known.pk)
    if (found.day, found.counter_id) != (known.day, known.counter_id):
        raise rules.StepNotAllowed(
            "この予約は、いま変更されたところです。もう一度お試しください。"
        )
    return found


def _lock_days(wanted: Q) -> None:
    rows = CounterDay.objects.select_for_update(of=("self",)).filter(wanted)
    list(rows.order_by("day", "counter_id").values_list("pk", flat=True))


def _whole(pk: int) -> Appointment:
    return Appointment.objects.select_related("service", "counter__site").get(pk=pk)


def _tell_reception(site_id: int, *, kind: str, at: datetime, **ids: int | str) -> None:
    live.publish(topic=f"reception.{site_id}", kind=kind, at=at, **ids)


SUBJECTS = {
    "confirm": "予約はまだ終わっていません。確認をお願いします",
    "lapse": "確認がなかったため、予約を取り消しました",
    "book": "予約を受け付けました",
    "reschedule": "予約を変更しました",
    "move": "市の都合により、予約の日時が変わりました",
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
        body=_written(
            f"booking/mail/{what}.txt",
            {"appointment": appointment, "link": f"{settings.SITE_URL}{appointment.address}"},
        ),
        at=at,
        about=appointment.number,
    )


def _written(template: str, context: dict[str, Any]) -> str:
    """Return the mail's text: in Japanese, whatever language the page was read in."""
    with translation.override("ja"):
        return render_to_string(template, context)


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
        pk=appointment.pk, status__in=rules.STANDING, counter__site=site
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


# --- the waiting list ------------------------------------------------------------------------


def _keep_back(left: Appointment, *, by: User | None, at: datetime, is_free: bool = False) -> bool:
    """
    Keep a place that somebody left, until it is offered or a chance moment; say whether.

    Staff give one back at once when nobody waits for the day. `is_free`: its cells were given
    back in this transaction, and are taken again unless the new place overlaps them.
    """
    until = rules.return_at(start=left.start, at=at)
    if until is None:
        return False
    kept = Hold(
        token=rules.new_token(),
        kind=HoldKind.RETURN.value,
        service=left.service,
        asked=left.errand.asked,
        counter=left.counter,
        start=left.start,
        cells=left.cells,
        cells_before=left.cells_before,
        is_online=left.source == Source.WEB,
        made_at=at,
        until=until,
    )
    if by is not None and not queries.waiting_for(kept):
        return False
    if is_free and not claim(
        day=left.day, counter_id=left.counter_id, mask=left.mask, is_online=kept.is_online
    ):
        return False
    kept.save()
    jobs.after_commit("madoguchi.booking.tasks.offer", kept.pk)
    return True


@transaction.atomic
def offer(*, hold: Hold, at: datetime) -> bool:
    """
    Offer a place that came back to the first who waits for it, and keep it for them.

    Its cells stay taken throughout: only whose they are changes. A group that needs more is
    the first only if the cells beside are free as well. Say whether it is offered now.
    """
    rows = Hold.objects.select_for_update(of=("self",)).select_related("service", "counter__site")
    back = Q(kind=HoldKind.RETURN) | Q(kind=HoldKind.OFFER, until__lte=at)
    held = rows.filter(back, pk=hold.pk).first()
    if held is None:
        return False
    if held.waiting_id is not None:
        Waiting.objects.filter(pk=held.waiting_id, status=WaitingStatus.OFFERED).update(
            status=WaitingStatus.LAPSED
        )
    fitting = (row for row in queries.waiting_for(held) if _fit(held, row, at=at))
    if (waiting := next(fitting, None)) is None:
        return False
    waiting.status = WaitingStatus.OFFERED.value
    waiting.save(update_fields=["status"])
    held.kind, held.waiting, held.token = HoldKind.OFFER.value, waiting, rules.new_token()
    held.save()
    _tell_reception(held.counter.site_id, kind="waiting.offer", at=at, waiting=waiting.pk)
    if waiting.email:
        messaging.post(
            channel="mail",
            to=waiting.email,
            subject="キャンセル待ちの日に空きが出ました",
            body=_written(
                "booking/mail/offer.txt",
                {"hold": held, "link": f"{settings.SITE_URL}{waiting.address}"},
            ),
            at=at,
            about=f"waiting {waiting.pk}",
        )
    audit.record(verb="waiting.offer", target=waiting, actor="system", at=at)
    return True


def _fit(held: Hold, waiting: Waiting, *, at: datetime) -> bool:
    """Cut the place to what this person or group needs, and say whether it could be done."""
    errand = waiting.errand
    until = rules.offer_until(start=held.start, at=at, by_mail=bool(waiting.email))
    if until is None or held.start < queries.window_of(errand, at=at).earliest:
        return False
    wanted = errand.span.at(rules.cell_of(held.start))
    day, counter = held.day, held.counter_id
    more, less = wanted & ~held.mask, held.mask & ~wanted
    if more and not claim(day=day, counter_id=counter, mask=more, is_online=held.is_online):
        return False
    if less:
        free(day=day, counter_id=counter, mask=less)
    held.asked, held.cells, held.cells_before = errand.asked, errand.span.cells, errand.span.before
    held.made_at, held.until = at, until
    return True


@transaction.atomic
def join_waiting(
    *,
    service: Service,
    site: Site,
    day: date,
    name: str,
    people: int = 1,
    kana: str = "",
    phone: str = "",
    email: str = "",
    by: User | None = None,
    at: datetime,
) -> Waiting:
    """
    Put somebody on the waiting list of a day. The same person twice is on it once.

    :raises NotBookable: the service takes no bookings this way, or the day is over.
    """
    if not service.is_active or (by is None and not service.is_online):
        raise rules.NotBookable(
            "この手続きのキャンセル待ちは、お電話で承ります。", field="service"
        )
    if day <= _today(at):
        raise rules.NotBookable("明日からの日を選んでください。", field="day")
    _check_errand(Errand((service,), people))
    fields = {"service": service, "site": site, "day": day, "name": name, "people": people}
    same = Waiting.objects.open().filter(phone=phone, email=email, **fields).first()
    if same is not None:
        return same
    waiting = Waiting.objects.create(
        token=rules.new_token(), kana=kana, phone=phone, email=email, joined_at=at, **fields
    )
    audit.record(verb="waiting.join", target=waiting, actor=_actor(by), at=at)
    return waiting


def take_offer(*, waiting: Waiting, by: User | None = None, at: datetime) -> Appointment:
    """
    Make the offered place the person's appointment. Twice is once.

    :raises Full: the time to answer is over, and the place is another's.
    :raises StepNotAllowed: nothing is offered.
    """
    key = f"waiting:{waiting.pk}"
    held = Hold.objects.filter(waiting=waiting).select_related("counter__site", "service").first()
    made = Appointment.objects.filter(key=key).first()
    if made is None:
        if held is None or held.until <= at:
            raise rules.StepNotAllowed(
                "お返事の期限が過ぎたため、この空きは次の方へご案内しました。"
            )
        made = book(
            service=held.service,
            site=held.counter.site,
            start=held.start,
            name=waiting.name,
            people=waiting.people,
            kana=waiting.kana,
            phone=waiting.phone,
            email=waiting.email,
            source=Source.WEB if by is None else Source.PHONE,
            key=key,
            hold=held.token,
            by=by,
            at=at,
        )
    Waiting.objects.filter(pk=waiting.pk).update(status=WaitingStatus.BOOKED)
    return made


@transaction.atomic
def leave_waiting(*, waiting: Waiting, by: User | None = None, at: datetime) -> None:
    """Decline what is offered, or leave the list; the place goes to the next. Twice is once."""
    ends = {
        WaitingStatus.OFFERED.value: WaitingStatus.DECLINED,
        WaitingStatus.WAITING.value: WaitingStatus.LEFT,
    }
    waiting = Waiting.objects.select_for_update().get(pk=waiting.pk)
    if waiting.status not in ends:
        return
    waiting.status = ends[waiting.status].value
    waiting.save(update_fields=["status"])
    held = Hold.objects.filter(waiting=waiting).first()
    if held is not None:
        until = rules.return_at(start=held.start, at=at) or at + timedelta(minutes=1)
        Hold.objects.filter(pk=held.pk, waiting=waiting).update(
            kind=HoldKind.RETURN, waiting=None, made_at=at, until=until
        )
        jobs.after_commit("madoguchi.booking.tasks.offer", held.pk)
    audit.record(verb="waiting.leave", target=waiting, actor=_actor(by), at=at)


# --- services and opening rules --------------------------------------------------------------


@transaction.atomic
def save_service(
    *,
    service: Service | None,
    fields: dict[str, Any],
    counters: Collection[Counter],
    moves: Moves = NO_MOVES,
    by: User,
    at: datetime,
) -> Service:
    """
    Make or change a service. Appointments keep the length they were booked with.

    :raises WouldOrphan: somebody is booked at a counter that would receive it no more.
    """
    verb = "service.change" if service else "service.make"
    if service:
        Service.objects.select_for_update(no_key=True).get(pk=service.pk)
    service = service or Service()
    before = list(service.counters.all()) if service.pk else []
    lock_hours([*before, *counters], at=at)
    for field, value in fields.items():
        setattr(service, field, value)
    service.save()
    service.counters.set(counters)
    moved = _settle([*before, *counters], moves=moves, at=at)
    _keep_version(service, by=by, at=at)
    _record_moves(moved, by=by, at=at)
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
def declare_stage(*, service: Service, stage: rules.Stage | None, on: date | None) -> None:
    """Tell the public which stage comes next and when; None: nothing is declared."""
    Service.objects.filter(pk=service.pk).update(
        next_stage=stage.value if stage else "", next_stage_on=on
    )


def _keep_version(service: Service, *, by: User, at: datetime) -> None:
    service.refresh_from_db()
    ServiceVersion.objects.create(
        service=service,
        settings=service.settings,
        counters=sorted(service.counters.values_list("pk", flat=True)),
        made_at=at,
        made_by=by.get_username(),
    )


@transaction.atomic
def add_opening_rule(
    *,
    counter: Counter,
    weekdays: int,
    opens_at: time,
    closes_at: time,
    valid_from: date,
    valid_until: date | None = None,
    every_weeks: int = 1,
    weeks_of_month: int = 0,
    lunch_from: time | None = None,
    lunch_until: time | None = None,
    service: Service | None = None,
    is_closure: bool = False,
    is_exception: bool = False,
    note: str = "",
    moves: Moves = NO_MOVES,
    by: User,
    at: datetime,
) -> OpeningRule:
    """
    Say when the counter takes bookings, or takes none.

    :raises WouldOrphan: somebody booked would stand outside the hours.
    """
    rule = OpeningRule(
        counter=counter,
        service=service,
        weekdays=weekdays,
        opens_at=opens_at,
        closes_at=closes_at,
        valid_from=valid_from,
        valid_until=valid_until,
        every_weeks=every_weeks,
        weeks_of_month=weeks_of_month,
        lunch_from=lunch_from,
        lunch_until=lunch_until,
        is_closure=is_closure,
        is_exception=is_exception,
        note=note,
    )
    change_hours(add=[rule], moves=moves, by=by, at=at)
    return rule


def withdraw_opening_rule(
    *, rule: OpeningRule, moves: Moves = NO_MOVES, by: User, at: datetime
) -> None:
    """
    End a rule; it stays readable.

    :raises WouldOrphan: somebody booked would stand outside the hours.
    """
    change_hours(withdraw=[rule], moves=moves, by=by, at=at)


def close_day(
    *,
    counters: Iterable[Counter],
    day: date,
    service: Service | None = None,
    note: str = "",
    moves: Moves = NO_MOVES,
    by: User,
    at: datetime,
) -> list[Appointment]:
    """
    Receive nobody at the counters on one day, whatever the rules say; return who was moved.

    :raises WouldOrphan: somebody is booked on the day.
    """
    closures = [
        OpeningRule(
            counter=counter,
            service=service,
            weekdays=1 << day.weekday(),
            opens_at=rules.GRID_START,
            closes_at=rules.GRID_END,
            valid_from=day,
            valid_until=day,
            is_closure=True,
            is_exception=True,
            note=note,
        )
        for counter in counters
    ]
    return change_hours(add=closures, moves=moves, by=by, at=at)


@transaction.atomic
def change_hours(
    *,
    withdraw: Collection[OpeningRule] = (),
    add: Collection[OpeningRule] = (),
    moves: Moves = NO_MOVES,
    by: User,
    at: datetime,
) -> list[Appointment]:
    """
    Put rules out of force and new ones in; move whom `moves` names; return who was moved.

    :raises WouldOrphan: somebody booked would stand outside the hours; nothing has changed.
    """
    counters = {rule.counter_id: rule.counter for rule in (*withdraw, *add)}.values()
    lock_hours(counters, at=at)
    ended = [
        rule
        for rule in withdraw
        if OpeningRule.objects.in_force()
        .filter(pk=rule.pk)
        .update(withdrawn_at=at, withdrawn_by=by.get_username())
    ]
    for rule in add:
        rule.made_at, rule.made_by = at, by.get_username()
        rule.save(force_insert=True)
    moved = _settle(counters, moves=moves, at=at)
    _record_moves(moved, by=by, at=at)
    for verb, changed in (("opening_rule.withdraw", ended), ("opening_rule.add", add)):
        for rule in changed:
            audit.record(verb=verb, target=rule, actor=by.get_username(), at=at)
    return moved


@transaction.atomic
def follow_site_hours(
    *, counters: Collection[Counter], moves: Moves = NO_MOVES, by: User, at: datetime
) -> list[Appointment]:
    """
    Bring the counters' days in line with their site's hours, which have just changed.

    :raises WouldOrphan: somebody booked would stand outside the hours.
    """
    lock_hours(counters, at=at)
    moved = _settle(counters, moves=moves, at=at)
    _record_moves(moved, by=by, at=at)
    return moved


def lock_hours(counters: Iterable[Counter], *, at: datetime) -> None:
    """
    Keep everybody from booking or moving wherever an appointment of these counters can go.

    Days first, then appointments: whoever books, moves or cancels holds the day before.
    """
    wide = Counter.objects.filter(services__counters__in=list(counters)).values("pk")
    near = Q(counter__in=list(counters)) | Q(counter__in=wide)
    _lock_days(near & Q(day__gte=_today(at)))
    coming = Appointment.objects.filter(near, status=AppointmentStatus.BOOKED, start__gte=at)
    list(coming.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))


def _settle(counters: Iterable[Counter], *, moves: Moves, at: datetime) -> list[Appointment]:
    """
    Lay the days out anew, move whom `moves` names, and refuse if anybody stays outside.

    This is the guard of every change of hours: nobody who booked is ever left without a place.
    """
    counters = list(counters)
    _lay_out(counters, first=_today(at), last=_today(at) + timedelta(days=rules.HORIZON_DAYS))
    moved = []
    for row in queries.orphans(counters=counters, at=at):
        if row.pk not in moves:
            continue
        with suppress(RuleBroken):  # taken meanwhile: it is proposed anew below
            moved.append(_move_by_office(row, moves[row.pk], at=at))
    if left := queries.orphans(counters=counters, at=at):
        raise WouldOrphan([_proposal(row, at=at) for row in left])
    return moved


def _move_by_office(appointment: Appointment, start: datetime, *, at: datetime) -> Appointment:
    """Move it for the office's reasons, and say so by mail if the person would notice."""
    before = appointment.start
    horizon = _today(at) + timedelta(days=rules.HORIZON_DAYS)
    moved = _move(
        appointment,
        site=appointment.site,
        start=start,
        window=rules.Window(earliest=at, last_day=horizon),
        by_office=True,
        at=at,
    )
    _tell_reception(moved.site.pk, kind="appointment.move", at=at, appointment=moved.pk)
    if before != start:
        _mail(moved, "move", at=at)
    return moved


def _proposal(appointment: Appointment, *, at: datetime) -> queries.Proposal:
    """
    Find the nearest place and take it, so that the next one is not proposed the same.

    Only while a refused change is about to be rolled back: nothing of it stays.
    """
    before = appointment.start
    slots = queries.places_to_move_to(appointment, at=at)
    for slot in slots:
        with suppress(RuleBroken):
            moved = _move_by_office(appointment, slot.start, at=at)
            return queries.Proposal(moved, before, slot.start, slots)
    return queries.Proposal(appointment, before)


def _record_moves(moved: Iterable[Appointment], *, by: User, at: datetime) -> None:
    for appointment in moved:
        _record(appointment, "appointment.move", by=by, at=at)


@transaction.atomic
def mark_told(*, place: AppointmentPlace, by: User, at: datetime) -> None:
    """Note that somebody without a mail address was told of the new time by telephone."""
    untold = AppointmentPlace.objects.filter(pk=place.pk, told_at=None)
    if untold.update(told_at=at):
        _record(place.appointment, "appointment.mark_told", by=by, at=at)


@transaction.atomic
def lay_out_days(*, counters: Iterable[Counter], first: date, last: date | None = None) -> int:
    """
    Bring the open masks up to date with rules and site hours; return how many days changed.

    :raises WouldOrphan: a day that shrank would leave somebody outside; nothing has changed.
    """
    counters = list(counters)
    until = last or first + timedelta(days=rules.HORIZON_DAYS)
    changed, closes_booked = _lay_out(counters, first=first, last=until)
    if closes_booked:
        at = rules.start_of(first, 0)
        if left := queries.orphans(counters=counters, at=at):
            raise WouldOrphan([queries.Proposal(row, row.start) for row in left])
    return changed


def _lay_out(counters: Collection[Counter], *, first: date, last: date) -> tuple[int, bool]:
    """Write the open masks; return how many changed, and whether a booked cell was shut."""
    wanted = queries.laid_out(counters, first=first, last=last)
    rows = CounterDay.objects.filter(day__range=(first, last), counter__in=counters)
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
    closes_booked = any(row.busy & ~wanted[row.day, row.counter_id] for row in stale)
    for row in stale:
        row.open = wanted[row.day, row.counter_id]
    CounterDay.objects.bulk_update(stale, ["open"], batch_size=200)
    return len(wanted) - len(known) + len(stale), closes_booked


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
        taken = wanted.pop((row.day, row.counter_id), queries.NOTHING_TAKEN)
        if (row.busy, row.online) != (taken.busy, taken.online):
            row.busy, row.online = taken.busy, taken.online
            wrong.append(row)
    CounterDay.objects.bulk_update(wrong, ["busy", "online"], batch_size=200)
    CounterDay.objects.bulk_create(
        [
            CounterDay(day=day, counter_id=counter, busy=taken.busy, online=taken.online)
            for (day, counter), taken in wanted.items()
        ],
        batch_size=500,
    )
    return len(wrong) + len(wanted)


# --- calendars of counters -------------------------------------------------------------------


@transaction.atomic
def make_feed(*, counter: Counter, by: User, at: datetime) -> CounterFeed:
    """Make the counter's link for calendar programs; an earlier one stops working."""
    counter = Counter.objects.select_for_update().get(pk=counter.pk)
    counter.feeds.filter(withdrawn_at=None).update(withdrawn_at=at)
    feed = CounterFeed.objects.create(
        counter=counter, token=rules.new_token(), made_at=at, made_by=by.get_username()
    )
    audit.record(verb="counter_feed.make", target=feed, actor=by.get_username(), at=at)
    return feed


@transaction.atomic
def withdraw_feed(*, feed: CounterFeed, by: User, at: datetime) -> None:
    """Let the link stop working; done twice, nothing more happens."""
    CounterFeed.objects.filter(pk=feed.pk, withdrawn_at=None).update(withdrawn_at=at)
    audit.record(verb="counter_feed.withdraw", target=feed, actor=by.get_username(), at=at)
