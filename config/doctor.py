"""``madoguchi doctor``: is everything that the product stands on as it should be?"""

import os
import shutil
import stat
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import django
from django.core.management.base import BaseCommand, SystemCheckError
from django.db import DatabaseError, connection

MINUTES_WITHOUT_JOBS = 5
LEAST_FREE = 1_000_000_000  # bytes
LEAST_FREE_SHARE = 0.10

GOOD, NOTE, BAD = "○", "△", "×"


class Finding(NamedTuple):
    mark: str
    text: str


def python_version() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(GOOD if sys.version_info >= (3, 11) else BAD, f"Python {version}")


def database() -> Finding:
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        return Finding(GOOD, f"SQLite（WAL・IMMEDIATE・FULL） {connection.settings_dict['NAME']}")
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (version,) = cursor.fetchone()
        cursor.execute("SHOW synchronous_commit")
        (safe,) = cursor.fetchone()
    if safe == "off":
        return Finding(BAD, "PostgreSQLの synchronous_commit が off です。on にしてください。")
    return Finding(GOOD, f"PostgreSQL {version}")


def system_checks() -> Finding:
    try:
        BaseCommand().check()
    except SystemCheckError as found:
        return Finding(BAD, str(found))
    return Finding(GOOD, "設定の点検")


def pending_migrations() -> Finding:
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        return Finding(
            BAD,
            f"データベースの更新が{len(waiting)}件残っています。"
            "madoguchi start を実行すると更新されます。",
        )
    return Finding(GOOD, "データベースの更新は済んでいます")


def data_folder() -> Finding:
    from django.conf import settings

    probe = settings.DATA / f".doctor.{os.getpid()}"
    try:
        probe.write_text("○", encoding="utf-8")
        probe.unlink()
    except OSError as error:
        return Finding(BAD, f"データフォルダー {settings.DATA} に書けません（{error.strerror}）。")
    return Finding(GOOD, f"データフォルダー {settings.DATA}")


def disk_space() -> Finding:
    from django.conf import settings

    disk = shutil.disk_usage(settings.DATA)
    text = f"空き容量 {disk.free / 1e9:.1f} GB（{disk.free / disk.total:.0%}）"
    if disk.free < LEAST_FREE:
        return Finding(BAD, f"{text}。1 GB を切っています。すぐに空けてください。")
    if disk.free / disk.total < LEAST_FREE_SHARE:
        return Finding(NOTE, f"{text}。残りが1割を切っています。")
    return Finding(GOOD, text)


def secret_key() -> Finding:
    from django.conf import settings

    file = settings.DATA / "secret_key"
    if not file.exists():
        return Finding(GOOD, "秘密鍵は環境変数から読んでいます")
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077:
        return Finding(
            BAD,
            f"秘密鍵をほかの人が読めます（{mode:o}）。chmod 600 {file} を実行してください。",
        )
    return Finding(GOOD, "秘密鍵は本人だけが読めます")


def mail() -> Finding:
    from django.conf import settings

    if settings.DEMO:
        return Finding(GOOD, "メールは外に出ません（デモ）")
    if not settings.SMTP_HOST:
        return Finding(
            NOTE,
            "メールサーバーが未設定です（MADOGUCHI_SMTP_HOST）。予約の控えのメールは届きません。",
        )
    return Finding(GOOD, f"メールサーバー {settings.SMTP_HOST}:{settings.SMTP_PORT}")


def out_tray() -> Finding:
    from django.utils import timezone

    from madoguchi.messaging import queries

    tray = queries.out_tray(at=timezone.now())
    text = f"送信待ち{tray.waiting}件、送信できなかったもの{tray.given_up}件"
    if tray.is_stuck:
        return Finding(
            BAD,
            f"{text}。長く送れていません。メールの設定と「運用状況」の画面を確かめてください。",
        )
    if tray.given_up:
        return Finding(NOTE, f"{text}。「運用状況」の画面で確かめてください。")
    return Finding(GOOD, text)


def jobs() -> Finding:
    from django.conf import settings

    beat = settings.DATA / "jobs_alive"
    if not beat.exists():
        return Finding(
            NOTE,
            "定期処理がまだ一度も動いていません。madoguchi start が動いているか確かめてください。",
        )
    minutes = (time.time() - beat.stat().st_mtime) / 60
    if minutes > MINUTES_WITHOUT_JOBS:
        return Finding(
            BAD, f"定期処理が{minutes:.0f}分間止まっています。madoguchi start を確かめてください。"
        )
    return Finding(GOOD, "定期処理は動いています")


def audit_trail() -> Finding:
    from madoguchi.audit import queries
    from madoguchi.audit.rules import BREAK_LABELS

    missing = queries.missing_guards()
    if missing:
        return Finding(BAD, f"監査証跡を守るトリガーがありません: {', '.join(missing)}")
    number, found = queries.first_break()
    if found is not None:
        return Finding(BAD, f"監査証跡の {found.number} 番が{BREAK_LABELS[found.kind]}。")
    return Finding(GOOD, f"監査証跡 {number}件、つながっています")


def clock() -> Finding:
    from django.utils import timezone

    from madoguchi.audit.models import AuditEvent

    now = timezone.now()
    last = AuditEvent.objects.order_by("-pk").values_list("at", flat=True).first()
    text = f"{timezone.localtime(now):%Y-%m-%d %H:%M}（日本時間）"
    if last is not None and last > now:
        return Finding(
            BAD, f"時計が記録より遅れています: {text}。時刻合わせ（NTP）をしてください。"
        )
    return Finding(GOOD, f"時計 {text}")


CHECKS: tuple[Callable[[], Finding], ...] = (
    python_version,
    database,
    system_checks,
    pending_migrations,
    data_folder,
    disk_space,
    secret_key,
    mail,
    out_tray,
    jobs,
    audit_trail,
    clock,
)


def examine() -> list[Finding]:
    """Ask every check; one that cannot even be asked is a bad finding, not the end."""
    findings = []
    for check in CHECKS:
        try:
            findings.append(check())
        except DatabaseError as error:
            findings.append(
                Finding(
                    BAD, f"データベースに聞けません（{check.__name__}: {type(error).__name__}）"
                )
            )
    return findings


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    findings = examine()
    for finding in findings:
        print(f"{finding.mark} {finding.text}")
    bad = sum(finding.mark == BAD for finding in findings)
    print(f"\n{bad}件の異常があります。" if bad else "\n異常はありません。")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
