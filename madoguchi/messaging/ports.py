"""What messaging needs from outside: somebody who carries one message to one recipient."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True)
class Envelope:
    key: UUID  # same key, same message: a carrier shows it to the other side (Message-ID)
    to: str
    subject: str
    body: str


class SendFailed(Exception):
    """
    The message did not leave. `kind` is a short class of failure without any content.

    Permanent: trying again cannot help (no such mailbox). Otherwise it is tried again.
    """

    def __init__(self, kind: str, *, permanent: bool) -> None:
        super().__init__(kind)
        self.kind = kind
        self.permanent = permanent


class Sender(Protocol):
    def send(self, envelope: Envelope) -> None:
        """
        Deliver it, and return only when the other side has taken it over.

        :raises SendFailed: it did not, or we cannot know.
        """
