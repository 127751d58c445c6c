"""
Kill -9 the server in the middle of bookings, many times, and count what was lost.

Usage: python -m bench.kill_rounds [ROUNDS] [SEED]
On PostgreSQL when MADOGUCHI_DATABASE_URL names a server (a database of its own is made there).
"""

import sys
import tempfile
from pathlib import Path

from tests.server.kill import kill_rounds
from tests.server.serve import serve


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder), environment={"MADOGUCHI_RATE_LIMITS": "off"}) as served,
    ):
        kind = "PostgreSQL" if served.database_url else "SQLite"
        result = kill_rounds(
            served, rounds=rounds, seed=seed, report=lambda so_far: print(f"{kind}: {so_far}")
        )
    return 1 if result.lost else 0


if __name__ == "__main__":
    sys.exit(main())
