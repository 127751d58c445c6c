"""Picks the carrier that settings name for a channel."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from madoguchi.messaging.ports import Sender
from madoguchi.messaging.rules import Channel


def sender(channel: Channel) -> Sender:
    return _made(settings.MESSAGING_SENDERS[channel.value])


@cache
def _made(path: str) -> Sender:
    made: Sender = import_string(path)()
    return made


def forget() -> None:
    """Make the carriers anew at their next use: settings have changed."""
    _made.cache_clear()
