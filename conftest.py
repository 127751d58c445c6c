"""What every test shares."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from django.db.backends.base.operations import BaseDatabaseOperations
from huey.contrib import djhuey


@pytest.fixture(autouse=True)
def _jobs_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(djhuey.HUEY, "_immediate", True)


@pytest.fixture(scope="session", autouse=True)
def _tests_may_empty_the_audit_trail() -> Iterator[None]:
    """Lift the triggers while a transactional test clears its tables; nobody else can."""
    guard = import_module("madoguchi.audit.migrations.0002_append_only")
    flush = BaseDatabaseOperations.execute_sql_flush

    def without_guard(self: BaseDatabaseOperations, sql_list: list[str]) -> None:
        editor = self.connection.schema_editor()
        guard.take_down(None, editor)
        flush(self, sql_list)
        guard.put_up(None, editor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", without_guard)
        yield
