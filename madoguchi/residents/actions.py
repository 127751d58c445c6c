from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from django.db import transaction

from madoguchi.audit import actions as audit
from madoguchi.foundation.errors import RuleBroken
from madoguchi.residents.models import Accommodation, Resident
from madoguchi.residents.rules import REASON_LENGTH, ShownContact, opened
from madoguchi.staff.models import User

CONTACT = ("phone", "email", "address")


class ReasonMissing(RuleBroken):
    """Restricting, lifting and revealing are explained, so that they can be answered for."""


@transaction.atomic
def register(
    *,
    name: str = "",
    kana: str = "",
    birth_on: date | None = None,
    phone: str = "",
    email: str = "",
    address: str = "",
    language: str = "",
    contact_note: str = "",
    is_restricted: bool = False,
    by: User | None,
    at: datetime,
) -> Resident:
    """Enter a person into the register; no name is an anonymous one. `by=None`: by himself."""
    resident = Resident.objects.create(
        name=name,
        kana=kana,
        birth_on=birth_on,
        phone=phone,
        email=email,
        address=address,
        language=language,
        contact_note=contact_note,
        is_restricted=is_restricted,
        created_at=at,
    )
    audit.record(
        verb="resident.register",
        target=resident,
        person=resident.pk,
        actor=by.get_username() if by else "resident",
        at=at,
    )
    return resident


@transaction.atomic
def update(*, resident: Resident, by: User, at: datetime, **fields: Any) -> Resident:
    """
    Correct the record; the trail keeps the names of the changed fields, not their values.

    While the display is restricted an empty contact field means "as it was": the form could
    not show it.
    """
    resident = Resident.objects.select_for_update().get(pk=resident.pk)
    changed = []
    for field, value in fields.items():
        old = getattr(resident, field)
        if field in CONTACT:
            old = opened(old)
            if resident.is_restricted and not value:
                continue
        if old != value:
            setattr(resident, field, value)
            changed.append(field)
    if not resident.is_new_to_search:
        resident.is_new_to_search = bool({"name", "kana"} & set(changed))
    resident.save()
    audit.record(
        verb="resident.update",
        target=resident,
        person=resident.pk,
        actor=by.get_username(),
        at=at,
        detail={"fields": sorted(changed)},
    )
    return resident


@transaction.atomic
def add_accommodation(
    *, resident: Resident, kind: str, note: str = "", by: User, at: datetime
) -> Accommodation:
    """Note what helps for this person."""
    accommodation = resident.accommodations.create(kind=kind, note=note)
    audit.record(
        verb="resident.add_accommodation",
        target=resident,
        person=resident.pk,
        actor=by.get_username(),
        at=at,
        detail={"accommodation": accommodation.pk},
    )
    return accommodation


@transaction.atomic
def remove_accommodation(*, accommodation: Accommodation, by: User, at: datetime) -> None:
    """Take back a note that no longer holds."""
    pk, resident = accommodation.pk, accommodation.resident
    accommodation.delete()
    audit.record(
        verb="resident.remove_accommodation",
        target=resident,
        person=resident.pk,
        actor=by.get_username(),
        at=at,
        detail={"accommodation": pk},
    )


def restrict(*, resident: Resident, reason: str, by: User, at: datetime) -> None:
    """Hide phone, mail and address on every surface (住所秘匿)."""
    _set_restricted(resident, True, "resident.restrict", reason, by, at)


def lift_restriction(*, resident: Resident, reason: str, by: User, at: datetime) -> None:
    """End the restricted display."""
    _set_restricted(resident, False, "resident.lift_restriction", reason, by, at)


@transaction.atomic
def _set_restricted(
    resident: Resident, restricted: bool, verb: str, reason: str, by: User, at: datetime
) -> None:
    reason = _reason(reason)
    Resident.objects.filter(pk=resident.pk).update(is_restricted=restricted, is_new_to_search=True)
    resident.is_restricted = restricted
    audit.record(
        verb=verb,
        target=resident,
        person=resident.pk,
        actor=by.get_username(),
        at=at,
        reason=reason,
    )


@transaction.atomic
def reveal(*, resident: Resident, reason: str, by: User, at: datetime) -> ShownContact:
    """
    Show a restricted contact once, to this person, for this reason.

    :raises ReasonMissing: no reason given.
    """
    reason = _reason(reason)
    audit.record(
        verb="resident.reveal",
        target=resident,
        person=resident.pk,
        actor=by.get_username(),
        at=at,
        reason=reason,
    )
    return ShownContact(
        phone=opened(resident.phone),
        email=opened(resident.email),
        address=opened(resident.address),
        is_masked=False,
    )


def _reason(text: str) -> str:
    text = text.strip()[:REASON_LENGTH]
    if not text:
        raise ReasonMissing("理由を入力してください。監査証跡に残ります。")
    return text


def settle_search(*, ids: Collection[int]) -> None:
    """Search has noted these residents' names: its own upkeep, so nothing for the trail."""
    Resident.objects.filter(pk__in=ids).update(is_new_to_search=False)
