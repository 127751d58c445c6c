"""
How fast the audit trail is checked, beside the same walk without any checking.

Run: python bench/audit_verify.py [EVENTS]. Prints events per second by the wall clock and of
processor time, and the ratio to reading the rows alone, in the same process and on the same rows.
"""

import os
import sys
import tempfile
import time
from datetime import UTC, datetime


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MADOGUCHI_DATA"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django

        django.setup()
        from django.core.management import call_command

        from madoguchi.audit import actions, queries

        call_command("migrate", verbosity=0)
        entry = actions.Entry(
            verb="case.read",
            actor="hanako",
            at=datetime(2026, 11, 24, 1, 0, 0, 123456, UTC),
            target_label="casework.Case",
            key="R8-00012",
            person=12,
            detail={"handover": 5},
        )
        began = time.process_time()
        for _ in range(0, count, 10_000):
            actions.record_all(entries=[entry] * min(10_000, count))
        print(f"written   {count:>9,} events  {count / (time.process_time() - began):>10,.0f} /s")

        began = time.process_time()
        read = sum(len(rows) for rows in queries._batches())
        reading = time.process_time() - began
        print(f"read only {read:>9,} events  {read / reading:>10,.0f} /s")

        began, clock = time.process_time(), time.perf_counter()
        checked, found = queries.first_break()
        checking, waited = time.process_time() - began, time.perf_counter() - clock
        assert found is None, found
        print(
            f"verified  {checked:>9,} events  {checked / checking:>10,.0f} /s"
            f"  ({checking / reading:.1f} x reading),"
            f" by the clock {checked / waited:,.0f} /s"
        )


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    main()
