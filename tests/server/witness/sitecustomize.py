"""Loaded by every Python process of the test: notes whom it tries to reach outside."""

import os
import sys
from ipaddress import ip_address

_FILE = os.environ["OFFLINE_WITNESS"]
_NAMES = {"localhost", "", None}


def _is_own(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode()
    if host in _NAMES:
        return True
    try:
        return ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a path is a local socket
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if not _is_own(host):
        with open(_FILE, "a", encoding="utf-8") as file:
            file.write(f"{event} {host} {sys.argv}\n")


sys.addaudithook(_watch)
