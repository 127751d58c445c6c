"""
Proof of work: whoever asks much more often than others lets their own machine compute first.

Instead of a picture puzzle, which keeps out people before it keeps out programs. A challenge is
signed, lives for some minutes and counts once; the answer is a number with which the SHA-256 of
"challenge:number" begins with so many zero bits (after Hashcash, A. Back, 2002). Finding it takes
2 ** bits attempts on the average, checking it takes one.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.core import signing

from madoguchi.foundation import limits
from madoguchi.foundation.errors import RuleBroken

LIVES = timedelta(minutes=10)
SALT = "madoguchi.foundation.work"
LONGEST = 400


class Unproven(RuleBroken):
    """No answer, a wrong one, or one that was used already."""


def challenge(*, purpose: str, bits: int) -> str:
    """Return a new challenge for this purpose."""
    return signing.dumps([purpose, bits, secrets.token_urlsafe(9)], salt=SALT)


def check(answer: str, *, purpose: str, bits: int, at: datetime) -> None:
    """
    Accept the answer "challenge~number" to a challenge of at least so many bits, once.

    :raises Unproven: it does not fit.
    """
    text, _, number = answer[:LONGEST].partition("~")
    try:
        about, given, _ = signing.loads(text, salt=SALT, max_age=LIVES)
    except (signing.BadSignature, ValueError) as error:
        raise Unproven("確認の期限が切れました。もう一度お試しください。") from error
    fits = about == purpose and given >= bits and zero_bits(f"{text}:{number}") >= given
    if not fits or not limits.is_first_use(text, until=at + LIVES):
        raise Unproven("確認できませんでした。もう一度お試しください。")


def zero_bits(text: str) -> int:
    """Return with how many zero bits the SHA-256 of the text begins."""
    value = int.from_bytes(hashlib.sha256(text.encode()).digest())
    return 256 - value.bit_length()
