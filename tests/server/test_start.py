import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.server.serve import ROOT, EventStream, Served, free_port, serve

pytestmark = pytest.mark.server


def family(served: Served) -> list[psutil.Process]:
    assert served.process is not None
    parent = psutil.Process(served.process.pid)
    return [parent, *parent.children(recursive=True)]


def still_there(processes: list[psutil.Process]) -> list[psutil.Process]:
    _, alive = psutil.wait_procs(processes, timeout=5)
    return list(alive)


def test_ctrl_c_ends_every_process_within_five_seconds_though_a_page_is_open(
    tmp_path: Path,
) -> None:
    with serve(tmp_path) as served:
        stream = EventStream(served, "/live/?topic=public.display.1").until_open()
        processes = family(served)
        assert len(processes) == 4  # supervisor, two web processes, jobs

        seconds = served.stop(by=signal.SIGINT)

        assert seconds < 5
        assert still_there(processes) == []
        stream.close()


def test_no_process_is_left_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        processes = family(served)

        served.stop(by=signal.SIGKILL)

        assert still_there(processes) == []


def test_a_web_process_that_dies_comes_back(tmp_path: Path) -> None:
    with serve(tmp_path, workers=1) as served:
        web = next(p for p in family(served) if "config.web" in " ".join(p.cmdline()))

        web.kill()
        web.wait(5)

        assert served.get("/healthz", timeout=30)[0] == 200
        assert "web1 が終了しました（-9）" in served.log


def test_the_idle_product_needs_at_most_300_megabytes(served: Served) -> None:
    """Proportional set size: what several processes share is counted once."""
    served.get("/")

    used = sum(process.memory_full_info().pss for process in family(served))

    assert used / 1_000_000 < 300, f"{used / 1_000_000:.0f} MB"


def found_small_city(served: Served) -> None:
    served.folder.mkdir()
    (served.folder / "demo").touch()  # the mark by which the demo knows its own folder
    served.run(
        "from django.core.management import call_command\n"
        "call_command('migrate', verbosity=0)\n"
        "call_command('load_demo', cases=40, verbosity=0)"
    )


def test_the_demo_is_small_and_ends_within_five_seconds(tmp_path: Path) -> None:
    """Measured after a page and a search, which loads the dictionary of words."""
    demo = {"MADOGUCHI_DEMO": "1"}
    with serve(tmp_path, command=("demo",), before=found_small_city, environment=demo) as served:
        stream = EventStream(served, "/live/?topic=public.display.1").until_open()
        assert served.get("/", timeout=60)[0] == 200
        assert served.get("/api/v1/faq?q=%E8%BB%A2%E5%85%A5", timeout=60)[0] == 200
        processes = family(served)
        assert len(processes) == 3  # supervisor, web, jobs

        used = sum(process.memory_full_info().pss for process in processes)
        seconds = served.stop(by=signal.SIGINT)

        assert used / 1_000_000 < 300, f"{used / 1_000_000:.0f} MB"
        assert seconds < 5
        assert still_there(processes) == []
        stream.close()


def refused(*command: str, **environment: str) -> str:
    """Run a command that must refuse; return the one sentence it says."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = done.stderr.strip()
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    return said


def test_a_taken_port_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])

        said = refused(
            sys.executable,
            "-m",
            "madoguchi",
            "demo",
            "--port",
            port,
            "--data",
            str(tmp_path / "d"),
        )

    assert f"127.0.0.1:{port} は使えません" in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "d").exists()


def test_the_demo_leaves_a_folder_alone_that_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "madoguchi.sqlite3").write_text("真の記録")

    said = refused(
        *(sys.executable, "-m", "madoguchi", "demo", "--port", str(free_port())),
        *("--data", str(tmp_path), "--reset"),
    )

    assert "デモ用のフォルダーではない" in said
    assert (tmp_path / "madoguchi.sqlite3").read_text() == "真の記録"


@pytest.mark.parametrize("bind", ["nonsense", "127.0.0.1:http", "127.0.0.1:99999", ""])
def test_a_wrong_address_is_said_in_one_sentence(bind: str) -> None:
    said = refused(sys.executable, "-m", "madoguchi", "start", "--bind", bind)

    assert "住所:ポート" in said
    assert len(said.splitlines()) == 1


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A copy of what bin/demo needs, beside a PATH that one test fills."""
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "bin", copy / "bin")
    shutil.copytree(ROOT / "requirements", copy / "requirements")
    (tmp_path / "path").mkdir()
    for tool in ("sh", "dirname", "id", "cmp", "mkdir", "rm", "cp", "env"):
        found = shutil.which(tool)
        assert found is not None
        (tmp_path / "path" / tool).symlink_to(found)
    return copy


def demo_in(copy: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bin/demo"],
        cwd=copy,
        env={"PATH": str(copy.parent / "path"), "HOME": str(copy.parent)} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_machine_without_python_is_told_what_to_install(bare: Path) -> None:
    done = demo_in(bare)

    assert done.returncode == 1
    assert "Python 3.11 以上が必要です" in done.stderr
    assert "not found" not in done.stderr


def test_a_python_that_is_too_old_is_not_used(bare: Path) -> None:
    old = bare.parent / "path" / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")  # what 3.10 answers to "are you 3.11?"
    old.chmod(0o755)

    done = demo_in(bare)

    assert done.returncode == 1
    assert "Python 3.11 以上が必要です" in done.stderr


def test_a_machine_without_network_is_told_so(bare: Path) -> None:
    (bare.parent / "path" / "python3").symlink_to(sys.executable)
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}

    done = demo_in(bare, PIP_CONFIG_FILE=os.devnull, **nowhere)

    assert done.returncode == 1
    assert "ネットワークを確かめてください" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_crash_loop_is_slowed_down() -> None:
    from config.supervisor import LONGEST_PAUSE, Child

    child = Child("x", ["true"], signal.SIGTERM)
    pauses = []
    for _ in range(8):
        child.started = time.monotonic()
        child.plan_restart()
        pauses.append(child.pause)

    assert pauses == [1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
