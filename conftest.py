"""What every test shares."""

import pytest
from huey.contrib import djhuey


@pytest.fixture(autouse=True)
def _jobs_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(djhuey.HUEY, "_immediate", True)
