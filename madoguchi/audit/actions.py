import json
from datetime import UTC, datetime
from typing import Any

from django.db import connection, models, transaction

from madoguchi.audit import rules
from madoguchi.audit.models import AuditEvent

CHAIN_LOCK = 7_206_011  # any fixed number: PostgreSQL's advisory lock of the chain


@transaction.atomic
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
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
    last = AuditEvent.objects.order_by("-pk").values_list("hash", flat=True).first()
    event = AuditEvent(
        at=at.astimezone(UTC),
        verb=verb,
        actor=actor,
        target_label=target._meta.label if target else "",
        target_key=key or (str(target.pk) if target else ""),
        person=person,
        reason=reason,
        detail=detail or {},
        previous_hash=last or rules.GENESIS,
    )
    event.hash = rules.chain_hash(event.previous_hash, *_parts(event))
    event.save(force_insert=True)
    return event


def _parts(event: AuditEvent) -> tuple[str, ...]:
    return (
        event.at.isoformat(),
        event.verb,
        event.actor,
        event.target_label,
        event.target_key,
        "" if event.person is None else str(event.person),
        event.reason,
        json.dumps(event.detail, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
    )
