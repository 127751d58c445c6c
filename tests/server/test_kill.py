from pathlib import Path

import pytest

from tests.server.kill import kill_rounds
from tests.server.serve import serve


@pytest.mark.server
def test_what_was_acknowledged_survives_the_death_of_the_server(tmp_path: Path) -> None:
    """The hundred rounds are in bench/kill_rounds.py."""
    with serve(tmp_path, environment={"MADOGUCHI_RATE_LIMITS": "off"}) as served:
        result = kill_rounds(served, rounds=4, seed=20261124)
        assert "回数制限が切ってあります" in served.log  # said loudly at every start

    assert result.rounds == 4
    assert len(result.acknowledged) >= 10
    assert len(set(result.acknowledged)) == len(result.acknowledged)
    assert result.lost == []
    assert not any(status >= 500 for status in result.refused), result.refused
