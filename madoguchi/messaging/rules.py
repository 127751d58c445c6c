"""When a message is tried again, and what counts as exactly one recipient."""

from datetime import datetime, timedelta
from enum import StrEnum

from madoguchi.foundation.errors import RuleBroken


class Channel(StrEnum):
    MAIL = "mail"
    LINE = "line"


CHANNEL_LABELS = {Channel.MAIL: "メール", Channel.LINE: "LINE"}

CLAIM = timedelta(minutes=5)  # longer than any sending takes: a dead worker's message waits so
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
KEPT = timedelta(days=3)  # a mail server may be down for a long weekend
ALARM_AFTER = timedelta(minutes=15)

# Whatever could make two recipients, a header or a display name out of one address.
SEPARATORS = ",;:<>()[]\"'|\\ \t\r\n\v\f\0\u00a0\u2028\u2029\u3000，；：＜＞（）、"


class NotOneRecipient(RuleBroken):
    pass


class NotOneLine(RuleBroken):
    pass


def check_recipient(to: str, *, channel: Channel) -> None:
    """
    Refuse what is not exactly one address. The table refuses the same (A10: 395 in one To line).

    :raises NotOneRecipient: empty, a list, or text around the address.
    """
    if not to or any(character in to for character in SEPARATORS):
        raise NotOneRecipient("宛先は一つだけ、空白や区切り文字なしで入力してください。")
    local, _, domain = to.partition("@")
    if channel is Channel.MAIL and not (local and domain and "@" not in domain):
        raise NotOneRecipient("メールアドレスの形ではありません。")


def check_subject(subject: str) -> None:
    """
    Refuse a subject of more than one line: a line break would begin a mail header.

    :raises NotOneLine: it has a line break.
    """
    if len(subject.splitlines()) > 1 or subject != subject.strip("\r\n"):
        raise NotOneLine("件名は1行で入力してください。")


def next_try(*, tries: int, created_at: datetime, at: datetime) -> datetime | None:
    """Return when to try again after `tries` failures, doubling from 1 min to 1 h; None: never."""
    wait = min(FIRST_WAIT * 2 ** min(tries - 1, 10), LONGEST_WAIT)
    return at + wait if at + wait <= created_at + KEPT else None


class AlreadySent(RuleBroken):
    pass


def check_retry(*, is_sent: bool) -> None:
    """Refuse to send twice what has left. :raises AlreadySent: it has."""
    if is_sent:
        raise AlreadySent("この連絡はすでに送信されています。")
