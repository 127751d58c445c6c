"""The demo city on an office morning, in a real Chromium."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.browser.conftest import chromium as chromium
from tests.journeys.clock import set_forward
from tests.server.serve import Served, serve


@pytest.fixture(scope="session")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo as `bin/demo` starts it, on the next office day at 8:35."""
    environment = set_forward(datetime.now(UTC)) | {"MADOGUCHI_RATE_LIMITS": "off"}
    folder = tmp_path_factory.mktemp("morning")
    with serve(folder, command=("demo",), environment=environment) as running:
        yield running
