"""The product as it is started: what the queue has lost leaves by the clock."""

import time
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.server.serve import free_port, serve

LOST = """
from django.utils import timezone
from madoguchi.messaging.models import OutboundMessage
now = timezone.now()
OutboundMessage.objects.create(
    channel="mail", to="a@example.jp", subject="件", body="文", created_at=now, next_try_at=now
)
"""


class MailServer:
    def __init__(self) -> None:
        self.recipients: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.recipients += envelope.rcpt_tos
        return "250 OK"


@pytest.mark.server
def test_the_running_product_sweeps_its_out_tray(tmp_path: Path) -> None:
    taken = MailServer()
    mail_server = Controller(taken, hostname="127.0.0.1", port=free_port())
    mail_server.start()
    smtp = {
        "MADOGUCHI_SMTP_HOST": "127.0.0.1",
        "MADOGUCHI_SMTP_PORT": str(mail_server.port),
    }
    try:
        with serve(tmp_path, environment=smtp) as served:
            served.run(LOST)  # a row that no job was ever queued for
            patience = time.monotonic() + 75  # the sweep comes once a minute
            while not taken.recipients and time.monotonic() < patience:
                time.sleep(0.2)
    finally:
        mail_server.stop()

    assert taken.recipients == ["a@example.jp"]
