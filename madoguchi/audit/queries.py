from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from madoguchi.audit.models import AuditEvent
from madoguchi.audit.rules import Anchor, Break, Checker

BATCH = 10_000
# An expression, not the bare column: the driver then hands out text and no parsed date.
_AT = {
    "sqlite": "CASE length(at) WHEN 19 THEN at || '.000000' ELSE at || '' END",
    "postgresql": "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
}
GUARDS = ("audit_no_update", "audit_no_delete")


def search(
    *,
    actor: str = "",
    person: int | None = None,
    key: str = "",
    verb: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[AuditEvent]:
    """Return the events that fit all that is given, newest first; `until` is not included."""
    found = AuditEvent.objects.order_by("-pk")
    if actor:
        found = found.filter(actor=actor)
    if person is not None:
        found = found.filter(person=person)
    if key:
        found = found.filter(target_key=key)
    if verb:
        found = found.filter(verb=verb)
    if since:
        found = found.filter(at__gte=since)
    if until:
        found = found.filter(at__lt=until)
    return found


def head() -> Anchor | None:
    """Return the number and hash of the last event, to be kept outside (控え)."""
    last = AuditEvent.objects.order_by("-pk").values_list("pk", "hash").first()
    return Anchor(*last) if last else None


def first_break(*, anchors: Iterable[Anchor] = ()) -> tuple[int, Break | None]:
    """Walk the whole trail; return how many events stand and the first that does not."""
    checker = Checker(anchors)
    found: Break | None = None
    for rows in _batches():
        found = checker.feed(rows)
        if found:
            return checker.number, found
    return checker.number, checker.end()


def _batches() -> Iterator[list[tuple[Any, ...]]]:
    last = -1
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                f"SELECT id, {_AT[connection.vendor]}, verb, actor, target_label, target_key,"  # noqa: S608
                " person, reason, detail, previous_hash, hash"
                " FROM audit_auditevent WHERE id > %s ORDER BY id LIMIT %s",
                [last, BATCH],
            )
            rows = cursor.fetchall()
            if not rows:
                return
            yield rows
            last = rows[-1][0]


def missing_guards() -> list[str]:
    """Return the triggers that should keep the trail append-only and are not there."""
    sql = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'",
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(sql)
        there = {name for (name,) in cursor.fetchall()}
    expected = [*GUARDS, *(["audit_no_truncate"] if connection.vendor == "postgresql" else [])]
    return [guard for guard in expected if guard not in there]
