"""Compare every counter-day with its appointments."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from madoguchi.booking import actions, queries


class Command(BaseCommand):
    help = "窓口の一日（予約済みのます目）を予約から作り直して比べ、違いがあれば知らせます。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="違いを予約に合わせて直す")

    def handle(self, *args: Any, **options: Any) -> None:
        found = queries.mask_differences()
        for difference in found:
            self.stdout.write(str(difference))
        if pairs := queries.overlapping_appointments():
            raise CommandError(f"同じ時間に重なる予約があります（番号ではなく内部ID）: {pairs}")
        if found and options["repair"]:
            self.stdout.write(f"{actions.rebuild_busy()}件を直しました。")
        elif found:
            raise CommandError(f"{len(found)}件の違いがあります。--repair で直せます。")
        else:
            self.stdout.write("違いはありません。")
