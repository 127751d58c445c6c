from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models, transaction

from madoguchi.audit import actions as audit
from madoguchi.offices.models import City, Counter, Division, OpeningDay, Room, Site
from madoguchi.offices.rules import Hours

Office = TypeVar("Office", bound=Site | Division | Counter | Room)
Listed = TypeVar("Listed", bound=City | Site | Division | Counter | Room)


@transaction.atomic
def name_city(
    *,
    name: str,
    kana: str = "",
    phone: str = "",
    urgent_help: str = "",
    by: AbstractBaseUser,
    at: datetime,
) -> City:
    """Give the municipality its name, or change it."""
    city = City.objects.select_for_update().filter(pk=1).first()
    if city is not None:
        fields = {"name": name, "kana": kana, "phone": phone, "urgent_help": urgent_help}
        return change(row=city, fields=fields, by=by, at=at)
    city = City.objects.create(pk=1, name=name, kana=kana, phone=phone, urgent_help=urgent_help)
    audit.record(verb="city.add", target=city, actor=by.get_username(), at=at)
    return city


@transaction.atomic
def add(*, row: Office, by: AbstractBaseUser, at: datetime) -> Office:
    """Add a site, division, counter or room; sites and divisions get a code if they lack one."""
    if isinstance(row, Site | Division) and not row.code:
        row.code = _free_code(type(row))
    row.save(force_insert=True)
    audit.record(verb=_verb(row, "add"), target=row, actor=by.get_username(), at=at)
    return row


@transaction.atomic
def add_divisions(
    *, rows: Iterable[Division], by: AbstractBaseUser, at: datetime
) -> list[Division]:
    """Add many divisions at once: a list pasted from a spreadsheet."""
    return [add(row=row, by=by, at=at) for row in rows]


@transaction.atomic
def change(*, row: Listed, fields: dict[str, Any], by: AbstractBaseUser, at: datetime) -> Listed:
    """Change fields of the row; the trail keeps what stood there before. Nothing new: no event."""
    lock(row=row)
    changes = {
        name: [_shown(getattr(row, name)), _shown(value)]
        for name, value in fields.items()
        if getattr(row, name) != value
    }
    if not changes:
        return row
    for name in changes:
        setattr(row, name, fields[name])
    row.save(update_fields=list(changes))
    audit.record(
        verb=_verb(row, "change"),
        target=row,
        actor=by.get_username(),
        at=at,
        detail={"changes": changes},
    )
    return row


@transaction.atomic
def set_opening_day(
    *,
    site: Site,
    on: date,
    hours: Hours | None,
    reason: str,
    by: AbstractBaseUser,
    at: datetime,
) -> OpeningDay:
    """Give one day other hours, or none, whatever the calendar says."""
    opens, closes = hours or (None, None)
    day, _ = OpeningDay.objects.update_or_create(
        site=site, on=on, defaults={"opens_at": opens, "closes_at": closes, "reason": reason}
    )
    audit.record(
        verb="opening_day.set",
        target=day,
        actor=by.get_username(),
        at=at,
        detail={
            "site": site.pk,
            "on": str(on),
            "hours": [_shown(opens), _shown(closes)],
            "reason": reason,
        },
    )
    return day


@transaction.atomic
def clear_opening_day(*, site: Site, on: date, by: AbstractBaseUser, at: datetime) -> None:
    """Let the day follow the calendar again."""
    day = OpeningDay.objects.select_for_update().filter(site=site, on=on).first()
    if day is None:
        return
    key = str(day.pk)
    day.delete()
    audit.record(
        verb="opening_day.clear",
        target=day,
        key=key,
        actor=by.get_username(),
        at=at,
        detail={"site": site.pk, "on": str(on)},
    )


def lock(*, row: models.Model) -> None:
    """Take the row for this transaction, as it stands now."""
    row.refresh_from_db(from_queryset=type(row)._default_manager.select_for_update())


def _verb(row: Any, step: str) -> str:
    return f"{row._meta.model_name}.{step}"


def _shown(value: Any) -> Any:
    """Return the value as the trail keeps it: rows by their id, times as text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    return value.pk if hasattr(value, "pk") else str(value)


def _free_code(model: type[models.Model]) -> str:
    taken = set(model._default_manager.values_list("code", flat=True))
    number = len(taken) + 1
    while (code := f"{model._meta.model_name}-{number}") in taken:
        number += 1
    return code
