"""The real product in processes of its own, on a folder and a database of its own."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

ROOT = Path(__file__).resolve().parents[2]
_number = count(1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Served:
    """``madoguchi start`` on a free port; `log` is what it says in the terminal."""

    folder: Path
    database_url: str = ""
    workers: int = 2
    command: tuple[str, ...] = ("start",)
    more: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("MADOGUCHI_")}
        own = {"MADOGUCHI_DATA": str(self.folder), "PYTHONUNBUFFERED": "1"}
        if self.database_url:
            own["MADOGUCHI_DATABASE_URL"] = self.database_url
        return kept | own | self.more

    @property
    def log(self) -> str:
        return (self.folder.parent / "log").read_text(encoding="utf-8")

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, wait: float = 300) -> "Served":
        match self.command:
            case ("start",):
                bind = ["--bind", f"127.0.0.1:{self.port}", "--workers", str(self.workers)]
            case _:
                bind = ["--port", str(self.port)]
        with (self.folder.parent / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "madoguchi", *self.command, *bind],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + wait
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended at once:\n{self.log}")
            with suppress(OSError, http.client.HTTPException):
                if self.get("/healthz")[0] == 200:
                    return self
            time.sleep(0.1)
        raise AssertionError(f"no answer within {wait} s:\n{self.log}")

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, *, timeout: float = 10
    ) -> tuple[int, bytes]:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            link.request("GET", path, headers=headers or {})
            answer = link.getresponse()
            endless = answer.headers.get_content_type() == "text/event-stream"
            return answer.status, b"" if endless else answer.read()
        finally:
            link.close()

    def run(self, code: str, *arguments: str) -> str:
        """Run Python in a further process of the product; return what it prints."""
        begin = "import django; django.setup()\n"
        done = subprocess.run(
            [sys.executable, "-c", begin + code, *arguments],
            cwd=ROOT,
            env=self.environment | {"DJANGO_SETTINGS_MODULE": "config.settings"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def stop(self, by: signal.Signals = signal.SIGTERM) -> float:
        """Ask the server to end, wait until it has, and return the seconds it took."""
        assert self.process is not None
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(by)
        self.process.wait(30)
        return time.monotonic() - began


class EventStream:
    """A reader of server-sent events, as a browser is one."""

    def __init__(self, served: Served, path: str, **headers: str) -> None:
        self.link = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
        self.link.request("GET", path, headers=headers or {})
        self.answer = self.link.getresponse()
        self.status = self.answer.status
        self.last_id = ""

    def lines(self) -> Iterator[str]:
        while line := self.answer.readline():
            yield line.decode().rstrip("\n")

    def until_open(self) -> "EventStream":
        """Read up to the first position: from here on nothing is missed."""
        for line in self.lines():
            if line.startswith("id: "):
                self.last_id = line[4:]
                break
        return self

    def changes(self, *, until: int, seconds: float = 20) -> list[dict[str, object]]:
        """Read until so many different events have come, or for a while; then return them."""
        found: dict[str, dict[str, object]] = {}
        deadline = time.monotonic() + seconds
        for line in self.lines():
            if time.monotonic() > deadline:
                break
            if line.startswith("data: "):
                found[line] = json.loads(line[6:])
            elif line.startswith("id: "):
                self.last_id = line[4:]
                if len(found) >= until:
                    break
        return list(found.values())

    def close(self) -> None:
        self.link.close()
        self.answer.close()


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """Make a PostgreSQL database beside the one of the URL; drop it at the end."""
    name = f"served_{os.getpid()}_{next(_number)}"
    parameters: dict[str, Any] = {k: v for k, v in conninfo_to_dict(url).items() if k != "dbname"}
    administration = make_conninfo(dbname="postgres", **parameters)
    with psycopg.connect(administration, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield url.rpartition("/")[0] + f"/{name}"
    finally:
        with psycopg.connect(administration, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def serve(
    folder: Path,
    *,
    workers: int = 2,
    command: tuple[str, ...] = ("start",),
    environment: Mapping[str, str] | None = None,
    before: Callable[[Served], None] = lambda served: None,
) -> Iterator[Served]:
    """
    Serve from an empty folder, on SQLite or on the PostgreSQL that the tests run on.

    `before` may fill the folder and the database.
    """
    url = os.environ.get("MADOGUCHI_DATABASE_URL", "")
    data = folder / "data"
    if not url:
        served = Served(data, workers=workers, command=command, more=dict(environment or {}))
        yield from _alive(served, before)
        return
    with own_database(url) as own:
        served = Served(data, own, workers=workers, command=command, more=dict(environment or {}))
        yield from _alive(served, before)


def _alive(served: Served, before: Callable[[Served], None]) -> Iterator[Served]:
    try:
        before(served)
        yield served.start()
    finally:
        if served.process is not None:
            served.stop()
        shutil.rmtree(served.folder, ignore_errors=True)
