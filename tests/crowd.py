"""Many at once, through real connections."""

import threading
from collections import Counter as Tally
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connections

AT_ONCE = 25


def rush(attempt: Callable[[int], str], *, times: int) -> Tally[str]:
    """Run the attempts on AT_ONCE threads, each with a connection of its own; count the ends."""
    ready = threading.Barrier(AT_ONCE)

    def work(numbers: list[int]) -> list[str]:
        try:
            ready.wait(timeout=30)
            return [attempt(number) for number in numbers]
        finally:
            connections.close_all()

    shares = [list(range(n, times, AT_ONCE)) for n in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Tally(end for ends in pool.map(work, shares) for end in ends)
