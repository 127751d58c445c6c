"""What every test shares."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db.backends.base.operations import BaseDatabaseOperations
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from huey.contrib import djhuey
from hypothesis import HealthCheck, settings

SERVED = {"browser", "server"}
# The same examples on every machine, however slow; bench/steps.py is there to explore.
settings.register_profile(
    "suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take minutes, so that no worker is left with them at the end."""
    items.sort(key=lambda item: not SERVED & {mark.name for mark in item.iter_markers()})


@pytest.fixture(autouse=True)
def _jobs_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(djhuey.HUEY, "_immediate", True)


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    cache.clear()


@pytest.fixture(scope="session", autouse=True)
def _tests_may_empty_the_audit_trail() -> Iterator[None]:
    """
    Lift the triggers while a transactional test clears its tables; nobody else can.

    What a migration entered is entered again, so that the next test meets a new city's tables.
    """
    guard = import_module("madoguchi.audit.migrations.0002_append_only")
    categories = import_module("madoguchi.casework.migrations.0002_standard_categories")
    flush = BaseDatabaseOperations.execute_sql_flush

    def without_guard(self: BaseDatabaseOperations, sql_list: list[str]) -> None:
        editor = self.connection.schema_editor()
        guard.take_down(None, editor)
        flush(self, sql_list)
        guard.put_up(None, editor)
        categories.add(apps, editor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", without_guard)
        yield


@pytest.fixture(scope="session", autouse=True)
def _force_login_shows_the_second_factor() -> Iterator[None]:
    """`client.force_login(user)` stands for the whole log in, the authenticator included."""

    def with_second_factor(client: Client, user: Any, backend: str | None = None) -> None:
        log_in(client, user, backend)
        session = client.session
        session[DEVICE_ID_SESSION_KEY] = "tests"
        session.save()

    log_in = Client._login  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "_login", with_second_factor)
        yield
