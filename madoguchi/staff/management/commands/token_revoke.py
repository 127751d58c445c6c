from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from madoguchi.staff import actions
from madoguchi.staff.models import ApiToken


class Command(BaseCommand):
    help = "APIトークンを失効させます。番号は token list で分かります。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", type=int, help="トークンの番号")

    def handle(self, *args: Any, number: int, **options: Any) -> None:
        token = ApiToken.objects.filter(pk=number).first()
        if token is None:
            raise CommandError(f"トークン {number} はありません。")
        actions.revoke_token(token=token, by="system", at=timezone.now())
        self.stdout.write(f"トークン {number} を失効させました。")
