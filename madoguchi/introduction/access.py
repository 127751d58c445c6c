"""The doors to the introduction of a service."""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from madoguchi.booking import access as booking
from madoguchi.booking.models import Service
from madoguchi.introduction.models import DeskEvent, StageChange
from madoguchi.offices.models import Site
from madoguchi.staff.models import User


def services_of(user: User) -> QuerySet[Service]:
    """Return the services whose introduction this person plans or approves."""
    return booking.services_of(user).filter(is_active=True)


def service_of(user: User, code: str) -> Service:
    return get_object_or_404(services_of(user), code=code)


def change_of(user: User, pk: int) -> StageChange:
    changes = StageChange.objects.select_related("service", "proposed_by")
    return get_object_or_404(changes.filter(service__in=services_of(user)), pk=pk)


def event_to_take_back(user: User, pk: int, *, site: Site) -> DeskEvent:
    """Return what this person has just counted at the site, or 404."""
    mine = DeskEvent.objects.select_related("service").filter(
        site=site, noted_by=user.get_username()
    )
    return get_object_or_404(mine, pk=pk)
