from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand
from django.utils import timezone

from madoguchi.audit import queries


class Command(BaseCommand):
    help = "監査証跡の末尾の番号と要約値を出します。別の機械か紙に控えておきます。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", metavar="FILE", help="このファイルの終わりに1行加えます。")

    def handle(self, *args: Any, **options: Any) -> None:
        head = queries.head()
        if head is None:
            self.stdout.write("監査証跡は、まだ空です。")
            return
        line = f"{head.number} {head.hash} {timezone.localtime():%Y-%m-%dT%H:%M:%S%z}"
        if options["to"]:
            with Path(options["to"]).open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        self.stdout.write(line)
