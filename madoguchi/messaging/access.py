"""Messages are reached by those who read operations, without what is in them."""

from django.shortcuts import get_object_or_404

from madoguchi.messaging.models import OutboundMessage


def message_to_retry(pk: int) -> OutboundMessage:
    return get_object_or_404(OutboundMessage.objects.defer("subject", "body"), pk=pk)
