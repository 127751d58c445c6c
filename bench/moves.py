"""
1 April: a thousand people change place, with their open matters, against writing the rows alone.

Usage: python -m bench.moves [PEOPLE] [CASES]      (1000 and 10000 unless said)
On PostgreSQL when MADOGUCHI_DATABASE_URL names a server: Django's test database is made there.
The control changes division and role of the same people, one transaction each, and nothing else:
no successor, no trail, no session ended.
"""

import os
import sys
import tempfile
import time
from datetime import timedelta
from itertools import cycle


def main() -> int:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
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
            _measure(people, cases)
        finally:
            connection.creation.destroy_test_db("", verbosity=0)
    return 0


def _measure(people: int, cases: int) -> None:
    from django.db import connection, transaction
    from django.db.models import Exists, OuterRef

    from madoguchi.casework.models import Case, Involvement
    from madoguchi.personnel import actions, queries
    from madoguchi.personnel.rules import Wanted
    from madoguchi.staff.models import User
    from madoguchi.staff.rules import Role
    from tests import make

    divisions = [make.division(f"第{number}課") for number in range(1, 41)]
    for division in divisions:
        make.staff(Role.SUPERVISOR, division=division)
    admin, head = make.staff(Role.ADMIN), make.staff(Role.CENTRE_HEAD)
    places = cycle(divisions)
    movers = [make.staff(Role.OFFICER, division=next(places)) for _ in range(people)]
    category, hands = make.category(), cycle(movers)
    for number in range(cases):
        mover = next(hands)
        case = make.case(
            owner=mover.division, category=category, by=admin, is_sensitive=number % 10 == 0
        )
        case.involvements.create(user=mover, since_at=make.NOW, added_by=admin)
    wanted = [
        Wanted(mover.pk, divisions[(index + 7) % 40].pk, Role.OFFICER.value, None)
        for index, mover in enumerate(movers)
    ]
    april = make.NOW.date() + timedelta(days=120)

    began = time.perf_counter()
    each = actions.plan(effective_on=april, wanted=wanted, by=admin, at=make.NOW)
    assert not queries.weaknesses(each)
    previewed = time.perf_counter() - began
    actions.approve(each=each, by=head, at=make.NOW)
    began = time.perf_counter()
    moved = actions.carry_out(list_id=each.pk, at=make.NOW + timedelta(days=120))
    took = time.perf_counter() - began

    staying = Involvement.objects.filter(
        case=OuterRef("pk"), user__division=OuterRef("owner"), user__is_active=True
    )
    orphans = Case.objects.open().filter(~Exists(staying)).count()
    began = time.perf_counter()
    for mover in movers:
        with transaction.atomic():
            User.objects.filter(pk=mover.pk).update(role=Role.OFFICER, division=divisions[0])
    control = time.perf_counter() - began
    print(f"{connection.vendor}, load {os.getloadavg()[0]:.1f}: {moved:,} people, {cases:,} cases")
    print(f"plan and preview  {previewed:7.1f} s")
    print(f"carried out       {took:7.1f} s   {took / control:.1f} times the control")
    print(f"control           {control:7.1f} s")
    print(f"open cases whose division has nobody on them: {orphans}")


if __name__ == "__main__":
    sys.exit(main())
