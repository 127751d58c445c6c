"""Kill the server at random while residents book; look for what was acknowledged."""

import http.client
import json
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.server.serve import Served

LAY_OUT = """
from datetime import time
from django.utils import timezone
from madoguchi.booking import actions
from madoguchi.booking.models import OpeningRule
from tests import make
site = make.site("本庁舎")
counters = [make.counter(f"{n}番", site=site) for n in range(1, 41)]
service = make.service(code="test", counters=counters)
today = timezone.localdate()
OpeningRule.objects.bulk_create(
    OpeningRule(
        counter=counter, opens_at=time(8, 30), closes_at=time(17, 15),
        valid_from=today, made_at=timezone.now(), made_by="admin",
    )
    for counter in counters
)
actions.lay_out_days(counters=counters, first=today)
print(site.code)
"""
COUNT = """
import json
from madoguchi.booking.models import Appointment
print(json.dumps(list(Appointment.objects.values_list("token", flat=True))))
"""


@dataclass
class Rounds:
    """What came of it: `acknowledged` by 201, `found` in the database after the last round."""

    rounds: int = 0
    acknowledged: list[str] = field(default_factory=list)
    found: set[str] = field(default_factory=set)
    refused: dict[int, int] = field(default_factory=dict)
    slowest_start: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.rounds} rounds, {len(self.acknowledged)} acknowledged, "
            f"{len(self.lost)} lost, "
            f"{len(self.found) - len(self.acknowledged)} written but not acknowledged, "
            f"slowest start {self.slowest_start:.1f} s, other answers {self.refused}"
        )

    @property
    def lost(self) -> list[str]:
        return [token for token in self.acknowledged if token not in self.found]


def kill_rounds(
    served: Served,
    *,
    rounds: int,
    seed: int,
    writers: int = 4,
    report: Callable[[Rounds], None] = lambda so_far: None,
) -> Rounds:
    """
    Serve, let several writers book, kill every process without warning, start again; repeat.

    Every ten rounds and at the end it looks into the database for what was acknowledged.

    Killing the supervisor takes the web processes with it in the same instant (the kernel sends
    them SIGKILL), in the middle of whatever they are writing.
    """
    chance = random.Random(seed)
    site = served.run(LAY_OUT)
    result = Rounds()
    lock = threading.Lock()
    for number in range(rounds):
        stop = threading.Event()
        offered = _answer(served, "GET", "/api/v1/services/test/slots?days=31")[1]
        starts = json.loads(offered)["slots"]
        threads = [
            threading.Thread(
                target=_book_on,
                args=(served, site, starts, f"{number}-{n}", chance.random(), stop, result, lock),
            )
            for n in range(writers)
        ]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.2, 1.2))
        served.stop(by=signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join()
        began = time.monotonic()
        served.start()
        result.slowest_start = max(result.slowest_start, time.monotonic() - began)
        result.rounds += 1
        if result.rounds % 10 == 0 or result.rounds == rounds:
            result.found = set(json.loads(served.run(COUNT)))
            report(result)
    return result


def _book_on(
    served: Served,
    site: str,
    starts: list[dict[str, object]],
    name: str,
    seed: float,
    stop: threading.Event,
    result: Rounds,
    lock: threading.Lock,
) -> None:
    chance = random.Random(seed)
    number = 0
    while not stop.is_set():
        number += 1
        wish = {
            "service": "test",
            "site": site,
            "start": chance.choice(starts)["start"],
            "name": "試験 太郎",
        }
        try:
            status, body = _answer(
                served, "POST", "/api/v1/bookings", wish, {"Idempotency-Key": f"{name}-{number}"}
            )
        except (OSError, http.client.HTTPException):
            continue  # killed before the answer: it may be there or not, nobody was promised
        with lock:
            if status == 201:
                result.acknowledged.append(json.loads(body)["token"])
            else:
                result.refused[status] = result.refused.get(status, 0) + 1


def _answer(
    served: Served,
    method: str,
    path: str,
    body: dict[str, object] | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    link = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    try:
        link.request(
            method,
            path,
            body=json.dumps(body) if body else None,
            headers={"Content-Type": "application/json"} | (headers or {}),
        )
        answer = link.getresponse()
        return answer.status, answer.read()
    finally:
        link.close()
