import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from madoguchi.audit import queries
from madoguchi.audit.rules import BREAK_LABELS, Anchor


class Command(BaseCommand):
    help = "監査証跡を最初から確かめ、書き換え・削除・挿入・入れ替えの最初の1件を示します。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--anchor",
            metavar="FILE",
            help="audit head で外に控えたファイル。切り捨てと、古い状態への巻き戻しも見つけます。",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        anchors = _anchors(options["anchor"]) if options["anchor"] else []
        missing = queries.missing_guards()
        checked, found = queries.first_break(anchors=anchors)
        if found is not None:
            label = BREAK_LABELS[found.kind]
            self.stderr.write(f"監査証跡の {found.number} 番{label}。")
        if missing:
            self.stderr.write(f"追記だけを許すトリガーがありません: {', '.join(missing)}")
        if found is not None or missing:
            sys.exit(1)
        against = f"（控え {len(anchors)}件と照合）" if anchors else "（控えなし）"
        self.stdout.write(f"監査証跡 {checked}件は、書かれたときのままです{against}。")


def _anchors(file: str) -> list[Anchor]:
    """Read the lines `number hash` that `audit head` wrote; one file may hold many days."""
    anchors = []
    try:
        for line in Path(file).read_text(encoding="utf-8").splitlines():
            if line.strip():
                number, digest, *_ = line.split()
                anchors.append(Anchor(int(number), digest))
    except (OSError, ValueError) as error:
        raise CommandError(f"控えのファイルを読めません: {file}（{error}）") from error
    if not anchors:
        raise CommandError(f"控えのファイルに行がありません: {file}")
    return anchors
