import os
import shutil
import time
from collections import namedtuple
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from config import doctor
from madoguchi.audit import actions as audit

pytestmark = pytest.mark.django_db
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.DATA = tmp_path
    return tmp_path


def test_a_sound_product_has_no_bad_finding() -> None:
    findings = doctor.examine()

    assert len(findings) == len(doctor.CHECKS)
    assert [finding for finding in findings if finding.mark == doctor.BAD] == []


def test_a_secret_key_that_others_can_read_is_bad(folder: Path) -> None:
    key = folder / "secret_key"
    key.write_text("x")
    key.chmod(0o600)
    assert doctor.secret_key().mark == doctor.GOOD

    key.chmod(0o644)

    assert doctor.secret_key().mark == doctor.BAD


@pytest.mark.parametrize(
    ("minutes", "mark"), [(0, doctor.GOOD), (4, doctor.GOOD), (6, doctor.BAD)]
)
def test_jobs_that_give_no_sign_of_life_are_bad(folder: Path, minutes: int, mark: str) -> None:
    (folder / "jobs_alive").touch()
    then = time.time() - minutes * 60
    os.utime(folder / "jobs_alive", (then, then))

    assert doctor.jobs().mark == mark


@pytest.mark.parametrize(
    ("free", "mark"),
    [(500_000_000, doctor.BAD), (2_000_000_000, doctor.NOTE), (50_000_000_000, doctor.GOOD)],
)
def test_a_disk_that_fills_up_is_told(
    monkeypatch: pytest.MonkeyPatch, free: int, mark: str
) -> None:
    usage = Usage(100_000_000_000, 100_000_000_000 - free, free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    assert doctor.disk_space().mark == mark


def test_a_folder_that_is_gone_is_bad(folder: Path) -> None:
    folder.rmdir()

    assert doctor.data_folder().mark == doctor.BAD


def test_a_clock_behind_the_trail_is_bad() -> None:
    assert doctor.clock().mark == doctor.GOOD

    audit.record(verb="test.said", actor="test", at=timezone.now() + timedelta(hours=1))

    assert doctor.clock().mark == doctor.BAD


def test_production_without_mail_is_noted(settings: Any) -> None:
    settings.DEMO, settings.SMTP_HOST = False, ""
    assert doctor.mail().mark == doctor.NOTE

    settings.SMTP_HOST = "mail.example.jp"

    assert doctor.mail().mark == doctor.GOOD
