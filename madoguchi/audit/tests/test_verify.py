"""Each test breaks the trail as somebody with the database in his hands would."""

import json
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from madoguchi.audit import actions, queries
from madoguchi.audit.checks import the_trail_is_guarded
from madoguchi.audit.rules import Anchor, Break, Line, chain_hash, hashed_text
from tests import make

pytestmark = pytest.mark.django_db
GUARD = import_module("madoguchi.audit.migrations.0002_append_only")
COLUMNS = ("id", *Line._fields[1:])


@pytest.fixture(autouse=True)
def _a_trail_without_its_triggers() -> None:
    for index in range(1, 11):
        actions.record(
            verb="case.read",
            actor="hanako",
            at=make.NOW + timedelta(seconds=index, microseconds=index % 2),
            key=f"R8-{index:05}",
            reason="窓口で尋ねられた",
            detail={"n": index},
        )
    GUARD.take_down(None, connection.schema_editor())


@pytest.mark.parametrize("person", [None, 0, 12, "null", "12", 1.5])
@pytest.mark.parametrize("words", ["", "髙橋 𠮷\u2028", 'a"b\\c\n\x00\x7f', "\ud800"])
def test_the_text_that_is_hashed_is_json(person: object, words: str) -> None:
    row = (5, "2026-11-24 01:00:00.000000", words, "", words, words, person, words, "{}", "0" * 64)

    assert hashed_text((*row, "its own hash")) == json.dumps(row)


def sql(statement: str, *values: str | int | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def line(number: int) -> Line:
    rows = next(queries._batches())
    return Line(*next(row for row in rows if row[0] == number))


def put_in(new: Line) -> None:
    marks = ", ".join(["%s"] * len(COLUMNS))
    sql(f"INSERT INTO audit_auditevent ({', '.join(COLUMNS)}) VALUES ({marks})", *new)  # noqa: S608


def move(old: int, new: int) -> None:
    sql("UPDATE audit_auditevent SET id = %s WHERE id = %s", new, old)


def edit() -> None:
    sql("UPDATE audit_auditevent SET actor = 'taro' WHERE id = 4")


def edit_the_time() -> None:
    sql("UPDATE audit_auditevent SET at = '2020-01-01 00:00:00+00:00' WHERE id = 4")


def edit_and_rehash() -> None:
    changed = line(4)._replace(actor="taro")
    sql("UPDATE audit_auditevent SET actor = 'taro', hash = %s WHERE id = 4", chain_hash(changed))


def edit_the_hash() -> None:
    sql("UPDATE audit_auditevent SET hash = %s WHERE id = 4", "f" * 64)


def remove() -> None:
    sql("DELETE FROM audit_auditevent WHERE id = 4")


def remove_the_first() -> None:
    sql("DELETE FROM audit_auditevent WHERE id = 1")


def remove_and_close_the_gap() -> None:
    remove()
    for number in range(5, 11):
        move(number, number - 1)


def make_room() -> None:
    for number in range(10, 3, -1):
        move(number, number + 1)


def insert_badly() -> None:
    make_room()
    put_in(line(5)._replace(number=4, actor="taro", hash="e" * 64))


def insert_with_a_true_link() -> None:
    make_room()
    new = line(5)._replace(number=4, actor="taro", previous_hash=line(3).hash)
    put_in(new._replace(hash=chain_hash(new)))


def swap() -> None:
    move(4, 99)
    move(7, 4)
    move(99, 7)


def move_down() -> None:
    move(4, 99)
    for number in range(5, 8):
        move(number, number - 1)
    move(99, 7)


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (edit, Break(4, "edited")),
        (edit_the_time, Break(4, "edited")),
        (edit_and_rehash, Break(4, "edited")),
        (edit_the_hash, Break(4, "edited")),
        (remove, Break(4, "removed")),
        (remove_the_first, Break(1, "removed")),
        (remove_and_close_the_gap, Break(4, "removed")),
        (insert_badly, Break(4, "inserted")),
        (insert_with_a_true_link, Break(4, "inserted")),
        (swap, Break(4, "reordered")),
        (move_down, Break(4, "reordered")),
    ],
)
def test_the_first_bad_event_is_named(tamper: Callable[[], None], expected: Break) -> None:
    tamper()

    assert queries.first_break()[1] == expected


def test_an_untouched_trail_stands() -> None:
    assert queries.first_break() == (10, None)


def rehash_from(number: int) -> None:
    """What the chain alone cannot see: everything after the change is hashed anew."""
    previous = line(number - 1).hash
    for each in range(number, 11):
        new = line(each)._replace(previous_hash=previous, actor="taro")
        previous = chain_hash(new)
        sql(
            "UPDATE audit_auditevent SET actor = %s, previous_hash = %s, hash = %s WHERE id = %s",
            "taro",
            new.previous_hash,
            previous,
            each,
        )


class TestAgainstAnAnchor:
    def test_a_cut_tail_is_found_by_the_anchor_alone(self) -> None:
        anchor = queries.head()
        assert anchor
        sql("DELETE FROM audit_auditevent WHERE id > 7")

        assert queries.first_break() == (7, None)
        assert queries.first_break(anchors=[anchor])[1] == Break(8, "cut_off")

    def test_a_trail_hashed_anew_is_found_by_the_anchor_alone(self) -> None:
        anchor = queries.head()
        assert anchor
        rehash_from(4)

        assert queries.first_break() == (10, None)
        assert queries.first_break(anchors=[anchor])[1] == Break(10, "rewritten")

    def test_yesterdays_copy_that_went_on_is_found(self) -> None:
        anchor = queries.head()
        assert anchor
        sql("DELETE FROM audit_auditevent WHERE id > 7")
        for _ in range(5):
            actions.record(verb="case.read", actor="taro", at=make.NOW)

        assert queries.first_break() == (12, None)
        assert queries.first_break(anchors=[anchor])[1] == Break(10, "rewritten")

    def test_an_older_anchor_narrows_the_place(self) -> None:
        old = (6, line(6).hash)
        rehash_from(4)

        assert queries.first_break(anchors=[Anchor(*old)])[1] == Break(6, "rewritten")


def test_a_dropped_trigger_is_named() -> None:
    assert set(queries.missing_guards()) >= {"audit_no_update", "audit_no_delete"}


def test_the_driver_hands_out_plain_rows() -> None:
    """Speed hangs on it: no dates are parsed and no objects are made on the way."""
    row = next(queries._batches())[0]

    assert type(row) is tuple
    assert row[1] == "2026-11-24 01:00:01.000001"


class TestCommand:
    def test_it_names_the_first_bad_event(self, capsys: pytest.CaptureFixture[str]) -> None:
        GUARD.put_up(None, connection.schema_editor())
        call_command("audit_verify")
        assert "10件は、書かれたときのままです" in capsys.readouterr().out
        GUARD.take_down(None, connection.schema_editor())
        edit()
        GUARD.put_up(None, connection.schema_editor())

        with pytest.raises(SystemExit) as stop:
            call_command("audit_verify")

        assert stop.value.code == 1
        assert "4 番が書き換えられています" in capsys.readouterr().err

    def test_the_head_kept_outside_finds_a_cut_tail(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        kept = tmp_path / "anchors.txt"
        call_command("audit_head", to=str(kept))
        sql("DELETE FROM audit_auditevent WHERE id > 7")
        GUARD.put_up(None, connection.schema_editor())

        with pytest.raises(SystemExit):
            call_command("audit_verify", anchor=str(kept))

        assert "8 番以降が切り捨てられています" in capsys.readouterr().err

    def test_a_file_that_is_no_anchor_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "x.txt").write_text("tomorrow", encoding="utf-8")

        with pytest.raises(CommandError, match="控えのファイルを読めません"):
            call_command("audit_verify", anchor=str(tmp_path / "x.txt"))


def test_the_start_is_refused_without_triggers() -> None:
    assert {e.id for e in the_trail_is_guarded(databases=["default"])} == {"audit.E001"}
