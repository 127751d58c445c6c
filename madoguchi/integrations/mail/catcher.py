"""The demo's mail server: keeps every mail in the data folder, so that nothing leaves."""

import os
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings

from madoguchi.integrations.mail.sender import as_mail
from madoguchi.messaging.ports import Envelope


def folder() -> Path:
    caught: Path = settings.DATA / "mails"
    caught.mkdir(mode=0o700, exist_ok=True)
    return caught


class MailCatcher:
    def send(self, envelope: Envelope) -> None:
        file = folder() / f"{envelope.key}.eml"
        part = file.with_suffix(".part")
        part.write_bytes(as_mail(envelope).message().as_bytes())
        os.replace(part, file)


@dataclass(frozen=True)
class Mail:
    subject: str
    to: str
    at: datetime
    body: str


def newest(limit: int) -> list[Mail]:
    """Return the mails caught last, newest first."""
    files = sorted(folder().glob("*.eml"), key=lambda file: file.stat().st_mtime, reverse=True)
    return [_read(file) for file in files[:limit]]


def _read(file: Path) -> Mail:
    mail = message_from_bytes(file.read_bytes(), policy=policy.default)
    body = mail.get_body(("plain",))
    return Mail(
        subject=str(mail["Subject"]).strip(),
        to=str(mail["To"]),
        at=parsedate_to_datetime(str(mail["Date"])),
        body=str(body.get_content()) if body else "",
    )
