"""
A database with ten years of a large city: 10,000, 100,000 or 1,000,000 cases, filled in minutes.

Usage: python -m bench.cases_million ROWS [--keep NAME]
The cases are told from the demo city's matters; nine of ten are older than a year and closed, a
tenth was shared with a division, one of fifty is restricted, one resident of 200 has a restricted
display. Filled by COPY on PostgreSQL and by executemany on SQLite, past the actions: the trail
holds one event for each case. `filled(rows)` is what the other benchmarks use; SQLite files are
kept under var/bench/, PostgreSQL databases as madoguchi_bench_ROWS, until `--drop`.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
YEARS = 10
END = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
DIVISIONS, OFFICERS, COUNSELLORS = 24, 8, 24
CHANNELS = ("counter",) * 46 + ("phone",) * 34 + ("mail",) * 6 + ("form",) * 5 + ("line",) * 4
KINDS = ("consultation",) * 60 + ("inquiry",) * 18 + ("request",) * 12 + ("complaint",) * 7
RARE_KINDS = ("proposal", "opinion", "petition", "thanks", "report")
RARE_CHANNELS = ("letter", "fax", "mayor_letter", "opinion_box", "online", "onsite", "internal")
RESULTS = ("advised",) * 60 + ("referred",) * 12 + ("record_returned",) * 20 + ("withdrawn",) * 5
NUMBER_WORDS = 40_000


def set_up(rows: int) -> None:
    """Point Django at the database of so many cases."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    folder = ROOT / "var" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["MADOGUCHI_DATA"] = str(folder)
    url = os.environ.get("MADOGUCHI_DATABASE_URL", "")
    if url.startswith("postgres"):
        os.environ["MADOGUCHI_DATABASE_URL"] = url.rpartition("/")[0] + f"/madoguchi_bench_{rows}"
    else:
        os.environ["MADOGUCHI_DATABASE_URL"] = f"sqlite:///{folder}/cases_{rows}.sqlite3"
    import django

    django.setup()


@contextmanager
def filled(rows: int, *, say: Callable[[str], None] = print) -> Iterator[None]:
    """Give the database of so many cases, made now unless it is there."""
    set_up(rows)
    _make_database()
    from django.db import connection

    from madoguchi.casework.models import Case

    if not Case.objects.exists():
        fill(rows, say=say)
    say(f"{connection.vendor}, {rows:,} cases, load average {os.getloadavg()[0]:.1f}")
    yield


def _make_database() -> None:
    from django.core.management import call_command
    from django.db import connection

    if connection.vendor == "postgresql":
        import psycopg

        name = connection.settings_dict["NAME"]
        parameters = connection.get_connection_params() | {"dbname": "postgres"}
        for mine in ("context", "cursor_factory"):
            parameters.pop(mine, None)
        with psycopg.connect(**parameters, autocommit=True) as server:
            there = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if not there.fetchone():
                server.execute(f'CREATE DATABASE "{name}"')
    call_command("migrate", interactive=False, verbosity=0)


def drop(rows: int) -> None:
    set_up(rows)
    from django.db import connection

    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        for end in ("", "-wal", "-shm"):
            Path(name + end).unlink(missing_ok=True)
        return
    import psycopg

    parameters = connection.get_connection_params() | {"dbname": "postgres"}
    for mine in ("context", "cursor_factory"):
        parameters.pop(mine, None)
    connection.close()
    with psycopg.connect(**parameters, autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def fill(rows: int, *, say: Callable[[str], None] = print) -> None:
    """Write everything; the same city whenever it is asked for."""
    from django.core.management.color import no_style
    from django.db import connection, transaction

    from madoguchi.casework import index
    from madoguchi.casework.models import (
        Case,
        Closure,
        Contact,
        Handover,
        Involvement,
    )
    from madoguchi.foundation.models import Sequence
    from madoguchi.residents.models import Resident

    began = time.perf_counter()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous = OFF")
            cursor.execute("PRAGMA cache_size = -400000")
    city = City(rows)
    with transaction.atomic():
        city.found()
        people = max(rows // 3, 1)
        _load(Resident, (city.resident(number) for number in range(1, people + 1)))
        say(f"  {time.perf_counter() - began:6.1f} s  {people:,} residents")
        written = {model: 0 for model in (Case, Contact, Involvement, Handover, Closure)}
        told = city.cases()
        while part := list(islice(told, 20_000)):
            for model in written:
                lines = [line for each in part for line in each.get(model, ())]
                written[model] += _load(model, lines)
            city.write_trail(each["entry"] for each in part)
        for year, last in city.numbers.items():
            Sequence.objects.update_or_create(series="case", year=year, defaults={"last": last})
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), list(written)):
                cursor.execute(statement)
    for model, count in written.items():
        say(f"  {time.perf_counter() - began:6.1f} s  {count:,} {model.__name__}")
    index.rebuild()
    say(f"  {time.perf_counter() - began:6.1f} s  with the index")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    connection.close()
    say(f"  {time.perf_counter() - began:6.1f} s  in all")


def _load(model: Any, rows: Iterable[dict[str, Any]]) -> int:
    """Write rows of attribute names and plain values; what is not named stays at its default."""
    from django.db import connection

    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return 0
    fields = {field.attname: field for field in model._meta.concrete_fields}
    names = list(first)
    columns = ", ".join(f'"{fields[name].column}"' for name in names)
    table = model._meta.db_table
    count = 1
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f'COPY "{table}" ({columns}) FROM STDIN') as copy:
                copy.write_row(list(first.values()))
                for row in rows:
                    copy.write_row(list(row.values()))
                    count += 1
            return count
        marks = ", ".join("?" for _ in names)
        lines = [tuple(map(_plain, first.values()))]
        lines += (tuple(map(_plain, row.values())) for row in rows)
        cursor.cursor.connection.executemany(
            f'INSERT INTO "{table}" ({columns}) VALUES ({marks})',  # noqa: S608 our own names
            lines,
        )
        return len(lines)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S.%f}"
    return value.isoformat() if isinstance(value, date) else value


class City:
    """Who works there and who comes; every row follows from the seed and its number."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.random = Random(rows)
        self.people = max(rows // 3, 1)
        self.numbers: dict[int, int] = {}
        self.keys = {"contact": 0, "involvement": 0, "handover": 0, "closure": 0}
        self.trail = (0, "")

    def found(self) -> None:
        """Make the divisions, the staff and the fields."""
        from madoguchi.audit import rules as audit
        from madoguchi.casework.models import Category
        from madoguchi.demo import texts
        from madoguchi.offices.models import Division
        from madoguchi.staff.models import User

        self.centre = Division.objects.create(code="centre", name="相談センター", is_centre=True)
        self.divisions = [
            Division.objects.create(code=f"d{number}", name=f"第{number}課")
            for number in range(1, DIVISIONS + 1)
        ]
        self.counsellors = [
            User.objects.create(
                username=f"counsellor{number}",
                name=f"相談 {number}",
                role="counsellor" if number else "centre_head",
                division=self.centre,
            ).pk
            for number in range(COUNSELLORS)
        ]
        self.officers = {
            division.pk: [
                User.objects.create(
                    username=f"officer{division.code}x{number}",
                    name=f"所管 {number}",
                    role="officer" if number else "supervisor",
                    division=division,
                ).pk
                for number in range(OFFICERS)
            ]
            for division in self.divisions
        }
        self.categories = list(Category.objects.exclude(code="DV").values_list("pk", flat=True))
        self.violence = Category.objects.get(code="DV").pk
        self.matters = texts.matters()
        kanji = sorted(
            {
                sign
                for matter in self.matters
                for lines in matter.lines.values()
                for line in lines
                for sign in line
                if "一" <= sign <= "鿿"
            }
        )
        chance = Random(7)
        self.words = ["".join(chance.sample(kanji, 2)) for _ in range(NUMBER_WORDS)]
        self.trail = (0, audit.GENESIS)

    def resident(self, number: int) -> dict[str, Any]:
        from madoguchi.demo import people
        from madoguchi.foundation.japanese import kana_key, name_key

        person = people.invent(self.random)
        return {
            "id": number,
            "name": person.name,
            "name_key": name_key(person.name),
            "kana": person.kana,
            "kana_key": kana_key(person.kana),
            "birth_on": date(person.birth_year, 1 + number % 12, 1 + number % 28),
            "phone": f"0898-{number // 10_000:02d}-{number % 10_000:04d}",
            "phone_key": f"0898{number // 10_000:02d}{number % 10_000:04d}",
            "email": "",
            "address": person.address,
            "language": "",
            "is_restricted": number % 200 == 0,
            "contact_note": "",
            "created_at": END - timedelta(days=365 * YEARS),
            "is_new_to_search": False,
        }

    def cases(self) -> Iterator[dict[Any, Any]]:
        """Yield each case with everything that belongs to it."""
        step = timedelta(days=365 * YEARS) / self.rows
        for number in range(1, self.rows + 1):
            yield self.case(number, END - step * (self.rows - number))

    def case(self, number: int, at: datetime) -> dict[Any, Any]:
        from madoguchi.casework import rules
        from madoguchi.casework.models import Case, Closure, Contact, Handover, Involvement
        from madoguchi.demo import texts
        from madoguchi.foundation.dates import fiscal_year

        chance = self.random
        told = texts.tell(chance.choice(self.matters), rng=chance, is_in_person=True)
        on = (at + timedelta(hours=9)).date()
        year = fiscal_year(on)
        self.numbers[year] = self.numbers.get(year, 0) + 1
        division = chance.choice(self.divisions).pk
        is_divisions = chance.random() < 0.35
        by = chance.choice(self.officers[division] if is_divisions else self.counsellors)
        is_violent = chance.random() < 0.01
        is_sensitive = is_violent or chance.random() < 0.01
        age = (END - at).days
        is_closed = chance.random() < (0.45 if age < 30 else 0.9 if age < 120 else 0.998)
        is_shared = not is_divisions and chance.random() < 0.25
        closed_at = min(at + timedelta(days=chance.randrange(1, 40)), END)
        status = "closed" if is_closed else "handed_over" if is_shared else "in_progress"
        resident = None
        if chance.random() < 0.85:  # a few come often, most come once or twice
            resident = 1 + int(self.people * chance.random() ** 2) % self.people
        rare = chance.random() < 0.02
        words = f"{chance.choice(self.words)}と{chance.choice(self.words)}"
        case = {
            "id": number,
            "number": rules.case_number(on=on, number=self.numbers[year]),
            "key": None,
            "kind": chance.choice(RARE_KINDS if rare else KINDS),
            "channel": chance.choice(RARE_CHANNELS if rare else CHANNELS),
            "category_id": self.violence if is_violent else chance.choice(self.categories),
            "title": told.title,
            "summary": f"{told.summary}{words}のことも心配している。",
            "resident_id": resident,
            "owner_id": division if is_divisions else self.centre.pk,
            "status": status,
            "is_sensitive": is_sensitive,
            "visit_id": None,
            "due_on": on + timedelta(days=14),
            "received_at": at,
            "received_by_id": by,
            "version": 1,
            "changed_at": at,
            "changed_by_id": by,
            "closed_at": closed_at if is_closed else None,
            "closed_by_id": by if is_closed else None,
        }
        involved = {by}
        found: dict[Any, Any] = {Case: [case]}
        found[Contact] = [
            {
                "id": self.next("contact"),
                "case_id": number,
                "channel": case["channel"],
                "text": text,
                "minutes": chance.randrange(5, 60),
                "at": at,
                "by_id": by,
                "correction_reason": "",
            }
            for text in (
                f"{told.first_contact}{told.advice}",
                *([f"電話で経過を確かめた。{told.advice}"] if chance.random() < 0.3 else []),
            )
        ]
        if is_shared:
            officer = chance.choice(self.officers[division])
            if is_sensitive or chance.random() < 0.6:
                involved.add(officer)
            found[Handover] = [self.handover(case, told, division, officer, is_closed)]
        if is_closed:
            key = self.next("closure")
            found[Closure] = [
                {
                    "id": key,
                    "case_id": number,
                    "conclusion": told.conclusion,
                    "result": chance.choice(RESULTS),
                    "reason": told.reason,
                    "understanding": "agreed",
                    "without_record_reason": "",
                    "closed_at": closed_at,
                    "closed_by_id": by,
                    "reopened_reason": "",
                    "survey_token": f"{key:043d}",
                    "survey_code": f"{key:012d}",
                }
            ]
        found[Involvement] = [
            {
                "id": self.next("involvement"),
                "case_id": number,
                "user_id": user,
                "since_at": at,
                "added_by_id": by,
            }
            for user in sorted(involved)
        ]
        found["entry"] = (at, f"u{by}", case["number"], resident)
        return found

    def handover(
        self, case: dict[str, Any], told: Any, to: int, officer: int, is_closed: bool
    ) -> dict[str, Any]:
        asked_at, by = case["received_at"], case["received_by_id"]
        is_accepted = is_closed or self.random.random() < 0.5
        return {
            "id": self.next("handover"),
            "case_id": case["id"],
            "key": None,
            "kind": "come" if self.random.random() < 0.7 else "take",
            "to_id": to,
            "officer_id": officer,
            "note": told.note,
            "due_on": max(case["due_on"], END.date() - timedelta(days=self.random.randrange(20)))
            if not is_closed
            else case["due_on"],
            "room_id": None,
            "state": "returned" if is_closed else "accepted" if is_accepted else "asked",
            "asked_at": asked_at,
            "asked_by_id": by,
            "accepted_at": asked_at if is_accepted else None,
            "accepted_by_id": officer if is_accepted else None,
            "declined_reason": "",
            "withdrawn_reason": "",
            "returned_at": case["closed_at"],
            "returned_by_id": officer if is_closed else None,
            "outcome": told.outcome if is_closed else "",
        }

    def next(self, what: str) -> int:
        self.keys[what] += 1
        return self.keys[what]

    def write_trail(self, entries: Iterable[tuple[datetime, str, str, int | None]]) -> None:
        """Write one event for each case, chained as the product chains them."""
        from madoguchi.audit import rules
        from madoguchi.audit.models import AuditEvent

        number, previous = self.trail
        lines = []
        for at, actor, key, person in entries:
            number += 1
            line = rules.Line(
                number=number,
                at=f"{at:%Y-%m-%d %H:%M:%S.%f}",
                verb="case.receive",
                actor=actor,
                target_label="casework.Case",
                target_key=key,
                person=person,
                reason="",
                detail="{}",
                previous_hash=previous,
                hash="",
            )
            previous = rules.chain_hash(line)
            lines.append(
                {
                    "id": number,
                    "at": at,
                    "verb": line.verb,
                    "actor": actor,
                    "target_label": line.target_label,
                    "target_key": key,
                    "person": person,
                    "reason": "",
                    "detail": "{}",
                    "previous_hash": line.previous_hash,
                    "hash": previous,
                }
            )
        _load(AuditEvent, lines)
        self.trail = (number, previous)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int)
    parser.add_argument("--drop", action="store_true", help="delete it, make nothing")
    chosen = parser.parse_args()
    if chosen.drop:
        drop(chosen.rows)
        return 0
    with filled(chosen.rows):
        return 0


if __name__ == "__main__":
    sys.exit(main())
