"""500 residents at the same moment, through the served product, for the last places of a start."""

import http.client
import json
import threading
from collections import Counter as Tally
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.server.serve import Served, serve

ATTEMPTS = 500
CAPACITY = 3
LAY_OUT = f"""
from datetime import timedelta
from django.utils import timezone
from madoguchi.booking import rules
from madoguchi.booking.models import CounterDay
from tests import make
counters = [make.counter(f"{{n}}番") for n in range({CAPACITY})]
make.service(code="rush", counters=counters)
day = timezone.localdate() + timedelta(days=2)
mask = rules.run_mask(32, 2)  # 15:00, one visit at each counter
CounterDay.objects.bulk_create(CounterDay(day=day, counter=c, open=mask) for c in counters)
print(make.site().code, rules.start_of(day, 32).isoformat())
"""
LOOK = """
from madoguchi.booking import queries
from madoguchi.booking.models import Appointment
print(Appointment.objects.count(), queries.mask_differences(), queries.overlapping_appointments())
"""


def rush(served: Served, wish: dict[str, str]) -> Tally[int]:
    """Open every connection first, then send all at once; count the answers by status."""
    ready = threading.Barrier(ATTEMPTS)

    def attempt(number: int) -> int:
        link = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
        try:
            link.connect()
            ready.wait(timeout=60)
            link.request(
                "POST",
                "/api/v1/bookings",
                body=json.dumps(wish | {"name": f"来庁者{number}"}),
                headers={"Content-Type": "application/json", "Idempotency-Key": f"rush-{number}"},
            )
            return link.getresponse().status
        finally:
            link.close()

    with ThreadPoolExecutor(ATTEMPTS) as pool:
        return Tally(pool.map(attempt, range(ATTEMPTS)))


@pytest.mark.server
def test_of_500_at_once_exactly_the_capacity_is_booked_and_everybody_is_answered(
    tmp_path: Path,
) -> None:
    with serve(tmp_path, environment={"MADOGUCHI_RATE_LIMITS": "off"}) as served:
        site, start = served.run(LAY_OUT).split()

        answers = rush(served, {"service": "rush", "site": site, "start": start})

        assert answers == {201: CAPACITY, 409: ATTEMPTS - CAPACITY}, served.log[-4000:]
        assert served.run(LOOK) == f"{CAPACITY} [] []"
        assert "Rate limits are OFF" in served.log  # said aloud, for this run alone
