"""Questions of the safe counter."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

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
from madoguchi.safety.rules import judgement, response
from madoguchi.safety.rules.response import DEFAULT_LIMITS, SCRIPTS, Limits, Stage, Way
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role

DEFINITION = (
    "顧客等の言動であって、業務の性質その他の事情に照らして社会通念上許容される範囲を超え、"
    "職員の就業環境を害するもの（労働施策総合推進法33条）。"
)


def limits_of(way: Way) -> Limits:
    """Return the city's limits, or the built-in ones while it has none of its own."""
    row = TimeLimit.objects.filter(way=way.value).first()
    return row.limits if row else DEFAULT_LIMITS[way]


def words_of(stage: Stage) -> list[str]:
    """Return what is said at a stage, in the city's words."""
    row = Script.objects.filter(stage=stage.value).first()
    lines = row.text.splitlines() if row else SCRIPTS[stage]
    return [line.strip() for line in lines if line.strip()]


def standard_now() -> Standard | None:
    """Return the version in force; None means the built-in standard."""
    return Standard.objects.order_by("-pk").first()


def lines_of(standard: Standard | None) -> tuple[judgement.Line, ...]:
    return judgement.standard_from(standard.lines) if standard else judgement.BUILT_IN


def definition_of(standard: Standard | None) -> str:
    return standard.definition if standard else DEFINITION


def steps_of(incident: Incident) -> list[Step]:
    """Return everything that happened, in order of time; undone steps too."""
    rows = incident.steps.filter(undoes=None).select_related("by", "ordered_by", "undone_by__by")
    return list(rows.order_by("at", "pk"))


def taken(incident: Incident) -> list[Stage]:
    """Return the stages taken and not undone, in order."""
    rows = incident.steps.filter(undoes=None, undone_by=None).exclude(stage="")
    return [Stage(stage) for stage in rows.order_by("at", "pk").values_list("stage", flat=True)]


def undoable(incident: Incident, *, at: datetime) -> Step | None:
    """Return the last step while it may be taken back."""
    last = incident.steps.filter(undoes=None, undone_by=None).order_by("-at", "-pk").first()
    return last if last and response.may_undo(taken_at=last.at, at=at) else None


def judgements_of(incident: Incident) -> list[Judgement]:
    rows = incident.judgements.select_related("by", "standard").prefetch_related("consulted")
    return list(rows.order_by("-at", "-pk"))


def measures_of(incident: Incident) -> list[Measure]:
    rows = incident.measures.select_related("proposed_by", "approved_by", "ended_by")
    return list(rows.order_by("pk"))


def managers() -> QuerySet[User]:
    """Return to whom the management of the building is delegated now."""
    now = Delegation.objects.filter(ended_at=None).values("user")
    return User.objects.filter(pk__in=now, is_active=True).order_by("kana", "name")


def judges(incident: Incident) -> QuerySet[User]:
    """Return who may judge together: supervisors of the division and heads of the centre."""
    own = Q(division=incident.division_id, role=Role.SUPERVISOR.value)
    found = User.objects.filter(own | Q(role=Role.CENTRE_HEAD.value), is_active=True)
    return found.select_related("division").order_by("division__name", "name")


def incidents_found(wanted: Mapping[str, Any]) -> QuerySet[Incident]:
    found = Incident.objects.select_related("division", "opened_by")
    if wanted.get("status") == "open":
        found = found.going_on()
    elif wanted.get("status") == "over":
        found = found.filter(stage=Stage.AFTER.value)
    if number := (wanted.get("q") or "").strip():
        found = found.filter(number__icontains=number)
    return found.order_by("-started_at", "-pk")


def last_results(incidents: list[Incident]) -> dict[int, Judgement]:
    """Return the newest judgement of each incident."""
    rows = Judgement.objects.filter(incident__in=incidents).order_by("at", "pk")
    return {row.incident_id: row for row in rows}


def same_day_minutes(incident: Incident, *, at: datetime) -> int:
    """Return the minutes which the division has given to the same case on this day before."""
    if incident.case_id is None:
        return 0
    day = incident.started_at.astimezone(at.tzinfo).date()
    others = Incident.objects.filter(
        case=incident.case_id, division=incident.division_id, ended_at__isnull=False
    ).exclude(pk=incident.pk)
    return sum(
        int((row.ended_at - row.started_at).total_seconds() // 60)
        for row in others
        if row.ended_at and row.started_at.astimezone(at.tzinfo).date() == day
    )
