import logging
import secrets
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.urls import reverse

from madoguchi.audit import actions as audit
from madoguchi.foundation import jobs
from madoguchi.messaging import registry, rules
from madoguchi.messaging.models import OneTimeLink, OutboundMessage
from madoguchi.messaging.ports import Envelope, SendFailed
from madoguchi.staff.models import User

logger = logging.getLogger(__name__)


@transaction.atomic
def post(
    *, channel: str, to: str, subject: str, body: str, at: datetime, about: str = ""
) -> OutboundMessage:
    """
    Put a message in the out-tray; it leaves when the surrounding transaction commits.

    `about` names what it concerns by number (a case, an appointment), never a person.

    :raises NotOneRecipient: `to` is not exactly one address.
    :raises NotOneLine: the subject has a line break.
    """
    rules.check_recipient(to, channel=rules.Channel(channel))
    rules.check_subject(subject)
    message = OutboundMessage.objects.create(
        channel=channel,
        to=to,
        subject=subject,
        body=body,
        about=about,
        created_at=at,
        next_try_at=at,
    )
    jobs.after_commit("madoguchi.messaging.tasks.deliver_message", message.pk)
    return message


def deliver(*, message_id: int, at: datetime) -> None:
    """
    Claim one message, try to send it, and note what happened. Nothing to claim: do nothing.

    The claim is one conditional update, so of any number of workers one sends. It is committed
    before the sending: should this worker die, the message is due again when the claim ends.
    """
    mine = OutboundMessage.objects.due(at=at).filter(pk=message_id)
    if mine.update(next_try_at=at + rules.CLAIM, tries=F("tries") + 1) == 0:
        return  # sent, given up, not yet due, or another worker has it
    message = OutboundMessage.objects.get(pk=message_id)
    try:
        registry.sender(rules.Channel(message.channel)).send(
            Envelope(key=message.key, to=message.to, subject=message.subject, body=message.body)
        )
    except SendFailed as failure:
        _note_failure(message, failure.kind, permanent=failure.permanent, at=at)
    except Exception as bug:  # one poisoned message must not stop the rest
        logger.exception("message %s: the carrier failed unforeseen", message.pk)
        _note_failure(message, type(bug).__name__, permanent=False, at=at)
    else:
        message.sent_at = at
        message.last_error = ""
        message.save(update_fields=["sent_at", "last_error"])


def _note_failure(message: OutboundMessage, kind: str, *, permanent: bool, at: datetime) -> None:
    again = rules.next_try(tries=message.tries, created_at=message.created_at, at=at)
    if permanent or again is None:
        message.gave_up_at = at
    else:
        message.next_try_at = again
    message.last_error = kind[:60]
    message.save(update_fields=["gave_up_at", "next_try_at", "last_error"])
    logger.warning("message %s: %s, try %s", message.pk, kind, message.tries)


@transaction.atomic
def retry(*, message: OutboundMessage, by: User, at: datetime) -> None:
    """
    Put a message that waits or was given up at the head of the queue again.

    :raises AlreadySent: it has left in the meantime.
    """
    message = OutboundMessage.objects.select_for_update().get(pk=message.pk)
    rules.check_retry(is_sent=message.sent_at is not None)
    message.gave_up_at = None
    message.next_try_at = at
    message.save(update_fields=["gave_up_at", "next_try_at"])
    jobs.after_commit("madoguchi.messaging.tasks.deliver_message", message.pk)
    audit.record(verb="message.retry", target=message, actor=by.get_username(), at=at)


def one_time_link(*, path: str, until: datetime, at: datetime) -> str:
    """
    Return an address that leads to the page once, until then: all that LINE may be told.

    Part of the message that carries it; the page itself asks what it has to ask.
    """
    link = OneTimeLink.objects.create(
        token=secrets.token_urlsafe(24), path=path, made_at=at, until=until
    )
    return f"{settings.SITE_URL}{reverse('open_link', args=[link.token])}"


def use_link(*, token: str, at: datetime) -> str | None:
    """Return where the link leads, the first time and in time; afterwards None."""
    links = OneTimeLink.objects.filter(token=token)
    if not links.filter(used_at=None, until__gt=at).update(used_at=at):
        return None
    return links.values_list("path", flat=True).get()


def forget_links(*, at: datetime) -> int:
    """Drop the links that open nothing any more."""
    return OneTimeLink.objects.filter(until__lt=at).delete()[0]
