"""The commands of an operator, typed in a folder of his own beside the running product."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.serve import ROOT, Served

pytestmark = pytest.mark.server


def typed(served: Served, where: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "madoguchi", *words, "--data", str(served.folder)],
        cwd=where,
        env=served.environment | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_command_works_beside_the_running_product(served: Served, tmp_path: Path) -> None:
    admin = typed(served, tmp_path, "createadmin", "--username", "kanri")
    assert admin.returncode == 0, admin.stderr
    assert "仮パスワード" in admin.stdout

    table = tmp_path / "faq.csv"
    table.write_text(
        "id,category,question,answer,division\nF-1,行政手続・市政,どこに出しますか。,窓口です。,\n",
        encoding="utf-8",
    )
    assert "追加 1件" in typed(served, tmp_path, "faq", "import", "faq.csv").stdout
    assert typed(served, tmp_path, "faq", "export", "out.csv").returncode == 0
    assert "どこに出しますか。" in (tmp_path / "out.csv").read_text(encoding="utf-8-sig")

    assert typed(served, tmp_path, "audit", "head", "--to", "anchor.txt").returncode == 0
    verified = typed(served, tmp_path, "audit", "verify", "--anchor", "anchor.txt")
    assert verified.returncode == 0, verified.stderr
    assert "控え 1件と照合" in verified.stdout

    health = typed(served, tmp_path, "doctor")
    assert health.returncode == 0, health.stdout + health.stderr
    assert "異常はありません" in health.stdout


def test_a_wrong_file_is_said_without_a_traceback(served: Served, tmp_path: Path) -> None:
    for words in (("faq", "import", "none.csv"), ("audit", "verify", "--anchor", "none.txt")):
        done = typed(served, tmp_path, *words)
        assert done.returncode != 0
        assert "none." in done.stderr
        assert "Traceback" not in done.stderr


def test_the_command_is_found_from_any_folder(tmp_path: Path) -> None:
    for folder in ("top/bin", "top/.venv/bin", "path"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(ROOT / "bin" / "madoguchi", tmp_path / "top" / "bin")
    (tmp_path / "path" / "madoguchi").symlink_to(tmp_path / "top" / "bin" / "madoguchi")
    python = tmp_path / "top" / ".venv" / "bin" / "python"

    assert "bin/demo" in command_in(tmp_path).stderr

    python.write_text('#!/bin/sh\necho "$PYTHONPATH" "$@"\n')
    python.chmod(0o755)
    assert command_in(tmp_path).stdout == f"{tmp_path}/top -m madoguchi doctor\n"


def command_in(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["path/madoguchi", "doctor"],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
