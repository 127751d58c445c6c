"""Whoever books much more often than others lets their browser compute first; no puzzle."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest

from madoguchi.booking import rules
from madoguchi.foundation import work


@dataclass(frozen=True)
class Work:
    """What the browser is asked to compute; see foundation.work."""

    challenge: str
    bits: int


def asked(request: HttpRequest, purpose: str, *, times: int, at: datetime) -> Work | None:
    """Return what is still to be computed before the n-th time, or None: go on."""
    bits = rules.bits_of_work(times)
    if not bits:
        return None
    if answer := request.POST.get("work", ""):
        try:
            work.check(answer, purpose=purpose, bits=bits, at=at)
        except work.Unproven:
            pass
        else:
            return None
    return Work(work.challenge(purpose=purpose, bits=bits), bits)
