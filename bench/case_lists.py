"""
Every list of cases as the server gives it, from 10,000 to 1,000,000 cases.

Usage: python -m bench.case_lists [ROWS ...] [--times N] [--svg FILE]
Pages are asked for through the whole application (session, permissions, template, audit trail),
without the network. The milliseconds are the server's work: on SQLite the processor time of the
whole request, the database in it; then by the clock, which other work on the machine lengthens.
Each page is asked N times (40 unless said); the control is a page without any case on it, asked
in the same run. `--svg` draws the growth over the sizes given.
"""

import argparse
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

LIST = "/staff/cases/"
ALL, CLOSED = f"{LIST}?status=", f"{LIST}?status=closed"
YEAR = "&since=2024-02-10&until=2025-02-09"
CONTROL = "control: a page without cases"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--json", action="store_true", help="one size, for the parent process")
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--figures", type=Path, help="keep the figures as JSON")
    chosen = parser.parse_args()
    if chosen.json:
        print(json.dumps(_measure(chosen.rows[0], chosen.times)))
        return 0
    figures: dict[int, dict[str, list[float]]] = {}
    for rows in chosen.rows:  # a process each: Django keeps to one database
        ran = subprocess.run(
            [
                *(sys.executable, "-m", "bench.case_lists", str(rows)),
                *("--times", str(chosen.times), "--json"),
            ],
            stdout=subprocess.PIPE,
            check=True,
        )
        figures[rows] = json.loads(ran.stdout.splitlines()[-1])
        _print(rows, figures[rows])
    if chosen.figures:
        chosen.figures.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    if chosen.svg:
        from bench.growth import draw

        chosen.svg.write_text(draw(figures, leave_out=CONTROL), encoding="utf-8")
    return 0


def _print(rows: int, figures: dict[str, list[float]]) -> None:
    control = figures[CONTROL][1]
    print(f"\n{rows:,} cases, load average {os.getloadavg()[0]:.1f}")
    print(f"{'':<46}{'p50':>8}{'p95':>8}{'SQL':>5}{'of control':>12}{'clock p50':>11}{'p95':>8}")
    for name, (p50, p95, asked, clock50, clock95) in figures.items():
        print(
            f"{name:<46}{p50:>6.1f}ms{p95:>6.1f}ms{asked:>5.0f}{p95 / control:>11.1f}x"
            f"{clock50:>9.1f}ms{clock95:>6.1f}ms"
        )


def _measure(rows: int, times: int) -> dict[str, list[float]]:
    from bench.cases_million import filled

    with filled(rows, say=lambda text: print(text, file=sys.stderr)):
        return _asked(rows, times)


def _asked(rows: int, times: int) -> dict[str, list[float]]:
    from django.conf import settings
    from django.db import connection
    from django.db.models import Count
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django_otp import DEVICE_ID_SESSION_KEY

    from madoguchi.casework.models import Case
    from madoguchi.casework.tasks import merge_index
    from madoguchi.offices.models import Division
    from madoguchi.staff.models import User

    logging.disable(logging.CRITICAL)
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.RATE_LIMITS = False
    merge_index()
    often = (
        Case.objects.exclude(resident=None)
        .values("resident")
        .annotate(n=Count("pk"))
        .order_by("-n", "resident")[:1]
        .get()["resident"]
    )

    def client(username: str) -> Client:
        user = User.objects.get(username=username)
        made = Client()
        made.force_login(user)
        session = made.session
        session[DEVICE_ID_SESSION_KEY] = "bench"
        session.save()
        return made

    counsellor, head = client("counsellor3"), client("counsellor0")
    officer = client("officerd5x2")
    division = Division.objects.get(code="d5").pk
    number = Case.objects.filter(is_sensitive=False)[rows // 2].number
    last = rows // 50
    pages: dict[str, tuple[Client, str]] = {
        CONTROL: (counsellor, f"{LIST}?status=answered&since=2001-01-01&until=2001-01-02"),
        "counsellor: open cases": (counsellor, LIST),
        "counsellor: all cases": (counsellor, f"{LIST}?status="),
        "counsellor: all, in the middle": (counsellor, f"{LIST}?status=&page={last // 2}"),
        "counsellor: all, the last page": (counsellor, f"{LIST}?status=&page={last + 1}"),
        "head: all, the last page": (head, f"{LIST}?status=&page={last + 1}"),
        "counsellor: closed": (counsellor, f"{LIST}?status=closed"),
        "counsellor: complaints by letter": (counsellor, f"{ALL}&kind=complaint&channel=letter"),
        "counsellor: one field, closed, page 40": (counsellor, f"{CLOSED}&category=3&page=40"),
        "counsellor: a result, one year": (counsellor, f"{LIST}?status=&result=referred{YEAR}"),
        "counsellor: own cases, all": (counsellor, f"{LIST}?status=&mine=on"),
        "counsellor: another division's": (counsellor, f"{LIST}?status=&owner={division}"),
        "officer: open cases": (officer, LIST),
        "officer: all": (officer, f"{LIST}?status="),
        "officer: all, page 9": (officer, f"{LIST}?status=&page=9"),
        "officer: requests by fax, closed": (officer, f"{CLOSED}&kind=request&channel=fax"),
        "counsellor: a number": (counsellor, f"{LIST}?q=R6-00100"),
        "counsellor: a name": (counsellor, f"{LIST}?q=髙橋 健一"),
        "counsellor: a reading": (counsellor, f"{LIST}?q=たかはし"),
        "counsellor: a word": (counsellor, f"{LIST}?q=保育所"),
        "counsellor: a sentence": (counsellor, f"{LIST}?q=就労証明書を勤め先が"),
        "officer: a word": (officer, f"{LIST}?q=保育所"),
        "officer: a telephone number": (officer, f"{LIST}?q=0898-00-0100"),
        "counsellor: today's desk": (counsellor, "/staff/"),
        "officer: today's desk": (officer, "/staff/"),
        "officer: requests of the division": (officer, "/staff/requests/"),
        "counsellor: overdue records": (counsellor, "/staff/requests/overdue/"),
        "officer: overdue records": (officer, "/staff/requests/overdue/"),
        "counsellor: a person's history": (counsellor, f"/staff/residents/{often}/"),
        "counsellor: a case": (counsellor, f"{LIST}{number}/"),
    }  # fmt: skip
    figures = {}
    for name, (reader, address) in pages.items():
        taken, work = [], []
        ask: Callable[[], Any] = lambda: reader.get(address)  # noqa: B023, E731 called at once
        answer = ask()
        assert answer.status_code == 200, (name, answer.status_code, answer.get("Location"))
        for _ in range(times):
            began, busy = time.perf_counter(), time.process_time()
            ask()
            work.append((time.process_time() - busy) * 1_000)
            taken.append((time.perf_counter() - began) * 1_000)
        with CaptureQueriesContext(connection) as captured:
            ask()
        if os.environ.get("BENCH_SQL") and os.environ["BENCH_SQL"] in name:
            for query in captured.captured_queries:
                print(query["time"], query["sql"][:1500], file=sys.stderr)
        if connection.vendor != "sqlite":
            work = taken  # the database works elsewhere: only the clock knows
        around = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
        asked = [q for q in captured.captured_queries if not q["sql"].startswith(around)]
        taken.sort()
        work.sort()
        p95 = -(-times * 95 // 100) - 1
        figures[name] = [median(work), work[p95], len(asked), median(taken), taken[p95]]
    return figures


if __name__ == "__main__":
    sys.exit(main())
