"""The transfers of next 1 April, written and waiting for somebody else's approval."""

from datetime import date, datetime

from madoguchi.booking.rules import JST
from madoguchi.foundation.dates import fiscal_year
from madoguchi.offices.models import Division
from madoguchi.personnel import actions
from madoguchi.personnel.rules import Wanted
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role

PEOPLE = 8


def plan_april(*, at: datetime) -> None:
    """Plan a turn among the divisions' officers; one of them retires."""
    divisions = list(
        Division.objects.filter(is_active=True, is_outside=False, is_centre=False).order_by("pk")
    )
    known = ("kakari", "kacho", "soudan", "center")
    officers = list(
        User.objects.filter(role=Role.OFFICER.value, is_active=True, division__in=divisions)
        .exclude(username__in=known)
        .order_by("username")[:PEOPLE]
    )
    wanted = [
        Wanted(
            user=person.pk,
            division=_next(divisions, person.division_id).pk,
            role=person.role,
            successor=None,
        )
        for person in officers[1:]
    ]
    wanted += [
        Wanted(user=person.pk, division=None, role="", successor=None) for person in officers[:1]
    ]
    april = date(fiscal_year(at.astimezone(JST).date()) + 1, 4, 1)
    actions.plan(
        effective_on=april,
        wanted=wanted,
        note="定期異動",
        by=User.objects.get(username="admin"),
        at=at,
    )


def _next(divisions: list[Division], now: int) -> Division:
    """Return the division after this one, around the circle."""
    places = [division.pk for division in divisions]
    return divisions[(places.index(now) + 1) % len(divisions)]
