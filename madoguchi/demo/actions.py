from datetime import datetime, timedelta
from random import Random

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction

from madoguchi.audit import actions as audit
from madoguchi.booking import actions as booking
from madoguchi.booking.rules import JST
from madoguchi.demo import (
    city,
    history,
    incidents,
    introduction,
    letters,
    moves,
    queries,
    rota,
    today,
    web,
)
from madoguchi.demo.chronicle import Chronicle
from madoguchi.foundation.errors import RuleBroken
from madoguchi.offices import actions as offices
from madoguchi.offices.models import Counter, Division, Room, Site
from madoguchi.staff.models import User

CASES = 5200


@transaction.atomic
def load(*, seed: int, at: datetime, cases: int = CASES) -> None:
    """
    Fill the empty database with 汐見市 as it stands at `at`: its people, offices and two years.

    The same seed and day give the same city, but for what happens around `at` today, and for
    what must never be guessed: the secrets of appointments made and surveys asked for today,
    and the passwords' salt.

    :raises RuleBroken: rows are there already.
    """
    if queries.has_rows():
        raise RuleBroken(
            "データがすでに入っています。見本市は空のデータベースにだけ入れられます。"
        )
    opened_at = at - timedelta(days=760)
    audit.record(verb=queries.MARK, actor="system", at=opened_at, detail={"seed": seed})
    _found_city(at=opened_at)
    today.open_services(by=User.objects.get(username="admin"), at=opened_at)
    today.publish_faq(at=opened_at)

    rng = Random(seed)  # noqa: S311  a made-up city, not a secret
    evening = at.astimezone(JST).replace(hour=0, minute=0) - timedelta(hours=3)
    chronicle, cast = Chronicle(rng=rng), history.gather()
    teller = history.Teller(office=chronicle, cast=cast, until=evening, rng=rng)
    teller.tell_all(history.plans(count=cases, until=evening - timedelta(hours=3), rng=rng))
    history.leave_open(office=chronicle, cast=cast, until=evening, rng=rng)
    chronicle.write()
    booking.rebuild_busy()

    today.fill_the_calendar(until=at, rng=rng)
    today.open_the_doors(until=at, rng=rng)
    today.draft_faq(at=at - timedelta(minutes=5))
    web.receive_on_the_web(seed=seed, at=at)
    introduction.plan_stages(at=at)
    moves.plan_april(at=at)
    letters.write_letters(at=at)
    incidents.keep_counters_safe(at=at)
    rota.plan_duties(seed=seed, at=at, on=at.astimezone(JST).date())


def _found_city(*, at: datetime) -> None:
    """Build the offices as an administrator does who has just signed in for the first time."""
    sketch = next(each for each in city.DIVISIONS if each.code == "soumu")
    own = Division.objects.create(code=sketch.code, name=sketch.name, kana=sketch.kana)
    password = make_password(city.PASSWORD)
    admin = _hire(next(each for each in city.LOGINS if each.username == "admin"), own, password)

    offices.name_city(
        name=city.NAME,
        kana=city.KANA,
        phone=city.PHONE,
        urgent_help=city.URGENT_HELP,
        by=admin,
        at=at,
    )
    sites = {each.name: _add_site(each, by=admin, at=at) for each in city.SITES}
    offices.change(row=own, fields={"duties": sketch.duties}, by=admin, at=at)
    divisions = {own.name: own}
    for each in city.DIVISIONS:
        if each.name not in divisions:
            divisions[each.name] = _add_division(each, by=admin, at=at)
    for site, division, name, kind in city.COUNTERS:
        counter = Counter(site=sites[site], division=divisions[division], name=name, kind=kind)
        offices.add(row=counter, by=admin, at=at)
    for site, name, seats in city.ROOMS:
        offices.add(row=Room(site=sites[site], name=name, seats=seats), by=admin, at=at)
    for person in (*city.LOGINS, *city.COLLEAGUES):
        if person.username != admin.username:
            _hire(person, divisions[person.division], password)


def _add_site(sketch: city.SiteSketch, *, by: User, at: datetime) -> Site:
    opens, closes = city.WEEKEND if sketch.is_always_open else (None, None)
    site = Site(
        code=sketch.code,
        name=sketch.name,
        kana=sketch.kana,
        address=sketch.address,
        phone=sketch.phone,
        closed_day_opens_at=opens,
        closed_day_closes_at=closes,
        is_open_at_year_end=sketch.is_always_open,
    )
    return offices.add(row=site, by=by, at=at)


def _add_division(sketch: city.DivisionSketch, *, by: User, at: datetime) -> Division:
    number = city.DIVISIONS.index(sketch) + 1
    division = Division(
        code=sketch.code,
        name=sketch.name,
        kana=sketch.kana,
        phone=f"000-0000-2{number:03}",
        email=f"{sketch.code}@city.shiomi.example.jp",
        duties=sketch.duties,
        is_centre=sketch.is_centre,
        is_outside=sketch.is_outside,
    )
    return offices.add(row=division, by=by, at=at)


def _hire(person: city.PersonSketch, division: Division, password: str) -> User:
    return User.objects.create(
        username=person.username,
        name=person.name,
        kana=person.kana,
        email=f"{person.username}@city.shiomi.example.jp",
        role=person.role,
        division=division,
        is_contractor=person.is_contractor,
        password=password,
    )


def empty_database() -> None:
    """
    Drop every table of a demo city, so that `migrate` begins anew.

    Tables are dropped, not emptied: the audit trail lets nobody delete its lines.

    :raises RuleBroken: this is not a demo city.
    """
    if queries.has_rows() and not queries.is_demo():
        raise RuleBroken("実際のデータが入っています。消しません。")
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DROP SCHEMA public CASCADE")
            cursor.execute("CREATE SCHEMA public")
            return
        cursor.execute("PRAGMA foreign_keys=OFF")
        # Virtual tables (full-text search) first: their shadow tables go with them.
        cursor.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            " ORDER BY sql LIKE 'CREATE VIRTUAL%' DESC"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(table)}")
        cursor.execute("PRAGMA foreign_keys=ON")
