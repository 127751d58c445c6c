"""
How often one visitor may do one thing: counted in the database, so for all web processes.

Only what writes or guesses is limited, never a page that is looked at: a whole town may sit
behind one address (mobile carriers, a library).
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.db import connection
from django.http import HttpRequest

from madoguchi.foundation.models import Allowance

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Limit:
    """So many times within so long a span, from one address."""

    name: str
    times: int
    span: timedelta


class TooMany(Exception):
    """The limit is reached; `wait` seconds from now it will not be."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"wait {wait} s")
        self.wait = wait

    @property
    def words(self) -> str:
        """What a form says of it."""
        minutes = -(-self.wait // 60)
        return f"短い間に何度も送られました。{minutes}分ほどたってから、もう一度お試しください。"


def spend(limit: Limit, request: HttpRequest, *, at: datetime) -> int:
    """
    Count one more time for whoever asks; return how often it is by now in this span.

    The address is kept only as a keyed digest that changes with every span.

    :raises TooMany: the limit of this span is used up.
    """
    return _spend(limit, visitor(request), at=at)


def is_first_use(text: str, *, until: datetime) -> bool:
    """Say whether this text was never shown before; it is remembered until then."""
    key = hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
    return _count(key, ends_at=until) == 1


def spend_as(limit: Limit, whose: str, *, at: datetime) -> None:
    """
    Count one more time for somebody who is known by more than an address: a token.

    :raises TooMany: the limit of this span is used up.
    """
    _spend(limit, whose, at=at)


def spend_together(limit: Limit, *, at: datetime) -> None:
    """
    Count one more time for everybody together: what many addresses try, each a little.

    :raises TooMany: the limit of this span is used up.
    """
    _spend(limit, "everybody", at=at)


def _spend(limit: Limit, whose: str, *, at: datetime) -> int:
    if not settings.RATE_LIMITS:
        return 0
    seconds = int(limit.span.total_seconds())
    span = int(at.timestamp()) // seconds
    ends = (span + 1) * seconds
    who = f"{limit.name}|{span}|{whose}"
    key = hmac.new(settings.SECRET_KEY.encode(), who.encode(), hashlib.sha256).hexdigest()
    count = _count(key, ends_at=datetime.fromtimestamp(ends, tz=at.tzinfo))
    if count > limit.times:
        raise TooMany(max(1, ends - int(at.timestamp())))
    return count


def _count(key: str, *, ends_at: datetime) -> int:
    """Add one and return the sum, in one statement: no two requests read the same count."""
    table = connection.ops.quote_name(Allowance._meta.db_table)
    moment = connection.ops.adapt_datetimefield_value(ends_at)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (key, count, ends_at) VALUES (%s, 1, %s)"  # noqa: S608
            f" ON CONFLICT (key) DO UPDATE SET count = {table}.count + 1 RETURNING count",
            [key, moment],
        )
        return int(cursor.fetchone()[0])


def forget(*, at: datetime) -> None:
    """Drop the counts of spans that are over."""
    Allowance.objects.filter(ends_at__lt=at).delete()


def visitor(request: HttpRequest) -> str:
    """
    Return the address that counts: the visitor's, an IPv6 one as its /64.

    X-Forwarded-For is believed only from a trusted proxy, and read from its end: what stands
    before the last proxy that we know was written by the visitor.
    """
    address = _address(request.META.get("REMOTE_ADDR", ""))
    if address is not None and _is_trusted(address):
        hops = request.headers.get("X-Forwarded-For", "").split(",")
        for hop in reversed(hops):
            found = _address(hop)
            if found is None:
                break
            address = found
            if not _is_trusted(found):
                break
    if address is None:
        return "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(IPv6Network((address, 64), strict=False))
    return str(address)


def _is_trusted(address: Address) -> bool:
    return any(address in ip_network(proxy, strict=False) for proxy in settings.TRUSTED_PROXIES)


def _address(text: str) -> Address | None:
    """Read 192.0.2.1, 192.0.2.1:4711, 2001:db8::1, [2001:db8::1]:4711."""
    plain = text.strip()
    if plain.startswith("["):
        plain = plain[1:].partition("]")[0]
    elif plain.count(":") == 1:
        plain = plain.partition(":")[0]
    try:
        return ip_address(plain)
    except ValueError:
        return None
