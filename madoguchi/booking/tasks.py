import logging

from django.utils import timezone

from madoguchi.booking import actions, queries, rules
from madoguchi.booking.models import Hold
from madoguchi.foundation.jobs import background

log = logging.getLogger(__name__)


def lay_out_days() -> None:
    """Every five minutes: let the open masks follow changed site hours and the passing days."""
    today = timezone.localdate()
    actions.lay_out_days(counters=queries.serving_counters(), first=today)


def release_lapsed() -> None:
    """Every minute: give back the places that were held for a form nobody sent."""
    actions.release_lapsed(at=timezone.now())


@background
def offer(hold_id: int) -> None:
    """On commit: offer a place that was given back. What the queue loses, the sweep offers."""
    for hold in Hold.objects.filter(pk=hold_id):
        actions.offer(hold=hold, at=timezone.now())


def offer_returned() -> None:
    """Every minute: offer what came back and is still kept, to whoever joined meanwhile."""
    for hold in Hold.objects.filter(kind=rules.HoldKind.RETURN).select_related("counter"):
        actions.offer(hold=hold, at=timezone.now())


def remind() -> None:
    """Through the day: remind whoever comes tomorrow, once. One bad row never stops the rest."""
    at = timezone.now()
    for appointment in queries.to_remind(at=at):
        try:
            actions.remind(appointment=appointment, at=at)
        except Exception:
            log.exception("appointment %s: could not be reminded", appointment.pk)


def mark_missed() -> None:
    """Every night: note who booked and did not come."""
    actions.mark_missed(before=timezone.localdate(), at=timezone.now())


def check_masks() -> None:
    """Every night: an alarm in the log if a busy mask and the appointments disagree."""
    for difference in queries.mask_differences():
        log.error("counter-day differs from its appointments: %s", difference)
