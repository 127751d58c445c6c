"""Who may see or change a resident's record. What is handed out here is in the trail."""

from datetime import datetime

from django.core.paginator import Page, Paginator
from django.shortcuts import get_object_or_404

from madoguchi.audit import actions as audit
from madoguchi.residents import queries
from madoguchi.residents.models import Accommodation, Resident
from madoguchi.staff.models import User

PER_PAGE = 20


def residents_found(user: User, words: str, *, page: str, at: datetime) -> Page[Resident]:
    """Return one page of whom the words may mean; the trail keeps who was on it."""
    found = queries.search(words).prefetch_related("accommodations")
    shown = Paginator(found, PER_PAGE).get_page(page)
    if shown.object_list:
        audit.record(
            verb="resident.list",
            actor=user.username,
            at=at,
            detail={"residents": [resident.pk for resident in shown]},
        )
    return shown


def resident_to_read(user: User, pk: int, *, at: datetime) -> Resident:
    """Return the record for reading, and note it."""
    resident = resident_to_change(user, pk)
    note_reading(user, resident, at=at)
    return resident


def note_reading(user: User, resident: Resident, *, at: datetime) -> None:
    """Note in the trail that a page shows the record."""
    audit.record(
        verb="resident.read", target=resident, person=resident.pk, actor=user.username, at=at
    )


def resident_to_change(user: User, pk: int) -> Resident:
    """Return the record for an action, which notes itself; a form sent back is a reading."""
    return get_object_or_404(Resident.objects.prefetch_related("accommodations"), pk=pk)


def accommodation_to_remove(user: User, pk: int, accommodation: int) -> Accommodation:
    return get_object_or_404(
        Accommodation.objects.select_related("resident"), pk=accommodation, resident_id=pk
    )
