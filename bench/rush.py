"""
Nine o'clock: so many clients want the same start at the same moment; staff go on working.

Usage: python -m bench.rush [CLIENTS]      (2000 unless said)
On PostgreSQL when MADOGUCHI_DATABASE_URL names a server. Two web processes of the real product
and all clients share this machine. Once for one place and once for ten: how many are booked, what
everybody is answered, and how long reception's page takes meanwhile (beside an idle server).
"""

import http.client
import json
import os
import resource
import sys
import tempfile
import threading
import time
from collections import Counter as Tally
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.hall import milliseconds
from tests.server.serve import Served, serve

LAY_OUT = """
import sys
from datetime import timedelta
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY
from madoguchi.booking import rules
from madoguchi.booking.models import CounterDay
from madoguchi.staff.rules import Role
from tests import make
places = int(sys.argv[1])
counters = [make.counter(f"{places}の{n}番") for n in range(places)]
make.service(f"集中{places}", code=f"rush{places}", counters=counters)
day = timezone.localdate() + timedelta(days=2)
mask = rules.run_mask(32, 2)  # 15:00, one visit at each counter
CounterDay.objects.bulk_create(CounterDay(day=day, counter=c, open=mask) for c in counters)
user, session = make.staff(Role.RECEPTION), SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session[DEVICE_ID_SESSION_KEY] = "bench"
session.create()
print(make.site().code, rules.start_of(day, 32).isoformat(), session.session_key)
"""
LOOK = """
from madoguchi.booking import queries
from madoguchi.booking.models import Appointment
print(Appointment.objects.count(), queries.mask_differences(), queries.overlapping_appointments())
"""
PATIENCE = 120  # seconds


def main() -> None:
    clients = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 3 * clients + 1_000), hard))
    threading.stack_size(256 * 1024)
    booked = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder), environment={"MADOGUCHI_RATE_LIMITS": "off"}) as served,
    ):
        for places in (1, 10):
            site, start, session = served.run(LAY_OUT, str(places)).split()
            page, cookie = f"/staff/reception/{site}/", f"sessionid={session}"
            idle = [_page(served, page, cookie) for _ in range(20)]
            meanwhile: list[float] = []
            over = threading.Event()

            def staff(
                page: str = page,
                cookie: str = cookie,
                seen: list[float] = meanwhile,
                over: threading.Event = over,
            ) -> None:
                while not over.is_set():
                    seen.append(_page(served, page, cookie))
                    time.sleep(0.1)

            desk = threading.Thread(target=staff)
            desk.start()
            began = time.perf_counter()
            wish = {"service": f"rush{places}", "site": site, "start": start}
            answers = _rush(served, wish, clients)
            took = time.perf_counter() - began
            over.set()
            desk.join()
            booked += places
            print(
                f"{clients} clients, {places} places: {dict(sorted(answers.items()))} "
                f"in {took:.1f} s (load {os.getloadavg()[0]:.1f})\n"
                f"  staff page, idle      {milliseconds(idle)}\n"
                f"  staff page, meanwhile {milliseconds(meanwhile)}\n"
                f"  booked in all, mask differences, overlaps: {served.run(LOOK)} "
                f"(should be {booked} [] [])"
            )


def _page(served: Served, path: str, cookie: str) -> float:
    began = time.perf_counter()
    status, _ = served.get(path, {"Cookie": cookie}, timeout=PATIENCE)
    if status != 200:
        raise SystemExit(f"the staff page answered {status}")
    return time.perf_counter() - began


def _rush(served: Served, wish: dict[str, str], clients: int) -> Tally[int | str]:
    """Open every connection first, then send all at once; count the answers by status."""
    ready = threading.Barrier(clients)

    def attempt(number: int) -> int | str:
        link = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE)
        try:
            link.connect()
            ready.wait(timeout=PATIENCE)
            link.request(
                "POST",
                "/api/v1/bookings",
                body=json.dumps(wish | {"name": f"来庁者{number}"}),
                headers={
                    "Content-Type": "application/json",
                    "Idempotency-Key": f"{wish['service']}-{number}",
                },
            )
            return link.getresponse().status
        except OSError as error:
            return type(error).__name__
        finally:
            link.close()

    with ThreadPoolExecutor(clients) as pool:
        return Tally(pool.map(attempt, range(clients)))


if __name__ == "__main__":
    main()
