"""What must be true before the product starts."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import connection

from madoguchi.audit import queries
from madoguchi.audit.models import AuditEvent


def the_trail_is_guarded(
    *, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Refuse a trail that could be changed: SQLite's table rebuilds drop triggers silently."""
    if not databases or AuditEvent._meta.db_table not in connection.introspection.table_names():
        return []
    return [
        Error(f"監査証跡のトリガー {name} がありません。", id="audit.E001")
        for name in queries.missing_guards()
    ]
