from typing import Any

from django.core.management.base import BaseCommand

from madoguchi.casework import index


class Command(BaseCommand):
    help = "案件の索引を作り直します。途中で止めても、もう一度実行すれば済みます。"

    def handle(self, *args: Any, **options: Any) -> None:
        def say(done: int, last: int) -> None:
            self.stdout.write(f"{done:,} / {last:,}")

        self.stdout.write(f"{index.rebuild(say=say):,}件の案件の索引を作り直しました。")
