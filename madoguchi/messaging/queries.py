from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, Min, QuerySet, Value, When

from madoguchi.messaging import rules
from madoguchi.messaging.models import OutboundMessage


@dataclass(frozen=True)
class OutTray:
    """How the out-tray stands: counts, and since when its oldest message waits."""

    waiting: int
    given_up: int
    sent_today: int
    waiting_since: datetime | None
    is_stuck: bool


def out_tray(*, at: datetime) -> OutTray:
    """Return the state of the out-tray; `sent_today` counts the last 24 hours."""
    oldest = OutboundMessage.objects.waiting().aggregate(oldest=Min("created_at"))["oldest"]
    return OutTray(
        waiting=OutboundMessage.objects.waiting().count(),
        given_up=OutboundMessage.objects.filter(gave_up_at__isnull=False).count(),
        sent_today=OutboundMessage.objects.filter(sent_at__gt=at - timedelta(days=1)).count(),
        waiting_since=oldest,
        is_stuck=oldest is not None and at - oldest > rules.ALARM_AFTER,
    )


def not_sent() -> QuerySet[OutboundMessage]:
    """Return what waits or was given up, the latter first, without contents."""
    turn = Case(When(gave_up_at__isnull=False, then=Value(0)), default=Value(1))
    messages = OutboundMessage.objects.filter(sent_at=None).defer("subject", "body")
    return messages.order_by(turn, "created_at", "pk")
