import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.serve import ROOT

pytestmark = pytest.mark.server
UNSHARE = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]


def in_a_namespace(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*UNSHARE, *command],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != "MADOGUCHI_DATABASE_URL"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_the_demo_and_its_pages_need_nothing_from_outside(tmp_path: Path) -> None:
    """In a network namespace with nothing but loopback; nobody even tries to get out."""
    if "MADOGUCHI_DATABASE_URL" in os.environ:
        pytest.skip("PostgreSQL is outside the namespace; shown on SQLite")
    if shutil.which("unshare") is None or in_a_namespace("true").returncode != 0:
        pytest.skip("this machine lets nobody make a network namespace")

    done = in_a_namespace(sys.executable, "-m", "tests.server.offline", str(tmp_path))

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("s.connect_ex(('192.0.2.1', 9))", "socket.connect 192.0.2.1"),
        ("socket.getaddrinfo('madoguchi.invalid', 80)", "socket.getaddrinfo madoguchi.invalid"),
        ("s.connect_ex(('127.0.0.1', 9))", ""),
    ],
)
def test_the_witness_sees_who_tries_to_get_out(tmp_path: Path, call: str, told: str) -> None:
    seen = tmp_path / "seen"
    seen.touch()
    code = f"import socket\ns = socket.socket()\ns.settimeout(0.1)\n{call}"
    subprocess.run(
        [sys.executable, "-c", code],
        env={
            "OFFLINE_WITNESS": str(seen),
            "PYTHONPATH": str(ROOT / "tests" / "server" / "witness"),
        },
        capture_output=True,
        check=False,
    )

    assert seen.read_text().startswith(told)
    assert bool(seen.read_text()) == bool(told)
