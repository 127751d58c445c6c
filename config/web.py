"""One web process; it serves the socket that the supervisor holds open."""

import os
import socket
import sys
from types import FrameType

import uvicorn

from config.asgi import application
from madoguchi.foundation import live


class Server(uvicorn.Server):
    """Ends the live streams first when it stops: they would never end by themselves."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        live.HUB.close()
        super().handle_exit(sig, frame)


def main() -> None:
    from django.conf import settings

    configuration = uvicorn.Config(
        application,
        lifespan="off",
        access_log=False,  # foundation.middleware writes one without personal data
        log_config=None,
        server_header=False,
        proxy_headers=bool(settings.TRUSTED_PROXIES),
        forwarded_allow_ips=settings.TRUSTED_PROXIES,
        timeout_graceful_shutdown=2,
    )
    Server(configuration).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    main()
