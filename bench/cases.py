"""
The case list with many rows: how much slower than with a thousand, and than without an index.

Usage: python -m bench.cases [ROWS]      (100000 unless said; 1000000 takes some minutes)
On PostgreSQL when MADOGUCHI_DATABASE_URL names a server: Django's test database is made there.
Each line is one question of the screen: the milliseconds of a page of fifty with its count, the
same over a thousand rows, and their ratio. The control sorts by a column without an index.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from random import Random
from statistics import median
from typing import Any

TIMES = 5
SMALL = 1_000


def main() -> int:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MADOGUCHI_DATA"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django

        django.setup()
        from django.db import connection

        connection.settings_dict["TEST"]["NAME"] = (
            f"{folder}/bench.sqlite3" if connection.vendor == "sqlite" else "madoguchi_bench"
        )
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            _measure(rows)
        finally:
            connection.creation.destroy_test_db("", verbosity=0)
    return 0


def _measure(rows: int) -> None:
    from django.db import connection

    from madoguchi.casework import access, queries
    from madoguchi.staff.rules import Role
    from tests import make

    counsellor = make.staff()
    officer = make.staff(Role.OFFICER, division=make.division("保育課"))

    def page(user: Any, **wanted: Any) -> Callable[[], Any]:
        def ask() -> Any:
            found = queries.cases_found(access.visible_cases(user), wanted)
            return found.count(), list(found.select_related("resident", "category", "owner")[:50])

        return ask

    def without_index() -> Any:
        found = access.visible_cases(counsellor).open().order_by("-changed_at", "-summary")
        return found.count(), list(found.select_related("resident", "category", "owner")[:50])

    questions = {
        "open, newest first": page(counsellor, status="open"),
        "everything": page(counsellor, status=""),
        "one division's": page(officer, status="open"),
        "one number": page(counsellor, q="R8-00500"),
        "one name": page(counsellor, q="高橋五百"),
        "one word": page(counsellor, q="五百番目"),
        "control: no index": without_index,
    }
    _fill(SMALL, counsellor, officer, first=1)
    small = {name: _milliseconds(ask) for name, ask in questions.items()}
    _fill(rows - SMALL, counsellor, officer, first=SMALL + 1)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(f"{connection.vendor}, {rows:,} cases, median of {TIMES}")
    print(f"{'':<22}{SMALL:>10,}{rows:>12,}{'ratio':>9}{'of control':>12}")
    large = {name: _milliseconds(ask) for name, ask in questions.items()}
    control = large["control: no index"]
    for name in questions:
        print(
            f"{name:<22}{small[name]:>7.1f} ms{large[name]:>9.1f} ms"
            f"{large[name] / small[name]:>8.1f}x{large[name] / control:>12.2f}"
        )


def _milliseconds(ask: Callable[[], Any]) -> float:
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - start) * 1_000)
    return median(taken)


def _fill(rows: int, counsellor: Any, officer: Any, *, first: int) -> None:
    """Write cases as the office leaves them: nine of ten closed, one of ten a division's."""
    from madoguchi.casework.models import Case
    from madoguchi.casework.rules import Channel, Kind, Status
    from madoguchi.residents.models import Resident
    from tests import make

    chance = Random(first)
    people = Resident.objects.bulk_create(
        Resident(
            name=f"高橋{'五百' if first == 1 and number == 500 else ''}太郎{number}",
            created_at=make.NOW,
        )
        for number in range(min(rows, 10_000))
    )
    category = make.category()

    def case(number: int) -> Case:
        is_closed = chance.random() < 0.9
        at = make.NOW - timedelta(minutes=number * 7)
        return Case(
            number=f"R8-{number:05d}",
            kind=Kind.CONSULTATION.value,
            channel=Channel.PHONE.value,
            category=category,
            title=f"手続きの相談{'（五百番目）' if number == 500 else ''}",
            summary="どの窓口で何をすればよいか分からない。" * 10,
            resident=chance.choice(people),
            owner=officer.division if chance.random() < 0.1 else counsellor.division,
            status=Status.CLOSED.value if is_closed else Status.IN_PROGRESS.value,
            is_sensitive=chance.random() < 0.02,
            received_at=at,
            received_by=counsellor,
            changed_at=at + timedelta(minutes=chance.randrange(100_000)),
            changed_by=counsellor,
            closed_at=at + timedelta(days=1) if is_closed else None,
            closed_by=counsellor if is_closed else None,
        )

    for start in range(first, first + rows, 5_000):
        end = min(start + 5_000, first + rows)
        Case.objects.bulk_create(case(number) for number in range(start, end))


if __name__ == "__main__":
    sys.exit(main())
