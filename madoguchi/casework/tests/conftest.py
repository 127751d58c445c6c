from collections.abc import Iterator

import pytest

from madoguchi.casework import index

WRITE_ROWS_THEMSELVES = {"test_constraints", "test_index", "test_pages"}


@pytest.fixture(autouse=True)
def _every_action_keeps_the_index(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test of an action the index knows what the tables say."""
    yield
    name = request.module.__name__.rpartition(".")[2]
    if request.node.get_closest_marker("django_db") and name not in WRITE_ROWS_THEMSELVES:
        assert index.differences() == []
