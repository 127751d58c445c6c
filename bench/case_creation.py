"""
Cases received per second over HTTP, beside a bare Django that writes one row.

Usage: python -m bench.case_creation [CASES] [CLIENTS]      (3000 and 16 unless said)
The product runs as it does in an office: `madoguchi start` with two web processes and its jobs.
A case is the whole action: token, idempotency key, number without gaps, case, person, deadline,
index, live events, message to the division, audit trail, one commit to disk. The control is two
processes of uvicorn and one INSERT. On PostgreSQL when MADOGUCHI_DATABASE_URL names a server.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import repeat
from pathlib import Path
from random import Random
from statistics import median

from tests.server.serve import free_port, serve

SETUP = """
from django.utils import timezone
from madoguchi.offices.models import Division
from madoguchi.staff.actions import create_token
from madoguchi.staff.models import User
from madoguchi.staff.rules import Scope
centre = Division.objects.create(
    code="c", name="相談センター", is_centre=True, email="centre@example.jp")
user = User.objects.create(username="soudan", name="相談 花子", role="counsellor", division=centre)
print(create_token(user=user, scopes=list(Scope), by="system", at=timezone.now())[1])
"""
CHECK = """
from madoguchi.audit.models import AuditEvent
from madoguchi.casework.models import Case, SearchText
from madoguchi.messaging.models import OutboundMessage
print(Case.objects.count(), SearchText.objects.count(), OutboundMessage.objects.count(),
      AuditEvent.objects.filter(verb="case.receive").count())
"""


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3_000
    clients = int(sys.argv[2]) if len(sys.argv) > 2 else 16
    with tempfile.TemporaryDirectory() as folder:
        with serve(Path(folder), environment={"MADOGUCHI_RATE_LIMITS": "off"}) as served:
            kind = "PostgreSQL" if served.database_url else "SQLite"
            token = served.run(SETUP)
            rush(served.port, token, 200, clients)
            speed, taken = rush(served.port, token, count, clients)
            print(f"{kind}, {count} cases, {clients} clients, load {os.getloadavg()[0]:.1f}")
            print(f"  the product   {speed:7.0f}/s   {_spread(taken)}")
            print(f"  cases, texts in the index, messages, events: {served.run(CHECK)}")
            database = served.database_url or f"sqlite:///{folder}/bare.sqlite3"
        bare, taken = _bare(database, count, clients)
        print(f"  bare Django   {bare:7.0f}/s   {_spread(taken)}")
        print(f"  ratio         {bare / speed:7.1f}")
    return 0


def _bare(database: str, count: int, clients: int) -> tuple[float, list[float]]:
    environment = os.environ | {"BENCH_BARE_DATABASE": database}
    if database.startswith("postgres"):
        database = database.rpartition("/")[0] + "/postgres"
        environment["BENCH_BARE_DATABASE"] = database
    subprocess.run([sys.executable, "-m", "bench.bare"], env=environment, check=False)
    port = free_port()
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "uvicorn", "bench.bare:application", "--port", str(port)),
            *("--workers", "2", "--no-access-log", "--log-level", "warning", "--lifespan", "off"),
        ],
        env=environment,
    )
    try:
        time.sleep(5)
        rush(port, "", 200, clients)
        return rush(port, "", count, clients)
    finally:
        server.terminate()
        server.wait(10)


def rush(port: int, token: str, count: int, clients: int) -> tuple[float, list[float]]:
    """Send so many cases over as many open connections; return cases/s and the seconds of each."""
    began = time.perf_counter()
    share = -(-count // clients)
    with ThreadPoolExecutor(clients) as pool:
        parts = list(pool.map(_send, repeat(port), repeat(token), repeat(share), range(clients)))
    seconds = time.perf_counter() - began
    taken = sorted(each for part in parts for each in part)
    return len(taken) / seconds, taken


def _send(port: int, token: str, count: int, client: int) -> list[float]:
    chance = Random(time.time_ns() + client)
    link = HTTPConnection("127.0.0.1", port, timeout=30)
    taken = []
    for _ in range(count):
        number = chance.randrange(10**12)
        body = {
            "kind": "consultation",
            "channel": "form",
            "category": "ADMIN",
            "title": f"転入後の手続きについて {number % 1000}",
            "text": "県外から転入しました。保育所の申し込みと児童手当の届けが要ると聞きましたが、"
            f"何を持っていけばよいか分かりません。引っ越しは{1 + number % 12}月です。",
            "resident": {"name": f"山田 花子{number}", "kana": "ヤマダ ハナコ"},
        }
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(number)}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        began = time.perf_counter()
        link.request("POST", "/api/v1/cases", json.dumps(body), headers)
        answer = link.getresponse()
        said = answer.read()
        taken.append(time.perf_counter() - began)
        assert answer.status == 201, (answer.status, said[:300])
    link.close()
    return taken


def _spread(taken: list[float]) -> str:
    p95 = taken[int(len(taken) * 0.95)]
    return f"p50 {median(taken) * 1_000:.0f} ms, p95 {p95 * 1_000:.0f} ms"


if __name__ == "__main__":
    sys.exit(main())
