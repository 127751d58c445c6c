"""Where the city stands between queueing and bookings: one plan approved, one waiting for a GO."""

from datetime import datetime, timedelta

from madoguchi.booking.models import Service
from madoguchi.booking.rules import JST, Stage
from madoguchi.demo import city
from madoguchi.introduction import actions, queries
from madoguchi.introduction.rules import Event, texts
from madoguchi.offices.models import Site
from madoguchi.reception.rules import Remark
from madoguchi.staff.models import User


def plan_stages(*, at: datetime) -> None:
    """Plan two changes, prepare one of them, and count what reception met this morning."""
    admin, head = (User.objects.get(username=name) for name in ("admin", "center"))
    today = at.astimezone(JST).date()
    livelihood = Service.objects.get(code="seikatsu")
    online = actions.propose(
        service=livelihood,
        stage=Stage.ONLINE,
        on=today + timedelta(days=42),
        reason="電話の予約が朝に集中し、つながりにくいため。",
        by=admin,
        at=at,
    )
    actions.save_questions(service=livelihood, rows=texts.QUESTIONS, by=admin, at=at)
    actions.save_notice(
        service=livelihood, fields=vars(queries.notice_words(livelihood)), by=admin, at=at
    )
    actions.approve(change=online, by=head, at=at)
    certificates = Service.objects.get(code="shomei")
    actions.propose(
        service=certificates,
        stage=Stage.REQUIRED,
        on=today + timedelta(days=70),
        reason="月初めと昼休みに30分を超えてお待たせしているため。",
        by=admin,
        at=at,
    )
    for kind, reason in (
        (Event.SENT_HOME, Remark.DID_NOT_KNOW),
        (Event.SENT_HOME, Remark.NO_SMARTPHONE),
        (Event.COMPLAINT, None),
    ):
        actions.note_event(
            site=Site.objects.get(name=city.TOWN_HALL),
            service=livelihood,
            kind=kind,
            reason=reason,
            by=User.objects.get(username="uketsuke"),
            at=at,
        )
