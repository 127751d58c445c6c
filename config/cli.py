"""The command ``madoguchi``: start, demo, doctor, createadmin, audit, faq, token."""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import madoguchi
from config import supervisor
from madoguchi.demo import city
from madoguchi.staff.rules import ROLE_LABELS

ROOT = supervisor.ROOT
DEMO_MARK = "demo"  # a file in the folder: only a folder with it is ever deleted


class Refused(Exception):
    """The command cannot go on; the text says why and what to do, in one sentence."""


def main(arguments: Sequence[str] | None = None) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    parser = _parser()
    chosen, rest = parser.parse_known_args(arguments)
    if rest and chosen.command not in ("createadmin", "audit", "faq", "token"):
        parser.error(f"知らない指定です: {' '.join(rest)}")
    if chosen.data is not None:
        from_where = os.environ.pop("MADOGUCHI_FROM", ".")
        os.environ["MADOGUCHI_DATA"] = str(Path(from_where, chosen.data).resolve())
    try:
        match chosen.command:
            case "start":
                _start(*_address(chosen.bind), workers=chosen.workers)
            case "demo":
                _demo(port=chosen.port, reset=chosen.reset)
            case "doctor":
                return _python("-m", "config.doctor")
            case "createadmin":
                return _manage("createadmin", *rest)
            case "audit" | "faq" | "token":
                return _manage(f"{chosen.command}_{chosen.step}", *rest)
    except Refused as reason:
        print(f"madoguchi: {reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # Ctrl-C before everything was running
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="madoguchi", description="窓口 — 市民の相談を受け付け、答えを残すシステム"
    )
    parser.add_argument("--version", action="version", version=madoguchi.__version__)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data", type=Path, help="データを置くフォルダー（MADOGUCHI_DATA）")
    commands = parser.add_subparsers(dest="command", required=True, metavar="コマンド")

    start = commands.add_parser("start", parents=[common], help="本番の運転を始めます")
    start.add_argument("--bind", default="127.0.0.1:8000", help="待ち受ける住所:ポート")
    start.add_argument("--workers", type=int, default=2, help="Webプロセスの数")

    demo = commands.add_parser("demo", parents=[common], help="架空の市で試します")
    demo.add_argument("--port", type=int, default=8000)
    demo.add_argument("--reset", action="store_true", help="デモのデータを作り直します")

    commands.add_parser("doctor", parents=[common], help="健康診断をします")
    commands.add_parser(
        "createadmin", parents=[common], add_help=False, help="システム管理者を登録します"
    )
    audit = commands.add_parser("audit", parents=[common], help="監査証跡を確かめ、控えます")
    audit.add_argument("step", choices=["verify", "head"])
    faq = commands.add_parser("faq", parents=[common], help="FAQをCSVで入出力します")
    faq.add_argument("step", choices=["import", "export"])
    token = commands.add_parser(
        "token", parents=[common], add_help=False, help="APIのトークンを発行し、失効させます"
    )
    token.add_argument("step", choices=["create", "revoke", "list"])
    return parser


def _address(bind: str) -> tuple[str, int]:
    """Read ``host:port``, ``[::1]:8000`` or ``:8000`` (every interface)."""
    host, _, port = bind.rpartition(":")
    if not port.isdigit() or not 0 <= int(port) < 65536:
        raise Refused(f"--bind {bind} は「住所:ポート」の形で書いてください。例: 127.0.0.1:8000")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 (asked for by ":8000")


def _python(*command: str) -> int:
    """
    Run one step as a process of its own (it frees its memory); return its exit code.

    It stays in the folder where the operator stands: files are named from there.
    """
    found_in = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.call(
        [sys.executable, *command],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(found_in)},
        preexec_fn=partial(supervisor.die_with, os.getpid()),
    )


def _manage(*command: str) -> int:
    return _python("-m", "django", *command)


def _prepare() -> None:
    if _python("-m", "config.prepare") != 0:
        raise Refused("準備ができなかったので、始めませんでした。上のメッセージを見てください。")


def _listen(host: str, port: int) -> socket.socket:
    try:
        return supervisor.listen(host, port)
    except OSError as error:
        raise Refused(
            f"{host}:{port} は使えません（{error.strerror}）。ほかのプログラムが使っていないか"
            "確かめるか、別のポートを指定してください。"
            f" / Cannot listen on {host}:{port}; choose another port."
        ) from error


def _start(host: str, port: int, *, workers: int) -> None:
    if workers < 1:
        raise Refused("--workers は1以上にしてください。")
    with _listen(host, port) as listener:
        _prepare()
        children = [supervisor.web(listener, n + 1) for n in range(workers)]

        def greet() -> None:
            _wait_until_healthy(listener)
            _say(f"始まりました: http://{host}:{port}/ （止めるには Ctrl-C）")

        supervisor.Supervisor([*children, supervisor.jobs()], _say).run(meanwhile=greet)


def _demo(*, port: int, reset: bool) -> None:
    data = Path(os.environ.setdefault("MADOGUCHI_DATA", str(ROOT / "var" / "demo")))
    os.environ["MADOGUCHI_DEMO"] = "1"
    os.environ.setdefault("MADOGUCHI_SITE_URL", f"http://localhost:{port}")
    with _listen("127.0.0.1", port) as listener:
        _demo_folder(data, reset=reset)
        if not any(data.glob("*.sqlite3")):
            _say("・架空の市を作っています（初回だけ、1分ほど）… building the demo city")
        _prepare()

        def greet() -> None:
            _wait_until_healthy(listener)
            _say(_invitation(port, data))

        supervisor.Supervisor([supervisor.web(listener, 1), supervisor.jobs()], _say).run(
            meanwhile=greet
        )


def _demo_folder(data: Path, *, reset: bool) -> None:
    """Make the folder, or empty it; never touch one that the demo did not make."""
    if data.exists() and any(data.iterdir()) and not (data / DEMO_MARK).exists():
        raise Refused(
            f"{data} はデモ用のフォルダーではないので、使いません。"
            "--data で別のフォルダーを指定してください。"
        )
    if reset and data.exists():
        if "MADOGUCHI_DATABASE_URL" in os.environ:
            raise Refused("--reset はSQLiteのデモだけで使えます。")
        shutil.rmtree(data)
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    (data / DEMO_MARK).touch()


def _wait_until_healthy(listener: socket.socket, *, seconds: float = 60.0) -> None:
    """Return when the pages answer, or after a while anyway: the log then says what is wrong."""
    host, port = listener.getsockname()[:2]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            server = HTTPConnection(reachable, port, timeout=5)
            server.request("GET", "/healthz", headers={"Host": "localhost"})
            if server.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            pass
        time.sleep(0.1)


def _invitation(port: int, data: Path) -> str:
    logins = "\n".join(
        f"    {person.username:<10}{ROLE_LABELS[person.role]}（{person.division}）"
        for person in city.LOGINS
    )
    return f"""
窓口のデモが始まりました（架空の市「{city.NAME}」）。

  住民の画面    http://localhost:{port}/
  職員の画面    http://localhost:{port}/staff/

  職員ID    （パスワードはすべて {city.PASSWORD} ）
{logins}

  まず試すこと
    1. 住民の画面で「保育所の入所相談」を予約する
    2. uketsuke で入り、来庁した人を受け付けて呼び出す
    3. soudan で入り、相談を記録し、担当課に出向を依頼する
    4. kakari で入り、依頼に応じて対応記録を返す

  データ {data}  ／ 作り直すには --reset ／ 止めるには Ctrl-C
"""


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
