"""
Lists for Excel: typed cells, and text that no spreadsheet program takes for a formula.

Lists from Excel: bounded before they are opened, because 1.6 MB of a workbook can unpack to
hundreds (docs of the zip format; tried with 397 MB).
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any
from zipfile import BadZipFile, ZipFile

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

UNPACKED = 60_000_000  # bytes of a workbook that is read
MOST_READ = 20_000  # rows
MOST_COLUMNS = 100

Cell = str | int | float | Decimal | date | datetime | time | bool | None
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Unreadable(RuleBroken):
    """The file is no list of this kind; the text says what to do."""


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


def read_rows(
    content: bytes, *, columns: Sequence[str], most: int
) -> list[tuple[int, tuple[str, ...]]]:
    """
    Return the rows of a list somebody filled in, as (number of the row, texts by `columns`).

    `content` is an Excel workbook (its first sheet) or a CSV file, in UTF-8 or as Excel writes
    it in Japan (CP932). Columns are found by their heading, in any order; others are ignored,
    empty rows left out. Dates come as ISO 8601, whole numbers without a decimal point.

    :raises Unreadable: no such file, too large, without one of the columns, or too many rows.
    """
    table = _workbook(content) if content[:2] == b"PK" else _separated(content)
    heading: list[str] | None = None
    found: list[tuple[int, tuple[str, ...]]] = []
    for number, cells in table:
        if heading is None:
            heading = [cell.strip() for cell in cells]
            if missing := [title for title in columns if title not in heading]:
                raise Unreadable(
                    f"「{'」「'.join(missing)}」の列がありません。"
                    "ひな形のExcelを保存して、その見出しのまま使ってください。"
                )
            continue
        texts = dict(zip(heading, cells, strict=False))
        row = tuple(original_text(texts.get(title, "").strip()) for title in columns)
        if any(row):
            found.append((number, row))
        if len(found) > most:
            raise Unreadable(f"行が多すぎます。{most:,}行までに分けてください。")
    if heading is None:
        raise Unreadable("中身がありません。ひな形のExcelに入力したものを選んでください。")
    return found


def _workbook(content: bytes) -> Iterator[tuple[int, list[str]]]:
    import openpyxl  # with all of NumPy behind it: only where a list comes in
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with ZipFile(BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > UNPACKED:
                raise Unreadable("ファイルが大きすぎます。要らないシートや画像を消してください。")
        book = openpyxl.load_workbook(BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        # A file may declare a million empty rows; what is beyond the bound is nobody's list.
        rows = sheet.iter_rows(max_row=MOST_READ, max_col=MOST_COLUMNS, values_only=True)
        for number, cells in enumerate(rows, start=1):
            yield number, [_as_text(cell) for cell in cells]
    except (BadZipFile, InvalidFileException, KeyError, IndexError, ValueError, OSError) as error:
        raise Unreadable(
            "Excelファイルとして読めません。Excelで開いて保存し直すか、CSVで保存してください。"
        ) from error


def _separated(content: bytes) -> Iterator[tuple[int, list[str]]]:
    for encoding in ("utf-8-sig", "cp932"):
        with suppress(UnicodeDecodeError):
            text = content.decode(encoding)
            break
    else:
        raise Unreadable("文字が読めません。ExcelかCSV（UTF-8）で保存してください。")
    if "\0" in text:
        raise Unreadable("ExcelファイルかCSVファイルを選んでください。")
    try:
        yield from enumerate(csv.reader(StringIO(text, newline="")), start=1)
    except csv.Error as error:
        raise Unreadable("CSVファイルとして読めません。Excelで保存し直してください。") from error


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


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
