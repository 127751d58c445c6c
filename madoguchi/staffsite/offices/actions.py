from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, TypeVar

from django.db import transaction

from madoguchi.booking import actions as booking
from madoguchi.foundation.errors import RuleBroken
from madoguchi.offices import actions as offices
from madoguchi.offices.models import Counter, Division, Room, Site
from madoguchi.offices.rules import Hours
from madoguchi.staff.models import User
from madoguchi.staffsite.offices import queries

Office = TypeVar("Office", bound=Site | Division | Counter | Room)


class StillNeeded(RuleBroken):
    """Something in use would be left without its office."""


@transaction.atomic
def deactivate(*, row: Office, by: User, at: datetime) -> Office:
    """
    Take the office out of use; what it did stays to be read.

    :raises StillNeeded: staff, cases, bookings or places depend on it.
    """
    offices.lock(row=row)
    reasons = queries.why_still_needed(row, at=at)
    if reasons:
        raise StillNeeded(
            f"「{row}」は使用をやめられません。{'、'.join(reasons)}あります。先に片付けてください。"
        )
    return offices.change(row=row, fields={"is_active": False}, by=by, at=at)


@transaction.atomic
def reactivate(*, row: Office, by: User, at: datetime) -> Office:
    """Take the office into use again."""
    return offices.change(row=row, fields={"is_active": True}, by=by, at=at)


@transaction.atomic
def change_site(
    *,
    site: Site,
    fields: dict[str, Any],
    moves: booking.Moves = booking.NO_MOVES,
    by: User,
    at: datetime,
) -> Site:
    """
    Change the site; the places that can be booked follow its hours.

    :raises WouldOrphan: somebody booked would stand outside the hours.
    """
    counters = _lock(site, at=at)
    site = offices.change(row=site, fields=fields, by=by, at=at)
    booking.follow_site_hours(counters=counters, moves=moves, by=by, at=at)
    return site


@transaction.atomic
def set_opening_days(
    *,
    site: Site,
    days: Iterable[date],
    hours: Hours | None,
    reason: str,
    moves: booking.Moves = booking.NO_MOVES,
    by: User,
    at: datetime,
) -> None:
    """
    Give each of the days other hours, or none; the places that can be booked follow.

    :raises WouldOrphan: somebody booked would stand outside the hours.
    """
    counters = _lock(site, at=at)
    for on in sorted(days):
        offices.set_opening_day(site=site, on=on, hours=hours, reason=reason, by=by, at=at)
    booking.follow_site_hours(counters=counters, moves=moves, by=by, at=at)


@transaction.atomic
def clear_opening_day(
    *, site: Site, on: date, moves: booking.Moves = booking.NO_MOVES, by: User, at: datetime
) -> None:
    """
    Let the day follow the calendar again; the places that can be booked follow.

    :raises WouldOrphan: somebody booked would stand outside the hours.
    """
    counters = _lock(site, at=at)
    offices.clear_opening_day(site=site, on=on, by=by, at=at)
    booking.follow_site_hours(counters=counters, moves=moves, by=by, at=at)


def _lock(site: Site, *, at: datetime) -> list[Counter]:
    """Take the days before the trail: whoever books holds a day and then writes the trail."""
    counters = list(site.counters.filter(is_active=True).select_related("site"))
    booking.lock_hours(counters, at=at)
    return counters
