"""Live updates: durable events, written in the business transaction, read by every web process."""

from datetime import datetime

from madoguchi.foundation.models import LiveEvent


def publish(*, topic: str, kind: str, at: datetime, **ids: int | str) -> LiveEvent:
    """
    Tell every open screen of the topic that something changed, once this transaction commits.

    The body carries ids and numbers only: the screen asks for what it may see.
    """
    return LiveEvent.objects.create(topic=topic, kind=kind, body=ids, at=at)
