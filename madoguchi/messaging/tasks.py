from django.utils import timezone

from madoguchi.foundation.jobs import background
from madoguchi.messaging import actions
from madoguchi.messaging.models import OutboundMessage


@background
def deliver_message(message_id: int) -> None:
    """On commit: send one message. Called twice, it sends once."""
    actions.deliver(message_id=message_id, at=timezone.now())


def sweep_out_tray() -> None:
    """Every minute: queue again what is due, in case the queue or a worker lost it."""
    for message_id in OutboundMessage.objects.due(at=timezone.now()).values_list("pk", flat=True):
        deliver_message(message_id)


def forget_links() -> None:
    """Every night: drop the one-time links whose time is over."""
    actions.forget_links(at=timezone.now())
