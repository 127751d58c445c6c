from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from madoguchi.audit import actions, queries
from madoguchi.audit.models import AuditEvent
from tests import make

pytestmark = pytest.mark.django_db


def write(count: int = 5) -> None:
    for index in range(count):
        actions.record(
            verb="case.read",
            actor="hanako",
            at=make.NOW + timedelta(microseconds=index),
            key=f"R8-{index:05}",
            person=index,
            detail={"field": "要約", "ids": [index]},
        )


def test_events_are_numbered_without_gaps_and_each_holds_the_hash_before() -> None:
    write(3)

    first, second, third = AuditEvent.objects.order_by("pk")
    assert [first.pk, second.pk, third.pk] == [1, 2, 3]
    assert (second.previous_hash, third.previous_hash) == (first.hash, second.hash)


def test_the_detail_comes_back_as_it_was_given() -> None:
    write(1)

    assert AuditEvent.objects.get().detail == {"field": "要約", "ids": [0]}


def test_what_is_rolled_back_leaves_no_gap() -> None:
    write(1)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        write(1)
        raise ZeroDivisionError

    write(1)

    assert queries.first_break() == (2, None)


def test_many_events_at_once_are_the_same_chain() -> None:
    write(1)
    entry = actions.Entry(verb="case.list", actor="hanako", at=make.NOW)

    actions.record_all(entries=[entry] * 700)

    write(1)
    assert queries.first_break() == (702, None)


class TestTheTableOnlyGrows:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_auditevent SET actor = 'someone'",
            "DELETE FROM audit_auditevent",
        ],
    )
    def test_the_database_refuses(self, statement: str) -> None:
        write(2)

        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            connection.cursor().execute(statement)

    def test_postgresql_refuses_to_truncate(self) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("SQLite has no TRUNCATE")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            connection.cursor().execute("TRUNCATE audit_auditevent")

    def test_all_triggers_stand_after_every_migration(self) -> None:
        assert queries.missing_guards() == []


@pytest.mark.django_db(transaction=True)
def test_tests_may_clear_the_table_and_the_triggers_stand_again() -> None:
    write(1)

    call_command("flush", interactive=False, verbosity=0)

    assert not AuditEvent.objects.exists()
    assert queries.missing_guards() == []
