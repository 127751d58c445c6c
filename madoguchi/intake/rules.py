"""What a resident writes on the web: its number, the code that opens it, and where it stands."""

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from madoguchi.foundation.dates import era_year, fiscal_year
from madoguchi.foundation.errors import RuleBroken

TEXT_LENGTH = 10_000
# Without what is mixed up on paper and on the telephone: 0/O, 1/I/L.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 10


# What a telephone photographs, and what one scans; told by the first bytes, never by the name.
_BEGINNINGS = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"%PDF-": "application/pdf",
}
MEDIA_TYPE_LABELS = {
    "image/jpeg": "写真（JPEG）",
    "image/png": "画像（PNG）",
    "application/pdf": "PDF",
}
MOST_FILES = 3
MOST_BYTES = 5_000_000  # of one file
MOST_PIXELS = 60_000_000  # of one picture: a telephone of today takes 50 million


@dataclass(frozen=True)
class File:
    """One checked file; `name` is what the resident called it."""

    name: str
    media_type: str
    content: bytes


class NotTakenUp(RuleBroken):
    """An answer needs a case: nobody has taken the submission up yet."""


def media_type_of(content: bytes) -> str:
    """Return what the bytes are, whatever the file is called; "" for what is not taken."""
    for beginning, media_type in _BEGINNINGS.items():
        if content.startswith(beginning):
            return media_type
    return ""


def file_name(text: str) -> str:
    """Return the last part of a name without what moves or hides text in a line."""
    last = text.replace("\\", "/").rpartition("/")[2]
    shown = "".join(c for c in last if unicodedata.category(c)[0] != "C").strip()
    stem, dot, ending = shown.rpartition(".")
    if not dot:
        stem, ending = shown, ""
    return f"{stem[:100]}{dot}{ending[:10]}" or "file"


class Kind(StrEnum):
    CONSULTATION = "consultation"
    INQUIRY = "inquiry"
    REQUEST = "request"
    OPINION = "opinion"
    COMPLAINT = "complaint"
    THANKS = "thanks"


# In the words of who writes; the values are those of a case's kind.
KIND_LABELS = {
    Kind.CONSULTATION: "困っていることを相談したい",
    Kind.INQUIRY: "聞きたいことがある",
    Kind.REQUEST: "してほしいことがある",
    Kind.OPINION: "意見を伝えたい",
    Kind.COMPLAINT: "納得できないことがある",
    Kind.THANKS: "お礼を伝えたい",
}


class Stage(StrEnum):
    ARRIVED = "arrived"
    IN_PROGRESS = "in_progress"
    ENDED = "ended"


STAGE_LABELS = {
    Stage.ARRIVED: "届きました。担当を決めています。",
    Stage.IN_PROGRESS: "担当が対応しています。",
    Stage.ENDED: "対応が終わりました。",
}


def stage_of(*, is_taken: bool, is_closed: bool) -> Stage:
    """Return what a resident is told of the case, and nothing of its way through the office."""
    if is_closed:
        return Stage.ENDED
    return Stage.IN_PROGRESS if is_taken else Stage.ARRIVED


def submission_number(*, on: date, number: int) -> str:
    """Return W8-00012: the fiscal year of the day, and the number within it."""
    year = era_year(fiscal_year(on))[2]
    return f"W{year}-{number:05d}"


def make_code(*, key: str, secret: str) -> str:
    """
    Return the code of the form with this key: ten characters, 49 bits.

    It follows from the key, so that a form sent twice is told the same code, though only the
    digest of the code is kept.
    """
    value = int.from_bytes(hmac.digest(secret.encode(), key.encode(), "sha256"))
    characters = []
    for _ in range(CODE_LENGTH):
        value, digit = divmod(value, len(ALPHABET))
        characters.append(ALPHABET[digit])
    return "".join(characters)


def show_code(code: str) -> str:
    """Return ABCDE-FGHJK."""
    return f"{code[:5]}-{code[5:]}"


def read(text: str) -> str:
    """Return a number or code as it is compared: half width, capitals, letters and digits only."""
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(character for character in plain if character.isascii() and character.isalnum())


def code_digest(*, number: str, code: str) -> str:
    """Return what is kept of a code."""
    return hashlib.sha256(f"{read(number)}:{read(code)}".encode()).hexdigest()
