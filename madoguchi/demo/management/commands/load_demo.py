from argparse import ArgumentParser
from datetime import date, datetime, time
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from madoguchi.demo import actions, queries
from madoguchi.foundation.errors import RuleBroken


class Command(BaseCommand):
    help = "見本市「汐見市」を空のデータベースに入れる。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="同じ値なら同じ市になる")
        parser.add_argument(
            "--today", type=date.fromisoformat, help="市の「今日」（例 2026-11-24。既定は今日）"
        )
        parser.add_argument("--cases", type=int, default=actions.CASES, help="案件の数")
        parser.add_argument("--reset", action="store_true", help="見本市を消して入れ直す")

    def handle(self, *args: Any, **options: Any) -> None:
        at = _moment(options["today"])
        try:
            if options["reset"]:
                actions.empty_database()
                call_command("migrate", verbosity=0)
            elif queries.is_demo():
                self.stdout.write("見本市はすでに入っています。入れ直すには --reset を付けます。")
                return
            actions.load(seed=options["seed"], at=at, cases=options["cases"])
        except RuleBroken as reason:
            raise CommandError(str(reason)) from reason
        self.stdout.write("見本市「汐見市」を入れました。")


def _moment(today: date | None) -> datetime:
    """Return now, to which today's scene belongs, or ten o'clock of the day named."""
    if today is not None:
        return timezone.make_aware(datetime.combine(today, time(10)))
    return timezone.localtime().replace(second=0, microsecond=0)
