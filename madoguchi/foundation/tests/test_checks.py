from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from madoguchi.foundation import checks

SAFE = "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"


def found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **options: Any) -> list[str | None]:
    """Ask the check about a file opened with the options; return the ids of what it finds."""
    if connection.vendor != "sqlite":
        pytest.skip("about SQLite")
    own = connection.copy()
    own.settings_dict = connection.settings_dict | {
        "NAME": str(tmp_path / "a.sqlite3"),
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": SAFE} | options,
    }
    monkeypatch.setattr(checks, "connection", own)
    try:
        return [message.id for message in checks.sqlite_keeps_what_it_acknowledges(None)]
    finally:
        own.close()


@pytest.mark.django_db
class TestSqlite:
    def test_the_settings_of_the_product_pass(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        assert found(monkeypatch, tmp_path) == []

    @pytest.mark.parametrize("mode", ["DEFERRED", "EXCLUSIVE", None])
    def test_other_transactions_than_immediate_are_refused(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: str | None
    ) -> None:
        assert found(monkeypatch, tmp_path, transaction_mode=mode) == ["madoguchi.E001"]

    @pytest.mark.parametrize("mode", ["DELETE", "TRUNCATE", "OFF"])
    def test_another_journal_than_wal_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: str
    ) -> None:
        init = f"PRAGMA journal_mode={mode};PRAGMA synchronous=FULL;"

        assert found(monkeypatch, tmp_path, init_command=init) == ["madoguchi.E002"]

    @pytest.mark.parametrize("mode", ["NORMAL", "OFF"])
    def test_less_than_full_synchronisation_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: str
    ) -> None:
        init = f"PRAGMA journal_mode=WAL;PRAGMA synchronous={mode};"

        assert found(monkeypatch, tmp_path, init_command=init) == ["madoguchi.E003"]
