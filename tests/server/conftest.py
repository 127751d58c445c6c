from collections.abc import Iterator

import pytest

from tests.server.serve import Served, serve


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The product as `madoguchi start` runs it, with two web processes, shared by a module."""
    with serve(tmp_path_factory.mktemp("served")) as running:
        yield running
