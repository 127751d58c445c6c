import os
import re
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from madoguchi.foundation.errors import RuleBroken
from madoguchi.staff import actions

QUESTIONS = {
    "username": ("職員ID（半角英数字）", "admin"),
    "name": ("氏名", "システム管理者"),
    "division": ("部署", "総務課"),
}
USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,59}")


class Command(BaseCommand):
    help = (
        "システム管理者を登録する。指定のないことは、端末なら尋ね、そうでなければ既定の値にする。"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name, (words, usual) in QUESTIONS.items():
            variable = f"MADOGUCHI_ADMIN_{name.upper()}"
            parser.add_argument(
                f"--{name}",
                default=os.environ.get(variable),
                help=f"{words}。環境変数 {variable} でもよい。既定は {usual}",
            )

    def handle(self, *args: Any, **options: Any) -> None:
        answers = {name: options[name] or self._ask(name) for name in QUESTIONS}
        if not USERNAME.fullmatch(answers["username"]):
            raise CommandError(
                "職員IDは、半角の英小文字・数字・「.」「_」「-」で、2文字以上にしてください。"
            )
        try:
            user, password = actions.add_admin(**answers, at=timezone.now())
        except RuleBroken as reason:
            raise CommandError(str(reason)) from reason
        self.stdout.write(
            f"システム管理者を登録しました。\n"
            f"  職員ID        {user.username}\n"
            f"  仮パスワード  {password}\n"
            "仮パスワードは二度と表示されません。はじめてのログインで、新しいパスワードと"
            "二要素認証（スマートフォンなどの認証アプリ）を設定します。"
        )

    def _ask(self, name: str) -> str:
        words, usual = QUESTIONS[name]
        if not os.isatty(0):
            return usual
        return input(f"{words} [{usual}]: ").strip() or usual
