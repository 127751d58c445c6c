"""What is done before the first page is served: checks, tables, and a word to the operator."""

import os
import sys

import django
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.conf import settings

    from madoguchi.staff.models import User

    try:
        BaseCommand().check()
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        if settings.DEMO:
            call_command("load_demo")
    except CommandError as reason:  # a failed check is one, too
        print(reason, file=sys.stderr)
        return 1
    except OperationalError as error:
        print(f"データベースに接続できません: {error}", file=sys.stderr)
        return 1
    if not settings.RATE_LIMITS:
        print(
            "********************************************************************\n"
            "  警告: 回数制限が切ってあります（MADOGUCHI_RATE_LIMITS=off）。\n"
            "  負荷試験のほかでは使わないでください。 / Rate limits are OFF.\n"
            "********************************************************************",
            flush=True,
        )
    if not settings.DEMO and not User.objects.exists():
        print(
            "管理者がまだいません。別の端末で登録してください: madoguchi createadmin", flush=True
        )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # nothing is half done: each step is a transaction
        sys.exit(130)
