from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from madoguchi.foundation.spreadsheets import original_text
from madoguchi.knowledge import actions
from madoguchi.knowledge.rules import tables

BATCH = 500
SHOWN = 50


class Command(BaseCommand):
    help = "FAQをCSVから取り込み、公開します（列: id, category, question, answer, division）。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSVファイル（UTF-8またはShift_JIS）")
        parser.add_argument("--check", action="store_true", help="確認だけして、取り込みません")

    def handle(self, *args: Any, file: Path, check: bool, **options: Any) -> None:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file} を読めません: {error.strerror}") from error
        table = tables.read_table(content, original_text)
        self._tell(table.remarks)
        if table.errors:
            raise CommandError(
                f"{len(table.errors)}か所に誤りがあるため、何も取り込みませんでした。"
                "直してからもう一度実行してください。"
            )
        if check:
            self.stdout.write(f"{len(table.rows)}件を取り込めます（確認のみ）。")
            return
        self._take_in(table.rows)

    def _take_in(self, rows: Sequence[tables.Row]) -> None:
        created = changed = unchanged = left = done = 0
        for batch in _batches(rows):
            taken = actions.take_in(rows=batch, actor="command:faq_import", at=timezone.now())
            created, changed = created + taken.created, changed + taken.changed
            unchanged, left = unchanged + taken.unchanged, left + len(taken.left)
            self._tell(taken.left)
            for name in taken.divisions:
                self.stdout.write(f"部署「{name}」を登録しました。")
            done += len(batch)
            if len(rows) > BATCH:
                self.stderr.write(f"{done:,} / {len(rows):,}件")
        self.stdout.write(
            f"追加 {created}件、変更 {changed}件、変更なし {unchanged}件、見送り {left}件"
        )

    def _tell(self, remarks: Sequence[tables.Remark]) -> None:
        for remark in remarks[:SHOWN]:
            self.stderr.write(str(remark))
        if len(remarks) > SHOWN:
            self.stderr.write(f"ほか{len(remarks) - SHOWN}か所")


def _batches(rows: Sequence[tables.Row]) -> Iterator[list[tables.Row]]:
    rest = iter(rows)
    while batch := list(islice(rest, BATCH)):
        yield batch
