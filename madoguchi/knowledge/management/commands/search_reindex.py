from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from madoguchi.knowledge import analyser, index, queries
from madoguchi.knowledge.models import Faq

BATCH = 200


class Command(BaseCommand):
    help = "検索の索引を作り直します。途中で止めても、--stale で続きから再開できます。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--stale", action="store_true", help="解析器が変わった文書だけを作り直します"
        )

    def handle(self, *args: Any, stale: bool, **options: Any) -> None:
        index.install()
        faqs = queries.unindexed() if stale else Faq.objects.public()
        waiting = list(faqs.order_by("pk").values_list("pk", flat=True))
        for start in range(0, len(waiting), BATCH):
            batch = Faq.objects.filter(pk__in=waiting[start : start + BATCH])
            index.write(batch.select_related("live"))
            self.stdout.write(f"{min(start + BATCH, len(waiting))} / {len(waiting)}件")
        index.forget_unused_terms()
        self.stdout.write(f"索引を作り直しました（解析器 {analyser.revision()}）。")
