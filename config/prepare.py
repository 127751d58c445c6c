"""
What is done before the first page is served: checks, tables, files, and a word to the operator.

What has not changed since the last start is not done again: the second start is a quick one.
"""

import hashlib
import os
import sys
from pathlib import Path

import django
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.conf import settings

    from madoguchi.casework import index
    from madoguchi.demo import queries as demo
    from madoguchi.foundation import checks
    from madoguchi.staff.models import User

    try:
        if _has_tables_to_change():
            BaseCommand().check()
            call_command("migrate", interactive=False, verbosity=0)
            index.fill()
        else:  # the web processes make the other checks again, each for itself
            BaseCommand().check(tags=[checks.SAFETY])
        _collect_files(settings.STATIC_ROOT)
        if settings.DEMO and not demo.is_demo():
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


def _has_tables_to_change() -> bool:
    """Ask the database itself: it may be a new one, or one brought back from a backup."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _collect_files(folder: Path) -> None:
    """Collect the static files, unless the folder was filled from these very files."""
    from django.contrib.staticfiles.finders import get_finders

    sources = hashlib.sha256(django.__version__.encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            found = Path(storage.path(name))
            sources.update(f"{found} {found.stat().st_size} {found.stat().st_mtime_ns}".encode())
    stamp = folder.with_name("static.collected")  # beside the folder: nobody serves it
    known = stamp.read_text(encoding="ascii") if stamp.exists() else ""
    if known == sources.hexdigest() and (folder / "staticfiles.json").exists():
        return
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(sources.hexdigest(), encoding="ascii")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # nothing is half done: each step is a transaction
        sys.exit(130)
