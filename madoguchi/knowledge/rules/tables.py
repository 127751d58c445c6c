"""FAQs as a table: what a line must hold, and what to say about a line that does not."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

from madoguchi.knowledge.rules.publication import is_key

COLUMNS = ("id", "category", "question", "answer", "division")
LONGEST = {"category": 200, "question": 1_000, "answer": 100_000}
LONGEST_DIVISION = 60
_LABELS = {"category": "分野", "question": "質問", "answer": "回答"}


@dataclass(frozen=True)
class Row:
    """One FAQ of a table, and the line of the file on which it begins."""

    line: int
    key: str
    category: str
    question: str
    answer: str
    division: str


@dataclass(frozen=True)
class Remark:
    """What is to be said about a line; an error keeps the whole file from being read in."""

    line: int
    text: str
    is_error: bool = True

    def __str__(self) -> str:
        return f"{self.line}行目: {self.text}"


@dataclass(frozen=True)
class Table:
    rows: Sequence[Row]
    remarks: Sequence[Remark]

    @property
    def errors(self) -> list[Remark]:
        return [remark for remark in self.remarks if remark.is_error]


def decode(content: bytes) -> str:
    """
    Return the text of a file in UTF-8, with or without its mark, or in cp932 (Excel in Japan).

    :raises UnicodeDecodeError: it is neither.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp932")


def read_table(content: bytes, original: Callable[[str], str]) -> Table:
    """
    Return every good line of a CSV file and a remark for every bad one, in order.

    `original` takes back what the export did to cells that look like formulas.
    """
    try:
        text = decode(content)
    except UnicodeDecodeError:
        return Table((), (Remark(1, "文字コードがUTF-8でもShift_JISでもありません。"),))
    rows: list[Row] = []
    remarks: list[Remark] = []
    lines = _lines(text, remarks)
    _, titles = next(lines, (1, []))
    heading = [name.strip().lower() for name in titles]
    missing = [name for name in COLUMNS if name not in heading]
    if missing:
        told = "、".join(missing)
        return Table((), (Remark(1, f"見出しに{told}の列がありません。"),))
    places = [heading.index(name) for name in COLUMNS]
    seen: dict[str, int] = {}
    for line, cells in lines:
        if len(cells) < len(heading):
            remarks.append(Remark(line, f"列が足りません（{len(cells)}列）。"))
            continue
        cells = [original(cell).replace("\r\n", "\n") for cell in cells]
        row = Row(line, *(cells[place] for place in places))
        row, told_about = _checked(row)
        if row.key in seen:
            told_about.append(Remark(line, f"id「{row.key}」は{seen[row.key]}行目にもあります。"))
        seen.setdefault(row.key, line)
        remarks += told_about
        if not any(remark.is_error for remark in told_about):
            rows.append(row)
    return Table(tuple(rows), tuple(remarks))


def _lines(text: str, remarks: list[Remark]) -> Iterator[tuple[int, list[str]]]:
    """Yield each filled line with its number in the file; a broken quotation ends the file."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error:
            remarks.append(Remark(line, '引用符（"）の対応が正しくありません。'))
            return
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield line, cells


def _checked(row: Row) -> tuple[Row, list[Remark]]:
    told: list[Remark] = []
    if not row.key.strip():
        told.append(Remark(row.line, "idがありません。"))
    elif not is_key(row.key):
        told.append(
            Remark(row.line, f"id「{row.key[:60]}」は使えません。60文字まで、空白と記号なしです。")
        )
    for name, longest in LONGEST.items():
        value: str = getattr(row, name)
        if "\0" in value:
            told.append(Remark(row.line, f"{_LABELS[name]}に使えない文字（NUL）があります。"))
        if len(value) > longest:
            told.append(Remark(row.line, f"{_LABELS[name]}は{longest:,}文字までです。"))
        if not value.strip() and name != "category":
            told.append(Remark(row.line, f"{_LABELS[name]}がありません。"))
    if len(row.division) > LONGEST_DIVISION or "\0" in row.division:
        note = f"担当課は{LONGEST_DIVISION}文字までです。担当課なしで取り込みます。"
        told.append(Remark(row.line, note, is_error=False))
        row = Row(row.line, row.key, row.category, row.question, row.answer, "")
    return row, told
