"""Lists for Excel: typed cells, and text that no spreadsheet program takes for a formula."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import xlsxwriter
from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header

from madoguchi.foundation.errors import RuleBroken

MAX_ROWS = 1_048_575  # an Excel sheet holds 1,048,576, the heading is one of them
MAX_CELL = 32_767
CUT = "…（以下は画面で確認してください）"
EXACT = 2**53  # Excel keeps numbers as doubles: beyond this a number is written as text

# OWASP, CSV injection: these begin a formula when a spreadsheet program opens the file. The
# apostrophe is ours: it marks neutralised text, so text that has one already gets another.
_DANGEROUS = tuple("=+-@\t\r\n＝＋－＠'")

_DATE = "yyyy/m/d"
_ERA_DATE = '[$-ja-JP-x-gannen]ggge"年"m"月"d"日"'
_MOMENT = "yyyy/m/d h:mm"
_CLOCK = "h:mm"

Cell = str | int | float | Decimal | date | datetime | time | bool | None
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Column:
    """One column: its heading, its width in half-width characters, dates in 和暦 or not."""

    title: str
    width: int = 14
    era: bool = False


def neutral_text(text: str) -> str:
    """Return the text as a CSV cell that is never a formula; `original_text` takes it back."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def original_text(cell: str) -> str:
    """Return what `neutral_text` was given."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_DANGEROUS) else cell


def xlsx_response(
    *, filename: str, columns: Sequence[str | Column], rows: Iterable[Sequence[Any]]
) -> HttpResponse:
    """
    Answer with an Excel file of one sheet, its heading row frozen and filterable.

    Rows are taken one by one and may be as many as a sheet holds. Cells are `Cell` values,
    anything else is written as its text; moments are shown in Japanese time.

    :raises RuleBroken: more rows than a sheet holds.
    """
    shown = [_column(column) for column in columns]
    output = BytesIO()
    with xlsxwriter.Workbook(output, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        looks = _looks(book)
        sheet.freeze_panes(1, 0)
        for index, column in enumerate(shown):
            sheet.set_column(index, index, column.width)
            sheet.write_string(0, index, column.title, looks["heading"])
        last = 0
        for last, row in enumerate(rows, start=1):
            if last > MAX_ROWS:
                raise RuleBroken("Excelに書き出せる行数を超えています。条件を絞ってください。")
            for index, value in enumerate(row):
                _write(sheet, last, index, _plain(value), looks, era=shown[index].era)
        sheet.autofilter(0, 0, last, len(shown) - 1)
    return _download(output.getvalue(), XLSX, filename)


def csv_response(
    *, filename: str, columns: Sequence[str | Column], rows: Iterable[Sequence[Any]]
) -> HttpResponse:
    """
    Answer with a CSV file: UTF-8 with the mark that lets Excel read it, CRLF, ISO 8601 dates.

    Text that could be taken for a formula carries an apostrophe in front (`original_text`).
    """
    output = StringIO(newline="")
    writer = csv.writer(output)
    writer.writerow([neutral_text(_column(column).title) for column in columns])
    for row in rows:
        writer.writerow([_csv_cell(_plain(value)) for value in row])
    return _download(output.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8", filename)


def _column(column: str | Column) -> Column:
    if isinstance(column, Column):
        return column
    return Column(column, width=max(10, 2 * len(column) + 4))


def _plain(value: Any) -> Cell:
    if isinstance(value, datetime):
        return timezone.make_naive(value) if timezone.is_aware(value) else value
    if value is None or isinstance(value, bool | int | float | Decimal | date | time):
        return value
    return str(value)


def _csv_cell(value: Cell) -> Cell:
    if isinstance(value, str):
        return neutral_text(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    return value


def _looks(book: Any) -> dict[str, Any]:
    return {
        "heading": book.add_format({"bold": True, "bottom": 1, "text_wrap": True}),
        "text": book.add_format({"text_wrap": True, "valign": "top"}),
        # The apostrophe of a cell kept as text: the text stays text when someone edits it.
        "quoted": book.add_format({"text_wrap": True, "valign": "top", "quote_prefix": True}),
        "plain": book.add_format({"valign": "top"}),
        "date": book.add_format({"valign": "top", "num_format": _DATE}),
        "era": book.add_format({"valign": "top", "num_format": _ERA_DATE}),
        "moment": book.add_format({"valign": "top", "num_format": _MOMENT}),
        "clock": book.add_format({"valign": "top", "num_format": _CLOCK}),
    }


def _write(
    sheet: Any, row: int, column: int, value: Cell, looks: dict[str, Any], *, era: bool
) -> None:
    match value:
        case None | "":
            sheet.write_blank(row, column, None, looks["plain"])
        case str():
            if len(value) > MAX_CELL:
                value = value[: MAX_CELL - len(CUT)] + CUT
            look = looks["quoted"] if value.startswith(_DANGEROUS) else looks["text"]
            sheet.write_string(row, column, value, look)
        case bool():
            sheet.write_boolean(row, column, value, looks["plain"])
        case int() if abs(value) > EXACT:
            sheet.write_string(row, column, str(value), looks["text"])
        case int() | float() | Decimal():
            sheet.write_number(row, column, value, looks["plain"])
        case datetime():
            sheet.write_datetime(row, column, value, looks["moment"])
        case date():
            sheet.write_datetime(row, column, value, looks["era" if era else "date"])
        case time():
            sheet.write_datetime(row, column, value, looks["clock"])


def _download(content: bytes, kind: str, filename: str) -> HttpResponse:
    header = content_disposition_header(True, filename)
    return HttpResponse(content, content_type=kind, headers={"Content-Disposition": str(header)})
