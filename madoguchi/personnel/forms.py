from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from madoguchi.foundation import spreadsheets
from madoguchi.foundation.spreadsheets import Unreadable
from madoguchi.personnel import queries, rules
from madoguchi.personnel.rules import Line, Wanted
from madoguchi.ui.fields import JapaneseDateField

LARGEST = 2_000_000  # bytes; five thousand lines take a tenth of it
SHOWN = 20  # problems at once: whoever has more corrects these first


class LinesForm(forms.Form):
    """The filled-in workbook; every line is understood, or the file is refused with its rows."""

    file = forms.FileField(
        label="記入した一覧（ExcelまたはCSV）",
        help_text="「ひな形を保存する」で出したExcelに、異動先・新しい役割・退職・後任を入れたもの。",
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"}),
        error_messages={"empty": "ファイルの中身が空です。保存し直して、選んでください。"},
    )

    def clean_file(self) -> list[Wanted]:
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST:
            raise forms.ValidationError("ファイルが大きすぎます（2MBまで）。")
        try:
            rows = spreadsheets.read_rows(file.read(), columns=rules.COLUMNS, most=rules.MOST)
        except Unreadable as reason:
            raise forms.ValidationError(str(reason)) from reason
        wanted, problems = queries.understood([_line(row, texts) for row, texts in rows])
        if problems:
            more = len(problems) - SHOWN
            texts = [f"{problem.row}行目: {problem.text}" for problem in problems[:SHOWN]]
            raise forms.ValidationError(texts + ([f"ほかに{more}行"] if more > 0 else []))
        return wanted


class ListForm(LinesForm):
    effective_on = JapaneseDateField(label="異動日")
    note = forms.CharField(label="備考", max_length=100, required=False)
    field_order = ["effective_on", "note", "file"]

    def planned(self) -> dict[str, Any]:
        """Return what `actions.plan` takes."""
        cleaned = dict(self.cleaned_data)
        return {"wanted": cleaned.pop("file"), **cleaned}


def _line(row: int, texts: tuple[str, ...]) -> Line:
    username, name, _, _, to, role, leaves, successor = texts
    return Line(row, username, name, to, role, leaves, successor)
