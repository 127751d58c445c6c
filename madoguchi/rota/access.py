"""Who may see or change what of the rota."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from madoguchi.audit import actions as audit
from madoguchi.offices.models import Division, Site
from madoguchi.rota import queries
from madoguchi.rota.models import (
    Absence,
    Duty,
    EmergencyContact,
    Leave,
    Member,
    PlanRun,
    Rota,
    SwapRequest,
    Wish,
)
from madoguchi.rota.rules import steps
from madoguchi.staff.models import User
from madoguchi.staff.rules import Verb


def may_edit(user: User) -> bool:
    """Say whether the user makes and changes rotas: the head of the centre does."""
    return user.is_centre and user.may(Verb.EDIT_ROTA)


def check_editor(user: User) -> None:
    if not may_edit(user):
        raise PermissionDenied


def site_to_show(user: User, code: str) -> Site:
    """Return the site of that code; without one the user's own, else the first with a rota."""
    if code:
        return get_object_or_404(queries.sites(), code=code)
    member = Member.objects.filter(user=user).select_related("site").first()
    sites = queries.sites()
    with_rota = sites.filter(needs__isnull=False).first()
    site = member.site if member else with_rota or sites.first()
    if site is None:
        raise Http404
    return site


def own_member(user: User) -> Member | None:
    return Member.objects.filter(user=user).select_related("site", "user").first()


def member_to_read(user: User, pk: int) -> Member:
    """Return the member; whoever reads the rota sees when each of them is on duty."""
    return get_object_or_404(Member.objects.select_related("user__division", "site"), pk=pk)


def member_to_change(user: User, pk: int) -> Member:
    """Return oneself, or for the editor anyone: the member whose wishes and leave are entered."""
    member = member_to_read(user, pk)
    if member.user_id != user.pk:
        check_editor(user)
    return member


def rota_to_read(user: User, pk: int) -> Rota:
    """Return the rota; a draft is known to its editors only."""
    rows = Rota.objects.select_related("site", "made_by", "published_by")
    if not may_edit(user):
        rows = rows.filter(status=steps.Status.PUBLISHED.value)
    return get_object_or_404(rows, pk=pk)


def rota_to_change(user: User, pk: int) -> Rota:
    rota = rota_to_read(user, pk)
    check_editor(user)
    return rota


def run_to_change(user: User, pk: int) -> PlanRun:
    check_editor(user)
    return get_object_or_404(PlanRun.objects.select_related("rota__site"), pk=pk)


def duty_to_change(user: User, pk: int) -> Duty:
    check_editor(user)
    rows = Duty.objects.select_related("rota__site", "skill", "member__user")
    return get_object_or_404(rows, pk=pk)


def duty_to_swap(user: User, pk: int) -> Duty:
    """Return one of the user's own published duties."""
    rows = Duty.objects.published().select_related("rota__site", "skill", "member__user")
    return get_object_or_404(rows, pk=pk, member__user=user)


def wish_to_change(user: User, pk: int) -> Wish:
    wish = get_object_or_404(Wish.objects.select_related("member"), pk=pk)
    if wish.member.user_id != user.pk and not may_edit(user):
        raise Http404
    if steps.Wish(wish.kind) not in wishes_open_to(user):
        raise PermissionDenied
    return wish


def wishes_open_to(user: User) -> tuple[steps.Wish, ...]:
    """Return which wishes the user may enter: 「必ず入る」 is for the editor alone."""
    return tuple(steps.Wish) if may_edit(user) else steps.OWN_WISHES


def leave_to_change(user: User, pk: int) -> Leave:
    leave = get_object_or_404(Leave.objects.select_related("member"), pk=pk)
    if leave.member.user_id != user.pk and not may_edit(user):
        raise Http404
    return leave


def _swaps() -> QuerySet[SwapRequest]:
    return SwapRequest.objects.select_related("duty__rota", "asker__user", "colleague__user")


def swap_to_answer(user: User, pk: int) -> SwapRequest:
    return get_object_or_404(_swaps(), pk=pk, colleague__user=user)


def swap_to_withdraw(user: User, pk: int) -> SwapRequest:
    return get_object_or_404(_swaps(), pk=pk, asker__user=user)


def swap_to_decide(user: User, pk: int) -> SwapRequest:
    """Return a swap the supervisor decides: any for the centre, else of the own division."""
    swap = get_object_or_404(_swaps(), pk=pk)
    if not user.is_centre and swap.asker.user.division_id != user.division_id:
        raise Http404
    return swap


def swaps_waiting(user: User) -> list[SwapRequest]:
    """Return the swaps that wait for the user's word: as the colleague, or to be approved."""
    rows = list(queries.swaps_to_answer(user))
    if user.may(Verb.APPROVE_SWAPS):
        rows += queries.swaps_to_decide(user)
    return rows


def may_report_for(user: User, person: User) -> bool:
    """Say whether the user tells of the person's absence: their own, their division's, or all."""
    return user.may(Verb.REPORT_ABSENCES) and (
        user.is_centre or user.division_id == person.division_id
    )


def people_to_report(user: User) -> QuerySet[User]:
    """Return whose absence the user may tell of."""
    people = User.objects.filter(is_active=True).select_related("division")
    if not user.is_centre:
        people = people.filter(division=user.division_id)
    return people.order_by("division__name", "kana", "id")


def absence_to_change(user: User, pk: int) -> Absence:
    absence = get_object_or_404(Absence.objects.select_related("user"), pk=pk, ended_at=None)
    if not may_report_for(user, absence.user):
        raise PermissionDenied
    return absence


@dataclass(frozen=True)
class AbsenceShown:
    """An absence as one reader may see it: the note and the reason are not for everyone."""

    row: Absence
    could_stand_in: tuple[User, ...]  # while nobody is named
    may_read_note: bool
    may_change: bool


def absences_to_read(
    user: User,
    *,
    on: date,
    division: Division | None = None,
    people: Collection[int] | None = None,
) -> list[AbsenceShown]:
    """Return who is away that day: everyone, those of a division, or those among the people."""
    rows = queries.absences(on=on)
    if division is not None:
        rows = rows.filter(user__division=division)
    if people is not None:
        rows = rows.filter(user__in=people)
    return _shown(user, rows, on=on)


def absences_near(user: User, *, on: date) -> list[AbsenceShown]:
    """Return who is away in the reader's division, and for whom the reader stands in."""
    near = Q(user__division=user.division_id) | Q(stand_in=user)
    return _shown(user, queries.absences(on=on).filter(near), on=on)


def _shown(user: User, rows: QuerySet[Absence], *, on: date) -> list[AbsenceShown]:
    there = queries.colleagues_there(rows, on=on)
    return [
        AbsenceShown(
            row,
            could_stand_in=tuple(there.get(row.user.division_id, ())),
            may_read_note=_may_read_note(user, row),
            may_change=may_report_for(user, row.user),
        )
        for row in rows
    ]


def _may_read_note(user: User, absence: Absence) -> bool:
    """Say whether the user sees what the stand-in needs to know: the centre, and who is in it."""
    return (
        user.is_centre
        or user.division_id == absence.user.division_id
        or user.pk == absence.stand_in_id
    )


def contacts_to_read(user: User, *, at: datetime) -> list[tuple[Division, list[EmergencyContact]]]:
    """Return the emergency contacts of all divisions; written down, since phones are private."""
    rows = queries.contacts()
    audit.record(
        verb="emergency_contact.list",
        actor=user.get_username(),
        at=at,
        detail={"contacts": [contact.pk for _, listed in rows for contact in listed]},
    )
    return rows


def may_change_contacts(user: User, division: Division) -> bool:
    return may_edit(user) or (user.may(Verb.REPORT_ABSENCES) and user.division_id == division.pk)


def division_with_contacts(user: User, pk: int) -> Division:
    division = get_object_or_404(Division, pk=pk, is_outside=False)
    if not may_change_contacts(user, division):
        raise PermissionDenied
    return division
