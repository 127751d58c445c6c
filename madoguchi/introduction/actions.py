"""
The verbs of the staged introduction.

Locks are taken in one order: the service, the change, the audit trail. Whatever touches the
stage of a service holds the service's row, so that two people never plan past each other.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from madoguchi.audit import actions as audit
from madoguchi.booking import actions as booking
from madoguchi.booking.models import Service
from madoguchi.booking.rules import Stage
from madoguchi.introduction import rules
from madoguchi.introduction.models import (
    Assumption,
    BookingNotice,
    DeskEvent,
    ExpectedQuestion,
    StageChange,
)
from madoguchi.introduction.rules import Change
from madoguchi.offices.models import Site
from madoguchi.reception.rules import Remark
from madoguchi.staff.models import User


@transaction.atomic
def propose(
    *, service: Service, stage: Stage, on: date, reason: str = "", by: User, at: datetime
) -> StageChange:
    """
    Plan that a service goes one stage further on a day; somebody else has to say GO.

    :raises rules.PlanNotPossible: the day has passed, or the stages would not rise.
    """
    service = _locked(service)
    rules.check_plan(
        rules.Planned(stage, on),
        now=Stage(service.stage),
        others=[change.planned for change in service.stage_changes.open()],
        today=timezone.localdate(at),
    )
    change = service.stage_changes.create(
        stage=stage.value, on=on, reason=reason, proposed_at=at, proposed_by=by
    )
    _record(change, "stage_change.propose", by=by, at=at)
    return change


@transaction.atomic
def approve(*, change: StageChange, by: User, at: datetime) -> StageChange:
    """
    Say GO: from now on the change is told to the public, and it comes on its day.

    :raises rules.StepNotAllowed: planned by the same person, stopped, or its day has come.
    """
    _locked(change.service)
    change = _reread(change)
    rules.check_step(Change(change.status), Change.APPROVED)
    rules.check_go(
        proposed_by=change.proposed_by_id,
        by=by.pk,
        on=change.on,
        today=timezone.localdate(at),
    )
    change.status, change.approved_at, change.approved_by = Change.APPROVED.value, at, by
    change.save(update_fields=["status", "approved_at", "approved_by"])
    _declare_next(change.service)
    _record(change, "stage_change.approve", by=by, at=at)
    return change


@transaction.atomic
def stop(*, change: StageChange, reason: str, by: User, at: datetime) -> StageChange:
    """
    Take a planned or approved change back before its day.

    :raises rules.StepNotAllowed: it is done or stopped already.
    """
    _locked(change.service)
    change = _reread(change)
    rules.check_step(Change(change.status), Change.STOPPED)
    change.status, change.stop_reason = Change.STOPPED.value, reason
    change.stopped_at, change.stopped_by = at, by
    change.save(update_fields=["status", "stop_reason", "stopped_at", "stopped_by"])
    _declare_next(change.service)
    _record(change, "stage_change.stop", by=by, at=at)
    return change


@transaction.atomic
def carry_out(*, change_id: int, at: datetime) -> None:
    """The declared day has come: change the service's stage. Called twice, it changes once."""
    waiting = StageChange.objects.due(on=timezone.localdate(at)).filter(pk=change_id).first()
    if waiting is None:
        return
    service = _locked(waiting.service)
    change = StageChange.objects.due(on=timezone.localdate(at)).filter(pk=change_id).first()
    if change is None or change.approved_by is None:  # stopped in between
        return
    change.status, change.done_at = Change.DONE.value, at
    change.save(update_fields=["status", "done_at"])
    _set_stage(service, Stage(change.stage), by=change.approved_by, at=at)
    _record(change, "stage_change.carry_out", by=change.approved_by, at=at)


@transaction.atomic
def go_back(*, service: Service, stage: Stage, reason: str, by: User, at: datetime) -> StageChange:
    """
    Return to an earlier stage at once. Changes still planned are stopped; bookings stay.

    :raises rules.PlanNotPossible: the stage is not an earlier one.
    """
    service = _locked(service)
    rules.check_return(now=Stage(service.stage), to=stage)
    service.stage_changes.open().update(
        status=Change.STOPPED.value, stop_reason=reason, stopped_at=at, stopped_by=by
    )
    change = service.stage_changes.create(
        stage=stage.value,
        on=timezone.localdate(at),
        reason=reason,
        is_return=True,
        status=Change.DONE.value,
        proposed_at=at,
        proposed_by=by,
        done_at=at,
    )
    _set_stage(service, stage, by=by, at=at)
    _record(change, "stage_change.go_back", by=by, at=at)
    return change


def _set_stage(service: Service, stage: Stage, *, by: User, at: datetime) -> None:
    _declare_next(service)
    service.refresh_from_db()
    booking.save_service(
        service=service,
        fields={"stage": stage.value},
        counters=list(service.counters.all()),
        by=by,
        at=at,
    )


def _declare_next(service: Service) -> None:
    """Let the public page say the next approved change, or nothing."""
    approved = service.stage_changes.filter(status=Change.APPROVED.value).order_by("on").first()
    booking.declare_stage(
        service=service,
        stage=Stage(approved.stage) if approved else None,
        on=approved.on if approved else None,
    )


def _locked(service: Service) -> Service:
    return Service.objects.select_for_update().get(pk=service.pk)


def _reread(change: StageChange) -> StageChange:
    return StageChange.objects.select_related("service").get(pk=change.pk)


def _record(change: StageChange, verb: str, *, by: User, at: datetime) -> None:
    audit.record(
        verb=verb,
        target=change,
        key=change.service.code,
        actor=by.get_username(),
        at=at,
        reason=change.stop_reason or change.reason,
        detail={"stage": change.stage, "on": change.on.isoformat(), "change": change.pk},
    )


# --- what is prepared ------------------------------------------------------------------------


@transaction.atomic
def save_questions(
    *, service: Service, rows: Iterable[tuple[str, str]], by: User, at: datetime
) -> None:
    """Put these questions and answers, in this order, in the place of those before."""
    _locked(service)
    service.expected_questions.all().delete()
    ExpectedQuestion.objects.bulk_create(
        ExpectedQuestion(service=service, order=order, question=question, answer=answer)
        for order, (question, answer) in enumerate(rows, start=1)
    )
    _prepared(service, "expected_question.save", by=by, at=at)


@transaction.atomic
def save_notice(
    *, service: Service, fields: Mapping[str, str], by: User, at: datetime
) -> BookingNotice:
    """Keep the words of the sheets and slips."""
    notice, _ = BookingNotice.objects.update_or_create(service=service, defaults=dict(fields))
    _prepared(service, "booking_notice.save", by=by, at=at)
    return notice


@transaction.atomic
def note_print(*, service: Service, by: User, at: datetime) -> None:
    """Remember that the notice, which the city has kept, was taken out for printing."""
    BookingNotice.objects.filter(service=service).update(printed_at=at)
    _prepared(service, "booking_notice.print", by=by, at=at)


@transaction.atomic
def save_assumption(
    *, service: Service, fields: Mapping[str, Any], by: User, at: datetime
) -> Assumption:
    """Keep what the trial supposes, so that the report shows the same figures."""
    kept, _ = Assumption.objects.update_or_create(service=service, defaults=dict(fields))
    _prepared(service, "assumption.save", by=by, at=at)
    return kept


def _prepared(service: Service, verb: str, *, by: User, at: datetime) -> None:
    audit.record(verb=verb, target=service, key=service.code, actor=by.get_username(), at=at)


# --- what reception counts -------------------------------------------------------------------


@transaction.atomic
def note_event(
    *,
    site: Site,
    service: Service,
    kind: rules.Event,
    reason: Remark | None = None,
    by: User,
    at: datetime,
) -> DeskEvent:
    """Count somebody who was sent home, or a complaint about the change."""
    event = DeskEvent.objects.create(
        site=site,
        service=service,
        kind=kind.value,
        reason_without_booking=reason.value if reason else "",
        on=timezone.localdate(at),
        at=at,
        noted_by=by.get_username(),
    )
    _record_event(event, "desk_event.note", by=by, at=at)
    return event


@transaction.atomic
def take_back_event(*, event: DeskEvent, by: User, at: datetime) -> None:
    """
    Take back a wrong press.

    :raises rules.StepNotAllowed: it is too long ago.
    """
    if at - event.at > rules.UNDO:
        raise rules.StepNotAllowed("記録から10分を過ぎたため、取り消せません。")
    DeskEvent.objects.filter(pk=event.pk).delete()
    _record_event(event, "desk_event.take_back", by=by, at=at)


def _record_event(event: DeskEvent, verb: str, *, by: User, at: datetime) -> None:
    audit.record(
        verb=verb,
        target=event,
        actor=by.get_username(),
        at=at,
        detail={"kind": event.kind, "service": event.service.code, "site": event.site_id},
    )
