"""
Who reaches which incident: the division in which it happened, and the head of the centre.

Whoever may not know of an incident is told that there is none (404). Reading one is noted in
the trail, for it tells of a person.
"""

from datetime import datetime

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from madoguchi.audit import actions as audit
from madoguchi.casework import access as casework
from madoguchi.casework.models import Case
from madoguchi.safety.models import Delegation, Incident, IncidentQuerySet, Measure
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role, Verb


def visible_incidents(user: User) -> IncidentQuerySet:
    incidents: IncidentQuerySet = Incident.objects.all()
    if not user.may(Verb.HANDLE_INCIDENTS) or user.division.is_outside:
        return incidents.none()
    if user.role == Role.CENTRE_HEAD:
        return incidents
    return incidents.filter(division=user.division_id)


def incident_to_read(user: User, pk: int, *, at: datetime) -> Incident:
    """Return the incident, or 404, and note in the trail that it was read."""
    incident = incident_to_change(user, pk)
    audit.record(
        verb="incident.read",
        target=incident,
        key=incident.number,
        actor=user.get_username(),
        at=at,
    )
    return incident


def incident_to_change(user: User, pk: int) -> Incident:
    rows = visible_incidents(user).select_related("division", "opened_by", "case")
    return get_object_or_404(rows, pk=pk)


def case_of(user: User, incident: Incident) -> Case | None:
    """Return the case of an incident if the user may know of it."""
    if incident.case_id is None:
        return None
    return casework.visible_cases(user).filter(pk=incident.case_id).first()


def case_to_open_from(user: User, number: str) -> Case:
    return get_object_or_404(casework.visible_cases(user), number=number)


def visible_measures(user: User) -> QuerySet[Measure]:
    rows = Measure.objects.filter(incident__in=visible_incidents(user))
    return rows.select_related("incident__division", "proposed_by", "approved_by")


def measure_to_change(user: User, pk: int) -> Measure:
    return get_object_or_404(visible_measures(user), pk=pk)


def delegation_to_change(pk: int) -> Delegation:
    return get_object_or_404(Delegation.objects.filter(ended_at=None), pk=pk)


def may_follow_incident(user: User, key: str) -> bool:
    return key.isdecimal() and visible_incidents(user).filter(pk=int(key)).exists()
