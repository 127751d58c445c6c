"""What a friend's words do. Everything that leaves is a text of `rules`, without content."""

from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from madoguchi.audit import actions as audit
from madoguchi.booking.models import Appointment
from madoguchi.integrations.line import rules
from madoguchi.integrations.line.models import Following, LineEvent, LineFriend
from madoguchi.integrations.line.rules import Wish
from madoguchi.messaging import actions as messaging
from madoguchi.offices.models import City

SALT = "madoguchi.integrations.line.following"
KEPT = timedelta(days=30)  # LINE tries again for a day or two


@transaction.atomic
def welcome(*, event: str, line_id: str, at: datetime) -> bool:
    """Greet a new friend, or one who came back; say whether this event did it."""
    if not _is_new(event, at=at):
        return False
    friend = _friend(line_id, at=at)
    LineFriend.objects.filter(pk=friend.pk).update(left_at=None)
    city = City.objects.first()
    _say(friend, rules.GREETING.format(city=city.name if city else "市"), at=at)
    return True


@transaction.atomic
def answer(*, event: str, line_id: str, text: str, at: datetime) -> bool:
    """
    Answer what a friend wrote with a notice and a link; say whether this event did it.

    The text is understood and forgotten: people write of themselves in spite of all warnings.
    """
    if not _is_new(event, at=at):
        return False
    friend, wish = _friend(line_id, at=at), rules.wish(text)
    if wish is Wish.STOP:
        friend.followings.all().delete()
    link = f"{settings.SITE_URL}{rules.PAGES[wish]}" if wish in rules.PAGES else ""
    if wish is Wish.FOLLOW:
        page = reverse("line:follow", args=[signing.dumps(friend.pk, salt=SALT)])
        link = messaging.one_time_link(path=page, until=at + rules.FOLLOWING, at=at)
    _say(friend, rules.TEXTS[wish].format(link=link), at=at)
    return True


@transaction.atomic
def leave(*, event: str, line_id: str, at: datetime) -> bool:
    """Forget what a friend who blocked us followed; say whether this event did it."""
    if not _is_new(event, at=at):
        return False
    LineFriend.objects.filter(line_id=line_id).update(left_at=at)
    Following.objects.filter(friend__line_id=line_id).delete()
    return True


@transaction.atomic
def follow(*, friend: LineFriend, appointment: Appointment, at: datetime) -> Following:
    """Remind this friend of the appointment by LINE; asked for twice, it is once."""
    following, is_new = Following.objects.get_or_create(
        friend=friend, appointment=appointment, defaults={"since_at": at}
    )
    if is_new:
        _say(friend, rules.FOLLOWED, at=at)
        audit.record(
            verb="line.follow",
            target=appointment,
            key=appointment.number,
            person=appointment.resident_id,
            actor="resident",
            at=at,
        )
    return following


@transaction.atomic
def remind(*, following: Following, at: datetime) -> bool:
    """
    Remind of tomorrow's appointment; say whether this call did.

    Which start it was is noted with the message: a restart neither repeats nor loses one.
    """
    tomorrow = Appointment.objects.on_day(timezone.localdate(at) + timedelta(days=1))
    mine = Following.objects.to_remind(tomorrow).filter(pk=following.pk)
    if not mine.update(reminded_of=following.appointment.start):
        return False
    link = messaging.one_time_link(
        path=following.appointment.address, until=at + rules.LINK, at=at
    )
    _say(following.friend, rules.REMINDER.format(link=link), at=at)
    audit.record(
        verb="appointment.remind",
        target=following.appointment,
        key=following.appointment.number,
        person=following.appointment.resident_id,
        actor="system",
        at=at,
    )
    return True


def forget_events(*, at: datetime) -> int:
    """Forget the numbers of events that LINE no longer sends again."""
    return LineEvent.objects.filter(at__lt=at - KEPT).delete()[0]


def _is_new(event: str, *, at: datetime) -> bool:
    """Take the event's number; of any number of deliveries one gets it."""
    _, is_new = LineEvent.objects.get_or_create(key=event[:60], defaults={"at": at})
    return is_new


def _friend(line_id: str, *, at: datetime) -> LineFriend:
    friend, _ = LineFriend.objects.get_or_create(line_id=line_id, defaults={"since_at": at})
    return friend


def _say(friend: LineFriend, text: str, *, at: datetime) -> None:
    messaging.post(channel="line", to=friend.line_id, subject="LINE", body=text, at=at)
