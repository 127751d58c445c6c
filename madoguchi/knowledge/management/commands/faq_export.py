import csv
import sys
from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from madoguchi.foundation.spreadsheets import neutral_text
from madoguchi.knowledge import queries
from madoguchi.knowledge.rules import tables


class Command(BaseCommand):
    help = "公開中のFAQをCSVに書き出します（UTF-8、Excelで開けます）。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="書き出し先。省くと標準出力")

    def handle(self, *args: Any, file: Path | None, **options: Any) -> None:
        rows = [[neutral_text(cell) for cell in row] for row in queries.table()]
        target = file.open("w", encoding="utf-8-sig", newline="") if file else self.stdout
        with target if file else nullcontext(target) as output:
            writer = csv.writer(output)
            writer.writerow(tables.COLUMNS)
            writer.writerows(rows)
        sys.stderr.write(f"{len(rows)}件を書き出しました。\n")
