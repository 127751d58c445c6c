"""The demo city on an office morning, in a real Chromium."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.browser.conftest import chromium as chromium
from tests.browser.conftest import found_city
from tests.browser.conftest import playwright as playwright
from tests.journeys.clock import set_forward
from tests.server.serve import Served, serve


@pytest.fixture(scope="session")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo as `bin/demo` starts it, on the next office day at 8:35."""
    environment = {"MADOGUCHI_DEMO": "1", "MADOGUCHI_RATE_LIMITS": "off"}
    folder = tmp_path_factory.mktemp("morning")
    with serve(
        folder,
        command=("demo",),
        before=found_city,
        environment=environment | set_forward(datetime.now(UTC)),
    ) as running:
        yield running


@pytest.fixture(scope="session")
def first_morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A city that has just been installed: `madoguchi start` on an empty folder."""
    environment = {"MADOGUCHI_RATE_LIMITS": "off"} | set_forward(datetime.now(UTC))
    with serve(tmp_path_factory.mktemp("first"), environment=environment) as running:
        yield running
