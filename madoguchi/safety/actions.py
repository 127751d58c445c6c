"""The verbs of the safe counter."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.utils import timezone

from madoguchi.audit import actions as audit
from madoguchi.casework import actions as casework
from madoguchi.casework.models import Case, Category
from madoguchi.casework.rules import Kind
from madoguchi.foundation import live
from madoguchi.foundation.dates import era_year, fiscal_year
from madoguchi.foundation.numbering import next_number
from madoguchi.safety import queries
from madoguchi.safety.models import (
    Delegation,
    Incident,
    Judgement,
    Measure,
    Script,
    Standard,
    Step,
    TimeLimit,
)
from madoguchi.safety.rules import judgement, measures, response
from madoguchi.safety.rules.judgement import Facts, Line, Result
from madoguchi.safety.rules.response import Stage, StepNotAllowed, Way
from madoguchi.staff.models import User


@transaction.atomic
def open_incident(
    *,
    channel: str,
    started_at: datetime,
    place: str = "",
    counterpart: str = "",
    people: int = 1,
    trigger: str = "",
    demand: str = "",
    case: Case | None = None,
    key: UUID | None = None,
    by: User,
    at: datetime,
) -> Incident:
    """
    Begin an incident of the division of `by`. The same `key` again returns the first one.

    :raises StepNotAllowed: it would begin in the future.
    """
    if found := Incident.objects.filter(key=key, opened_by=by).first() if key else None:
        return found
    if started_at > at:
        raise StepNotAllowed("始まった時刻が、今より後になっています。")
    year = fiscal_year(timezone.localdate(at))
    _, era, era_number = era_year(year)
    number = next_number(series="incident", year=year)
    incident = Incident.objects.create(
        number=f"カ-{era}{era_number}-{number:04d}",
        key=key,
        case=case,
        division=by.division,
        channel=channel,
        place=place,
        counterpart=counterpart,
        people=people,
        trigger=trigger,
        demand=demand,
        started_at=started_at,
        opened_at=at,
        opened_by=by,
    )
    _tell(incident, "incident.open", by=by, at=at)
    return incident


@transaction.atomic
def describe(*, incident: Incident, fields: Mapping[str, Any], by: User, at: datetime) -> Incident:
    """Write down what is known of place, counterpart, trigger and demand."""
    incident = _locked(incident)
    for name, value in fields.items():
        setattr(incident, name, value)
    incident.save(update_fields=list(fields))
    _tell(incident, "incident.describe", by=by, at=at, fields=sorted(fields))
    return incident


@transaction.atomic
def take_step(
    *,
    incident: Incident,
    stage: Stage,
    text: str = "",
    ordered_by: User | None = None,
    key: UUID | None = None,
    by: User,
    at: datetime,
) -> Step:
    """
    Go to a stage, now, with the words that were spoken. The same `key` again is the same step.

    :raises StepNotAllowed: it does not follow, or nobody who manages the building ordered it.
    """
    incident = _locked(incident)
    if found := incident.steps.filter(key=key).first() if key else None:
        return found
    response.check_step(
        Stage(incident.stage),
        stage,
        way=incident.way,
        is_ordered=ordered_by is not None and queries.managers().contains(ordered_by),
    )
    step = Step.objects.create(
        incident=incident,
        key=key,
        stage=stage.value,
        stage_before=incident.stage,
        text=text,
        ordered_by=ordered_by if stage in response.BUILDING_MANAGER else None,
        at=at,
        by=by,
    )
    _set_stage(incident, stage, at=at)
    _tell(incident, "incident.take_step", by=by, at=at, stage=stage.value)
    return step


@transaction.atomic
def undo_step(*, incident: Incident, by: User, at: datetime) -> Step:
    """
    Take the last step back within a minute; it stays in the record, as taken back.

    :raises StepNotAllowed: there is none, or its minute is over.
    """
    incident = _locked(incident)
    step = queries.undoable(incident, at=at)
    if step is None:
        raise StepNotAllowed("取り消せるのは、直前の1分以内の操作だけです。")
    Step.objects.create(incident=incident, undoes=step, at=at, by=by)
    if step.stage:
        _set_stage(incident, Stage(step.stage_before), at=at)
    _tell(incident, "incident.undo_step", by=by, at=at, step=step.pk)
    return step


@transaction.atomic
def write_note(
    *, incident: Incident, text: str, key: UUID | None = None, by: User, at: datetime
) -> Step:
    """Add what was said or seen at this moment; also after the end."""
    incident = _locked(incident)
    if found := incident.steps.filter(key=key).first() if key else None:
        return found
    step = Step.objects.create(incident=incident, key=key, text=text, at=at, by=by)
    _tell(incident, "incident.write_note", by=by, at=at)
    return step


@transaction.atomic
def judge(
    *,
    incident: Incident,
    facts: Facts,
    result: Result,
    reason: str,
    consulted: Collection[User],
    by: User,
    at: datetime,
) -> Judgement:
    """
    Write down what the organisation holds of the incident at this moment.

    Earlier judgements stay as they are. What the standard said is kept beside it.

    :raises judgement.NotReady: no reason, one person alone, or nobody asked about needs.
    """
    incident = _locked(incident)
    others = [user for user in consulted if user.pk != by.pk]
    judgement.check_judgement(result=result, need=facts.need, reason=reason, consulted=len(others))
    standard = queries.standard_now()
    made = Judgement.objects.create(
        incident=incident,
        standard=standard,
        demand=facts.demand.value,
        manner=facts.manner.value,
        effect=facts.effect.value,
        acts=sorted(act.value for act in facts.acts),
        fault=facts.fault.value,
        need=facts.need.value,
        advised=judgement.advise(facts, queries.lines_of(standard)).result.value,
        result=result.value,
        reason=reason,
        at=at,
        by=by,
    )
    made.consulted.set(others)
    _tell(incident, "incident.judge", by=by, at=at, result=result.value)
    return made


@transaction.atomic
def return_to_complaint(
    *, incident: Incident, category: Category, title: str, by: User, at: datetime
) -> Case:
    """
    Receive what was judged no harassment as the ordinary complaint that it is.

    :raises StepNotAllowed: the last judgement says something else, or there is a case already.
    """
    incident = _locked(incident)
    last = incident.judgements.order_by("-at", "-pk").first()
    if last is None or last.result != Result.NONE.value:
        raise StepNotAllowed("「該当しない」と判定した事案だけを、通常の苦情として受け付けます。")
    if incident.case_id is not None:
        raise StepNotAllowed("この事案には、すでに案件があります。案件で続けてください。")
    case = casework.receive(
        kind=Kind.COMPLAINT.value,
        channel=incident.channel,
        category=category,
        title=title,
        summary="\n".join(part for part in (incident.demand, incident.trigger) if part),
        resident=None,
        owner=incident.division,
        by=by,
        at=at,
    )
    incident.case = case
    incident.save(update_fields=["case"])
    _tell(incident, "incident.return_to_complaint", by=by, at=at, case=case.number)
    return case


@transaction.atomic
def propose_measure(
    *,
    incident: Incident,
    kind: measures.Measure,
    ground: str,
    remains_open: str,
    review_on: date,
    by: User,
    at: datetime,
) -> Measure:
    """
    Propose a measure; it is in force once another person approves it.

    :raises measures.NotAllowed: its review is not within six months.
    """
    measures.check_review(review_on=review_on, today=timezone.localdate(at))
    measure = Measure.objects.create(
        incident=incident,
        kind=kind.value,
        ground=ground,
        remains_open=remains_open,
        review_on=review_on,
        proposed_at=at,
        proposed_by=by,
    )
    _tell(incident, "measure.propose", by=by, at=at, target=measure)
    return measure


@transaction.atomic
def approve_measure(*, measure: Measure, by: User, at: datetime) -> Measure:
    """
    Put a proposed measure in force.

    :raises measures.NotAllowed: it is in force or over, or `by` proposed it.
    """
    measure = _locked_measure(measure)
    measures.check_approval(
        is_approved=measure.approved_at is not None,
        is_ended=measure.ended_at is not None,
        by=by.pk,
        proposed_by=measure.proposed_by_id,
    )
    measure.approved_at, measure.approved_by = at, by
    measure.save(update_fields=["approved_at", "approved_by"])
    _tell(measure.incident, "measure.approve", by=by, at=at, target=measure)
    return measure


@transaction.atomic
def review_measure(*, measure: Measure, review_on: date, by: User, at: datetime) -> Measure:
    """
    Keep a measure until a later day.

    :raises measures.NotAllowed: it is over, or the day is not within six months.
    """
    measure = _locked_measure(measure)
    if measure.ended_at is not None:
        raise measures.NotAllowed("この措置は、すでに終わっています。")
    measures.check_review(review_on=review_on, today=timezone.localdate(at))
    measure.review_on = review_on
    measure.save(update_fields=["review_on"])
    _tell(measure.incident, "measure.review", by=by, at=at, target=measure)
    return measure


@transaction.atomic
def end_measure(*, measure: Measure, reason: str, by: User, at: datetime) -> Measure:
    """
    End a measure, with the reason.

    :raises measures.NotAllowed: it is over.
    """
    measure = _locked_measure(measure)
    if measure.ended_at is not None:
        raise measures.NotAllowed("この措置は、すでに終わっています。")
    measure.ended_at, measure.ended_by, measure.ended_reason = at, by, reason
    measure.save(update_fields=["ended_at", "ended_by", "ended_reason"])
    _tell(measure.incident, "measure.end", by=by, at=at, target=measure)
    return measure


# --- the city's own settings -------------------------------------------------------------------


@transaction.atomic
def set_limits(*, way: Way, fields: Mapping[str, int], by: User, at: datetime) -> TimeLimit:
    """Set the city's minutes of one way of talking."""
    row, _ = TimeLimit.objects.update_or_create(way=way.value, defaults=dict(fields))
    _record("time_limit.set", row, by=by, at=at)
    return row


@transaction.atomic
def set_words(*, stage: Stage, text: str, by: User, at: datetime) -> Script:
    """Set what is said at a stage, one sentence a line."""
    row, _ = Script.objects.update_or_create(stage=stage.value, defaults={"text": text})
    _record("script.set", row, by=by, at=at)
    return row


@transaction.atomic
def revise_standard(
    *, definition: str, lines: Collection[Line], by: User, at: datetime
) -> Standard:
    """Make a new version of the standard; judgements keep the version they were made under."""
    row = Standard.objects.create(
        definition=definition, lines=judgement.standard_to(lines), made_at=at, made_by=by
    )
    _record("standard.revise", row, by=by, at=at)
    return row


@transaction.atomic
def delegate(*, user: User, by: User, at: datetime) -> Delegation:
    """Let somebody order people to leave the building."""
    row, _ = Delegation.objects.get_or_create(
        user=user, ended_at=None, defaults={"since_at": at, "given_by": by}
    )
    _record("delegation.give", row, by=by, at=at)
    return row


@transaction.atomic
def end_delegation(*, delegation: Delegation, by: User, at: datetime) -> Delegation:
    """Let them order it no more."""
    Delegation.objects.filter(pk=delegation.pk, ended_at=None).update(ended_at=at)
    _record("delegation.end", delegation, by=by, at=at)
    return delegation


# --- how ---------------------------------------------------------------------------------------


def _locked(incident: Incident) -> Incident:
    return Incident.objects.select_for_update(of=("self",)).get(pk=incident.pk)


def _locked_measure(measure: Measure) -> Measure:
    rows = Measure.objects.select_for_update(of=("self",)).select_related("incident")
    return rows.get(pk=measure.pk)


def _set_stage(incident: Incident, stage: Stage, *, at: datetime) -> None:
    incident.stage = stage.value
    incident.ended_at = at if stage == Stage.AFTER else None
    incident.save(update_fields=["stage", "ended_at"])


def _record(verb: str, target: models.Model, *, by: User, at: datetime) -> None:
    audit.record(verb=verb, target=target, actor=by.get_username(), at=at)


def _tell(
    incident: Incident,
    verb: str,
    *,
    by: User,
    at: datetime,
    target: models.Model | None = None,
    **detail: Any,
) -> None:
    """Tell every screen that shows the incident, and the trail."""
    live.publish(topic=f"incident.{incident.pk}", kind=verb, at=at)
    audit.record(
        verb=verb,
        target=target or incident,
        key=incident.number,
        actor=by.get_username(),
        at=at,
        detail=detail or None,
    )
