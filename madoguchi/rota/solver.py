"""
The planner in a process of its own: its 100 MB leave with it, and stopping it stops it.

Run as ``python -m madoguchi.rota.solver``: a pickled problem comes in on standard input,
pickled `Progress` messages and the `Solution` go out on standard output.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Generator
from contextlib import suppress

from madoguchi.rota.rules.duties import Problem
from madoguchi.rota.rules.solve import LIMIT, NoPlanFound, Progress, Solution, solve

POLITE = 10  # niceness: the counter's pages come first


class PlannerDied(Exception):
    """The process ended without a plan."""


def search(
    problem: Problem, *, seed: int, limit: float = LIMIT
) -> Generator[Progress | Solution, None, None]:
    """
    Yield how far the search is, and the solution last. Closing the iterator ends the process.

    :raises PlannerDied: the process was killed, or found no plan in time.
    """
    path = os.pathsep.join(filter(None, sys.path))
    with subprocess.Popen(
        [sys.executable, "-m", "madoguchi.rota.solver"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path},
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise PlannerDied
        try:
            with suppress(BrokenPipeError), process.stdin as request:
                pickle.dump((problem, seed, limit), request)
            message = None
            while not isinstance(message, Solution):
                message = pickle.load(process.stdout)  # noqa: S301 from our own process
                yield message
        except EOFError as end:
            raise PlannerDied from end
        finally:
            process.kill()


def main() -> None:
    """Answer one problem."""
    os.nice(POLITE)
    problem, seed, limit = pickle.load(sys.stdin.buffer)  # noqa: S301 from our own process

    def send(message: Progress | Solution) -> None:
        pickle.dump(message, sys.stdout.buffer)
        sys.stdout.buffer.flush()

    with suppress(NoPlanFound):
        send(solve(problem, seed=seed, limit=limit, tell=send))


if __name__ == "__main__":
    main()
