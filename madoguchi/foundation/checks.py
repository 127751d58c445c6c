"""What must be true of the database before the product writes a single row."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.db import connection

_SYNCHRONOUS = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}
SAFETY = "safety"  # the checks that every start makes


@register(SAFETY)
def sqlite_keeps_what_it_acknowledges(
    app_configs: Sequence[AppConfig] | None = None, **more: Any
) -> list[CheckMessage]:
    """
    Refuse SQLite unless transactions are IMMEDIATE, the journal WAL and synchronous FULL.

    Deferred transactions fail with "database is locked" as soon as two people write at once
    (105 of 200 parallel bookings); below FULL a power cut may take back a record that was
    acknowledged. Asked of the connection itself, since a later PRAGMA would win.
    """
    if connection.vendor != "sqlite":
        return []
    found: list[CheckMessage] = []
    options = connection.settings_dict["OPTIONS"]
    if options.get("transaction_mode") != "IMMEDIATE":
        found.append(
            Error(
                "SQLiteのトランザクションがIMMEDIATEではありません。",
                hint="DATABASESのOPTIONSで transaction_mode を IMMEDIATE にしてください。",
                id="madoguchi.E001",
            )
        )
    with connection.cursor() as cursor:
        journal = cursor.execute("PRAGMA journal_mode").fetchone()[0]
        synchronous = cursor.execute("PRAGMA synchronous").fetchone()[0]
    if journal not in ("wal", "memory"):  # memory: the database of a test, gone with its process
        found.append(
            Error(
                f"SQLiteのジャーナルがWALではありません（{journal}）。",
                hint="init_command に PRAGMA journal_mode=WAL を入れてください。",
                id="madoguchi.E002",
            )
        )
    if synchronous < 2:
        found.append(
            Error(
                f"SQLiteのsynchronousがFULLではありません（{_SYNCHRONOUS[synchronous]}）。",
                hint="init_command に PRAGMA synchronous=FULL を入れてください。",
                id="madoguchi.E003",
            )
        )
    return found
