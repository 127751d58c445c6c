from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import connection, models, transaction

from madoguchi.audit import rules
from madoguchi.audit.models import AuditEvent

CHAIN_LOCK = 7_206_011  # any fixed number: PostgreSQL's advisory lock of the chain


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is to be written into the trail; the fields as in `record`."""

    verb: str
    actor: str
    at: datetime
    target_label: str = ""
    key: str = ""
    person: int | None = None
    reason: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


def record(
    *,
    verb: str,
    actor: str,
    at: datetime,
    target: models.Model | None = None,
    key: str = "",
    person: int | None = None,
    reason: str = "",
    detail: dict[str, Any] | None = None,
) -> AuditEvent:
    """
    Append one event to the trail, as the last step of the surrounding transaction.

    `key` names the target as people do (a case number; default its primary key), `person` is
    the resident's id when a person's record was touched, `detail` holds ids and field names,
    never values of personal fields. The chain stays locked until the commit: take every other
    lock before.
    """
    entry = Entry(
        verb=verb,
        actor=actor,
        at=at,
        target_label=target._meta.label if target else "",
        key=key or (str(target.pk) if target else ""),
        person=person,
        reason=reason,
        detail=detail or {},
    )
    return record_all(entries=[entry])[0]


@transaction.atomic
def record_all(*, entries: Iterable[Entry]) -> list[AuditEvent]:
    """Append many events at once, in the given order."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
    head = AuditEvent.objects.order_by("-pk").values_list("pk", "hash").first()
    number, previous = head or (0, rules.GENESIS)
    events = []
    for entry in entries:
        number += 1
        at = entry.at.astimezone(UTC)
        line = rules.Line(
            number=number,
            at=f"{at:%Y-%m-%d %H:%M:%S.%f}",
            verb=entry.verb,
            actor=entry.actor,
            target_label=entry.target_label,
            target_key=entry.key,
            person=entry.person,
            reason=entry.reason,
            detail=rules.canonical(entry.detail),
            previous_hash=previous,
            hash="",
        )
        previous = rules.chain_hash(line)
        events.append(
            AuditEvent(
                pk=number,
                at=at,
                verb=entry.verb,
                actor=entry.actor,
                target_label=entry.target_label,
                target_key=entry.key,
                person=entry.person,
                reason=entry.reason,
                detail=entry.detail,
                previous_hash=line.previous_hash,
                hash=previous,
            )
        )
    return AuditEvent.objects.bulk_create(events, batch_size=500)
