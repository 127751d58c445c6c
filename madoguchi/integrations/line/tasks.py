from datetime import timedelta

from django.utils import timezone

from madoguchi.booking.models import Appointment
from madoguchi.integrations.line import actions
from madoguchi.integrations.line.models import Following


def remind() -> None:
    """Through the day: remind by LINE whoever comes tomorrow and asked for it."""
    at = timezone.now()
    tomorrow = Appointment.objects.on_day(timezone.localdate(at) + timedelta(days=1))
    rows = Following.objects.to_remind(tomorrow).select_related("friend", "appointment")
    for following in list(rows.order_by("pk")):
        actions.remind(following=following, at=at)


def forget_events() -> None:
    """Every night: forget the numbers of old events."""
    actions.forget_events(at=timezone.now())
