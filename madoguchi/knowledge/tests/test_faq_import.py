import csv
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from madoguchi.foundation.spreadsheets import original_text
from madoguchi.knowledge import actions, queries
from madoguchi.knowledge.models import Faq, FaqVersion
from madoguchi.knowledge.rules import Status, tables
from madoguchi.offices.models import Division
from madoguchi.staff.rules import Role
from tests import make

HEAD = "id,category,question,answer,division\r\n"
LINE = 'K1,ごみ,ごみの袋は？,"店で\n買えます。",環境課\r\n'


def take_in(folder: Path, text: str, encoding: str = "utf-8") -> tuple[str, str]:
    file = folder / "faq.csv"
    file.write_bytes(text.encode(encoding))
    said, told = StringIO(), StringIO()
    call_command("faq_import", str(file), stdout=said, stderr=told)
    return said.getvalue(), told.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_a_table_in_any_usual_encoding_is_public_and_found_at_once(
    tmp_path: Path, encoding: str
) -> None:
    take_in(tmp_path, HEAD + LINE, encoding)

    [hit] = queries.search("ごみの袋")
    assert (hit.faq.key, hit.text.answer) == ("K1", "店で\n買えます。")
    assert hit.faq.division == Division.objects.get(name="環境課")


@pytest.mark.django_db
def test_the_same_table_again_changes_nothing(tmp_path: Path) -> None:
    take_in(tmp_path, HEAD + LINE)
    said, _ = take_in(tmp_path, HEAD + LINE)

    assert "追加 0件、変更 0件、変更なし 1件" in said
    assert FaqVersion.objects.count() == 1


@pytest.mark.django_db
def test_a_changed_line_becomes_a_new_version(tmp_path: Path) -> None:
    take_in(tmp_path, HEAD + LINE)
    take_in(tmp_path, HEAD + LINE.replace("買えます", "もらえます"))

    faq = Faq.objects.get(key="K1")
    assert faq.public_text.answer == "店で\nもらえます。"
    assert faq.public_text.number == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (",a,質問,回答,\r\n", "2行目: idがありません。"),
        ("K 1,a,質問,回答,\r\n", "2行目: id「K 1」は使えません。"),
        ("K1,a,,回答,\r\n", "2行目: 質問がありません。"),
        ("K1,a,質問, ,\r\n", "2行目: 回答がありません。"),
        ("K1,a,質問,回答,\r\nK1,a,質問,回答,\r\n", "3行目: id「K1」は2行目にもあります。"),
        ("K1,a\r\n", "2行目: 列が足りません（2列）。"),
        (f"K1,a,{'長' * 1001},回答,\r\n", "2行目: 質問は1,000文字までです。"),
        ('K1,a,質問,"回答,\r\n', '2行目: 引用符（"）の対応が正しくありません。'),
        ('K0,a,"二\n行",回答,\r\nK1,a,,回答,\r\n', "4行目: 質問がありません。"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_taken_in(
    tmp_path: Path, lines: str, told: str
) -> None:
    file = tmp_path / "faq.csv"
    file.write_text(HEAD + lines, encoding="utf-8", newline="")
    errors = StringIO()

    with pytest.raises(CommandError, match="何も取り込みませんでした"):
        call_command("faq_import", str(file), stderr=errors)

    assert told in errors.getvalue()
    assert not Faq.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("content", [b"", b"id,question\r\n1,2\r\n", b"\xff\xfe\x00\x81"])
def test_a_file_that_is_no_such_table_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "faq.csv"
    file.write_bytes(content)

    with pytest.raises(CommandError):
        call_command("faq_import", str(file), stderr=StringIO())


@pytest.mark.django_db
def test_check_only_reads(tmp_path: Path) -> None:
    file = tmp_path / "faq.csv"
    file.write_text(HEAD + LINE, encoding="utf-8", newline="")

    call_command("faq_import", str(file), "--check", stdout=StringIO())

    assert not Faq.objects.exists()


@pytest.mark.django_db
def test_what_somebody_is_writing_or_has_retired_is_left_alone(tmp_path: Path) -> None:
    take_in(tmp_path, HEAD + LINE)
    actions.retire(faq=Faq.objects.get(key="K1"), by=make.staff(Role.CENTRE_HEAD), at=make.NOW)

    said, told = take_in(tmp_path, HEAD + LINE)

    assert "見送り 1件" in said
    assert "id「K1」は取り下げのため、変更しません。" in told
    assert Faq.objects.get(key="K1").status == Status.RETIRED


@pytest.mark.django_db
def test_the_round_trip_loses_nothing_and_no_cell_is_a_formula(tmp_path: Path) -> None:
    wild = [
        ["K1", "=分野", '=HYPERLINK("x")', "+81\n-1\t@", "環境課"],
        ["K2", "", "'=引用", "  前後の空白  ", ""],
        ["K3", "絵文字🎉", "髙﨑𠮷葛󠄀", 'コンマ,と"引用"', ""],
    ]
    written = StringIO(newline="")
    csv.writer(written).writerows([tables.COLUMNS, *wild])
    rows = tables.read_table(written.getvalue().encode(), lambda cell: cell).rows
    actions.take_in(rows=rows, actor="command:faq_import", at=make.NOW)
    out = tmp_path / "out.csv"

    call_command("faq_export", str(out))

    with out.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in list(csv.reader(file))[1:] for cell in row]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    again = tables.read_table(out.read_bytes(), original_text).rows
    assert [[r.key, r.category, r.question, r.answer, r.division] for r in again] == wild
