from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from madoguchi.foundation.errors import RuleBroken
from madoguchi.staff import actions, rules
from madoguchi.staff.models import User


class Command(BaseCommand):
    help = "プログラムが職員に代わってAPIを使うためのトークンを発行します。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, help="職員ID")
        parser.add_argument(
            "--scope", required=True, help="できること（例: cases:write,cases:read）"
        )

    def handle(self, *args: Any, user: str, scope: str, **options: Any) -> None:
        person = User.objects.filter(username=user, is_active=True).first()
        if person is None:
            raise CommandError(f"職員ID {user} の在職者がいません。")
        try:
            scopes = rules.read_scopes(scope)
        except RuleBroken as reason:
            raise CommandError(str(reason)) from reason
        token, secret = actions.create_token(
            user=person, scopes=scopes, by="system", at=timezone.now()
        )
        self.stdout.write(secret)
        self.stderr.write(
            f"トークン {token.pk}（{person.username}: {', '.join(scopes)}）を発行しました。"
            "このトークンは二度と表示されません。"
        )
