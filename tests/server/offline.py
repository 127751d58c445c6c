"""
Start the demo where there is no network, and look at its pages as several people do.

Run inside a network namespace of its own: ``unshare --net python -m tests.server.offline FOLDER``.
"""

import fcntl
import re
import socket
import struct
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections import deque
from http.cookiejar import CookieJar
from pathlib import Path

from madoguchi.demo import city
from tests.server.serve import ROOT, Served, serve

SIOCSIFFLAGS = 0x8914
IFF_UP_RUNNING = 0x41
LINK = re.compile(r'(?:href|src|hx-get)="([^"#]+)')
FIELD = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
MOST = 60  # pages for each reader


def bring_loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP_RUNNING))


def has_network() -> bool:
    """Say whether a packet could leave: TEST-NET-1 needs no answer, only a route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return False
    return True


class Reader:
    def __init__(self, served: Served) -> None:
        self.root = served.root
        self.browser = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(CookieJar()),
        )

    def open(self, address: str, **form: str) -> tuple[int, str, str]:
        body = urllib.parse.urlencode(form).encode() if form else None
        try:
            with self.browser.open(self.root + address, body, timeout=60) as answer:
                kind = answer.headers.get_content_type()
                page = answer.read().decode() if kind == "text/html" else ""
                return answer.status, answer.url, page
        except urllib.error.HTTPError as error:
            return error.code, address, ""

    def log_in(self, username: str) -> None:
        _, _, page = self.open("/staff/login/")
        found = FIELD.search(page)
        assert found is not None
        form = {"csrfmiddlewaretoken": found[1], "username": username, "password": city.PASSWORD}
        status, url, _ = self.open("/staff/login/", **form)
        assert status == 200, (username, status)
        assert "/login/" not in url, (username, url)

    def walk(self, first: str) -> dict[str, int]:
        """Open what the pages link to, breadth first; return the status of each address."""
        answers: dict[str, int] = {}
        waiting = deque([first])
        while waiting and len(answers) < MOST:
            address = waiting.popleft()
            if address in answers:
                continue
            answers[address], _, page = self.open(address)
            for link in LINK.findall(page):
                target = urllib.parse.urljoin(address, link.replace("&amp;", "&"))
                if target.startswith("/") and "/live/" not in target:
                    waiting.append(target)
        return answers


def main() -> int:
    folder = Path(sys.argv[1])
    bring_loopback_up()
    assert not has_network()
    seen = folder / "seen"
    seen.touch()
    watch = {
        "OFFLINE_WITNESS": str(seen),
        "PYTHONPATH": str(ROOT / "tests" / "server" / "witness"),
        "MADOGUCHI_RATE_LIMITS": "off",
    }
    broken: dict[str, int] = {}
    pages = 0
    with serve(folder, command=("demo",), environment=watch) as served:
        for username in ("", "soudan", "uketsuke", "center", "kansa", "admin"):
            reader = Reader(served)
            if username:
                reader.log_in(username)
            answers = reader.walk("/staff/" if username else "/")
            pages += len(answers)
            broken |= {page: status for page, status in answers.items() if status >= 500}
    print(f"{pages} addresses opened, {len(broken)} broken: {broken}")
    print(seen.read_text(encoding="utf-8"), end="")
    return 0 if pages > 100 and not broken and not seen.read_text(encoding="utf-8") else 1


if __name__ == "__main__":
    sys.exit(main())
