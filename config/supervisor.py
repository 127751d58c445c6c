"""One command, several processes: started, started again, ended together. No Django here."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 4.0  # seconds a child may take to end before it is killed
HEALTHY = 30.0  # seconds a child must live for its next start to come at once
LONGEST_PAUSE = 30.0
_PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """A process of the product; `stop` is the signal that lets it finish what it is doing."""

    name: str
    command: Sequence[str]
    stop: signal.Signals
    keeps: tuple[int, ...] = ()  # file descriptors it inherits
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.0
    due: float = field(default=0.0)

    def start(self) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            pass_fds=self.keeps,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone
            preexec_fn=partial(die_with, os.getpid()),
        )

    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def plan_restart(self) -> None:
        """Wait a little longer after each quick end: 1, 2, 4 … LONGEST_PAUSE seconds."""
        lived = time.monotonic() - self.started
        self.pause = 1.0 if lived > HEALTHY else min(max(1.0, self.pause * 2), LONGEST_PAUSE)
        self.due = time.monotonic() + self.pause


_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with(parent: int) -> None:
    """In the child: let the kernel kill it when the supervisor is gone, however it went."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def listen(host: str, port: int) -> socket.socket:
    """
    Take the address before anything is started.

    :raises OSError: it is taken, or not an address of this machine.
    """
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def web(listener: socket.socket, number: int) -> Child:
    return Child(
        f"web{number}",
        [sys.executable, "-m", "config.web", str(listener.fileno())],
        signal.SIGTERM,
        keeps=(listener.fileno(),),
    )


def jobs() -> Child:
    """The consumer; it need not load every page to check what the web processes check."""
    command = [sys.executable, "-m", "django", "run_huey", "--quiet", "--skip-checks"]
    return Child("jobs", command, signal.SIGINT)


class Supervisor:
    def __init__(self, children: Sequence[Child], say: Callable[[str], None]) -> None:
        self.children = children
        self.say = say
        self.stopping = False
        for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(asked, self._stop_asked)

    def _stop_asked(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def run(self, *, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Keep every child alive until a signal asks to stop; then end all, within seconds."""
        try:
            for child in self.children:
                child.start()
            meanwhile()
            while not self.stopping:
                self._look_after()
                time.sleep(0.2)
        finally:
            self._end()

    def _look_after(self) -> None:
        for child in self.children:
            if child.ended():
                code = child.process.returncode if child.process else 0
                child.process = None
                child.plan_restart()
                self.say(
                    f"{child.name} が終了しました（{code}）。{child.pause:.0f}秒後に再開します。"
                )
            if child.process is None and time.monotonic() >= child.due:
                child.start()

    def _end(self) -> None:
        running = [child.process for child in self.children if child.process]
        for child in self.children:
            if child.process and not child.ended():
                child.process.send_signal(child.stop)
        deadline = time.monotonic() + PATIENCE
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
