"""
From the call at a counter to 200 open displays, with everything the product does in between.

A served product (two processes) and 200 streams open as displays have them. A counter calls
twenty people, one a second; timed is from before the call's transaction until a stream has the
event with number and counter, which is what a display announces over its whole screen. After each
event every display asks for its list again, within two seconds, as its element does. The control
in the same run publishes bare events, without rule, locks, trail and lists: the ratio is what the
rest costs.

    python -m bench.displays [displays] [calls]
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

import httpx

from bench.hall import milliseconds
from tests.server.serve import Served, serve

PREPARE = """
import sys
from django.utils import timezone
from madoguchi.booking.models import Service
from madoguchi.offices.models import Counter, Division, Site
from madoguchi.reception.models import Visit
from madoguchi.staff.models import User
at = timezone.now()
site = Site.objects.create(code="hall", name="本庁舎")
division = Division.objects.create(code="civil", name="市民課", is_centre=True)
desk = Counter.objects.create(site=site, division=division, name="1番")
service = Service.objects.create(code="move", name="転入届", minutes=10, division=division)
service.counters.add(desk)
User.objects.create(username="uketsuke", name="受付", role="reception", division=division)
for ticket in range(1, int(sys.argv[1]) + 1):
    Visit.objects.create(site=site, on=timezone.localdate(at), ticket=ticket, service=service,
        reason_without_booking="other", arrived_at=at)
print(site.pk)
"""
CALL = """
import sys, time
from django.utils import timezone
from madoguchi.offices.models import Counter
from madoguchi.reception import actions
from madoguchi.staff.models import User
desk, by = Counter.objects.get(), User.objects.get()
for _ in range(int(sys.argv[1])):
    time.sleep(1)
    began = time.time()
    visit = actions.call_next(counter=desk, by=by, at=timezone.now())
    print("visit.call_next", visit.ticket, began)
    actions.start(visit=visit, by=by, at=timezone.now())
    actions.finish(visit=visit, by=by, at=timezone.now())
"""
PUBLISH = """
import sys, time
from django.utils import timezone
from madoguchi.foundation import live
for number in range(int(sys.argv[1])):
    time.sleep(1)
    began = time.time()
    live.publish(topic="public.display." + sys.argv[2], kind="bare", at=timezone.now(),
        ticket=number)
    print("bare", number, began)
"""


class Display:
    """One open screen: when each event came, and the list asked for afterwards."""

    def __init__(self, client: httpx.AsyncClient, site: str, random: Random) -> None:
        self.client, self.random = client, random
        self.path = f"/live/?topic=public.display.{site}"
        self.came: dict[tuple[str, int], float] = {}
        self.is_open = asyncio.Event()
        self.asking: asyncio.Task[None] | None = None

    async def follow(self) -> None:
        async with self.client.stream("GET", self.path) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("id: "):
                    self.is_open.set()
                elif line.startswith("data: "):
                    self.take(json.loads(line[6:]))

    def take(self, event: dict[str, Any]) -> None:
        self.came.setdefault((event["kind"], event["ticket"]), time.time())
        if event["kind"] != "bare" and (self.asking is None or self.asking.done()):
            self.asking = asyncio.create_task(self.draw())

    async def draw(self) -> None:
        await asyncio.sleep(0.15 + 2 * self.random.random())
        answer = await self.client.get("/display/hall/", headers={"HX-Request": "true"})
        answer.raise_for_status()


async def watch(served: Served, site: str, *, displays: int, calls: int) -> dict[str, list[float]]:
    """Return the seconds from each writing to each screen, by kind."""
    limits = httpx.Limits(max_connections=None)
    random = Random(1)
    async with httpx.AsyncClient(base_url=served.root, timeout=60, limits=limits) as client:
        screens = [Display(client, site, random) for _ in range(displays)]
        following = [asyncio.create_task(screen.follow()) for screen in screens]
        await asyncio.gather(*(screen.is_open.wait() for screen in screens))
        took: dict[str, list[float]] = {"bare": [], "visit.call_next": []}
        for code, more in ((PUBLISH, (site,)), (CALL, ())):
            said = await asyncio.to_thread(served.run, code, str(calls), *more)
            await asyncio.sleep(3)
            for kind, number, began in (line.split() for line in said.splitlines()):
                times = [screen.came[kind, int(number)] - float(began) for screen in screens]
                took[kind] += times
        await asyncio.gather(*(screen.asking for screen in screens if screen.asking))
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
    return took


def main() -> None:
    given = [int(word) for word in sys.argv[1:]]
    displays, calls = (*given, *(200, 20)[len(given) :])
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder), environment={"MADOGUCHI_RATE_LIMITS": "off"}) as served,
    ):
        site = served.run(PREPARE, str(calls))
        took = asyncio.run(watch(served, site, displays=displays, calls=calls))
    p95 = {kind: sorted(times)[len(times) * 95 // 100] for kind, times in took.items()}
    print(f"{displays} displays, {calls} calls; every event reached every display")
    print(f"call to announcement   {milliseconds(took['visit.call_next'])}")
    print(f"bare event (control)   {milliseconds(took['bare'])}")
    print(f"ratio of p95           {p95['visit.call_next'] / p95['bare']:.2f}")


if __name__ == "__main__":
    main()
