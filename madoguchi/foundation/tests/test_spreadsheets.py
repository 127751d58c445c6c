import csv
from datetime import UTC, date, datetime, time
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.escape import unescape

from madoguchi.foundation import spreadsheets
from madoguchi.foundation.errors import RuleBroken
from madoguchi.foundation.spreadsheets import Column, csv_response, neutral_text, original_text
from madoguchi.foundation.spreadsheets import xlsx_response as xlsx

FORMULAS = [
    "=1+1",
    "+81-000",
    "-1 を引く",
    "@SUM(A1)",
    "\tタブ",
    "\r復帰",
    "\n改行",
    "＝全角",
    "'すでに印がある",
    '=cmd|"/c calc"!A1',
]
TEXTS = [*FORMULAS, "髙﨑 𠮷 葛\U000e0100城", "一行目\n二行目", 'カンマ,と"引用"', "_x000D_", ""]


def sheet(rows: list[list[Any]], *columns: str | Column) -> Any:
    response = xlsx(filename="一覧.xlsx", columns=columns or ["列"], rows=rows)
    return openpyxl.load_workbook(BytesIO(response.content)).active


def lines(rows: list[list[Any]]) -> list[list[str]]:
    response = csv_response(filename="一覧.csv", columns=["列"], rows=rows)
    return list(csv.reader(StringIO(response.content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", FORMULAS)
def test_text_never_becomes_a_formula_in_excel(text: str) -> None:
    cell = sheet([[text]])["A2"]

    assert cell.data_type in ("s", "inlineStr")
    assert cell.quotePrefix


@pytest.mark.parametrize("text", FORMULAS)
def test_text_never_becomes_a_formula_in_csv(text: str) -> None:
    [cell] = lines([[text]])[1]

    assert cell == f"'{text}"


@pytest.mark.parametrize("text", TEXTS)
def test_text_comes_back_from_excel_as_it_was(text: str) -> None:
    assert unescape(sheet([[text]])["A2"].value or "") == text


@pytest.mark.parametrize("text", TEXTS)
def test_text_comes_back_from_csv_as_it_was(text: str) -> None:
    assert original_text(lines([[text, "終"]])[1][0]) == text


def test_an_apostrophe_inside_plain_text_is_left_alone() -> None:
    assert neutral_text("it's") == original_text("it's") == "it's"


def test_a_negative_number_stays_a_number() -> None:
    assert sheet([[-5]])["A2"].value == -5
    assert lines([[-5]])[1] == ["-5"]


def test_cells_keep_their_types() -> None:
    noon = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)

    row = sheet(
        [[3, 1.5, Decimal("0.25"), date(2026, 11, 24), noon, time(8, 30), True, None]],
        *"一二三四五六七八",
    )[2]

    assert [cell.value for cell in row] == [
        3,
        1.5,
        0.25,
        datetime(2026, 11, 24),  # noqa: DTZ001  Excel dates have no zone
        datetime(2026, 11, 24, 12, 0),  # noqa: DTZ001
        time(8, 30),
        True,
        None,
    ]


def test_a_date_shown_in_the_japanese_calendar_is_still_a_date() -> None:
    cell = sheet([[date(2026, 11, 24)]], Column("受付日", era=True))["A2"]

    assert cell.is_date
    assert "ggge" in cell.number_format


def test_a_number_that_excel_cannot_hold_exactly_is_text() -> None:
    assert sheet([[2**60]])["A2"].value == str(2**60)


def test_the_heading_stays_in_sight_and_filters() -> None:
    made = sheet([["あ"], ["い"]], Column("題名", width=30))

    assert made.freeze_panes == "A2"
    assert made.auto_filter.ref == "A1:A3"
    assert made.column_dimensions["A"].width == pytest.approx(30, abs=1)


def test_text_longer_than_a_cell_says_that_it_was_cut() -> None:
    text = sheet([["長" * 40_000]])["A2"].value

    assert len(text) == spreadsheets.MAX_CELL
    assert text.endswith(spreadsheets.CUT)


def test_more_rows_than_a_sheet_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "MAX_ROWS", 2)

    with pytest.raises(RuleBroken, match="行数"):
        sheet([["あ"], ["い"], ["う"]])


def test_csv_opens_in_excel_as_utf8_and_dates_are_iso() -> None:
    response = csv_response(
        filename="件数.csv", columns=["日"], rows=[[date(2026, 4, 1)], [time(9, 5)]]
    )

    assert response.content.startswith(b"\xef\xbb\xbf")
    assert response.content.decode("utf-8-sig") == "日\r\n2026-04-01\r\n09:05\r\n"


def test_the_file_has_its_japanese_name() -> None:
    response = xlsx(filename="相談件数 令和8年11月.xlsx", columns=["列"], rows=[])

    assert "filename*=utf-8''%E7%9B%B8" in response["Content-Disposition"]
