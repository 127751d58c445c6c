"""Typed builders: the smallest true row of each kind. Say only what the test is about."""

from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import F
from django.utils import timezone

from madoguchi.booking import rules
from madoguchi.booking.models import Appointment, CounterDay, Errand, Service, Waiting
from madoguchi.casework import index
from madoguchi.casework.models import Case, Category, Handover
from madoguchi.casework.rules import Channel, HandoverKind, Kind, Status
from madoguchi.knowledge import actions as knowledge
from madoguchi.knowledge.models import Faq
from madoguchi.offices.models import Counter, Division, Room, Site
from madoguchi.reception.models import Visit
from madoguchi.residents.models import Resident
from madoguchi.rota import actions as rota
from madoguchi.rota.models import Absence, Member, Skill
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role

JST = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=JST)  # a Tuesday, an open day
KEY = UUID("00000000-0000-4000-8000-000000000001")
_number = count(1)


def site(name: str = "本庁舎", **more: object) -> Site:
    found = Site.objects.filter(name=name).first()
    return found or Site.objects.create(**{"code": f"site{next(_number)}", "name": name} | more)


def division(name: str = "保育課", **more: object) -> Division:
    found = Division.objects.filter(name=name).first()
    return found or Division.objects.create(
        **{"code": f"division{next(_number)}", "name": name} | more
    )


def centre() -> Division:
    return division("市民相談センター", is_centre=True)


def counter(name: str = "1番", **more: object) -> Counter:
    at = more.pop("site", None) or site()
    of = more.pop("division", None) or division()
    return Counter.objects.create(site=at, division=of, name=name, **more)  # type: ignore[misc]


def room(name: str = "相談室1") -> Room:
    return Room.objects.create(site=site(), name=name)


def staff(
    role: Role = Role.COUNSELLOR,
    *,
    division: Division | None = None,
    username: str = "",
    name: str = "相談 花子",
) -> User:
    return User.objects.create(
        username=username or f"staff{next(_number)}",
        name=name,
        role=role,
        division=division or centre(),
    )


def resident(name: str = "山田 太郎", **more: object) -> Resident:
    return Resident.objects.create(**{"name": name, "created_at": NOW} | more)


def category(name: str = "行政手続・市政", *, code: str = "ADMIN") -> Category:
    return Category.objects.get_or_create(name=name, defaults={"code": code})[0]


def case(title: str = "転入届の書き方", **more: object) -> Case:
    by = more.pop("by", None) or staff()
    made = Case.objects.create(
        **{
            "number": f"R8-{next(_number):05d}",
            "kind": Kind.CONSULTATION.value,
            "channel": Channel.COUNTER.value,
            "category": more.pop("category", None) or category(),
            "title": title,
            "summary": "書き方が分からない。",
            "owner": more.pop("owner", None) or centre(),
            "received_at": NOW,
            "received_by": by,
            "changed_at": NOW,
            "changed_by": by,
        }
        | more
    )
    index.note(made.pk)
    return made


def service(name: str = "保育所の入所相談", **more: object) -> Service:
    """A service of 30 minutes, received at one counter unless `counters` says otherwise."""
    counters = more.pop("counters", None)
    made = Service.objects.create(
        **{"code": f"service{next(_number)}", "name": name, "division": division()} | more
    )
    made.counters.set([counter()] if counters is None else counters)  # type: ignore[arg-type]
    return made


def open_counters(made: Service, *, days: int = 10, opens: int = 8, cells: int = 35) -> None:
    """Lay out open days for every counter of the service, from the day of NOW on."""
    mask = rules.run_mask((opens * 60 + 30 - 7 * 60) // 15, cells)
    CounterDay.objects.bulk_create(
        CounterDay(day=NOW.date() + timedelta(days=n), counter=desk, open=mask)
        for n in range(days)
        for desk in made.counters.all()
    )


def appointment(made: Service | None = None, **more: object) -> Appointment:
    """A booked place tomorrow at nine, its cells taken in the counter's day."""
    what = made or service()
    at = more.pop("counter", None) or what.counters.get()
    start = more.pop("start", None) or datetime.combine(
        NOW.date() + timedelta(days=1), time(9), JST
    )
    row = Appointment.objects.create(
        **{
            "number": rules.new_number(),
            "token": rules.new_token(),
            "service": what,
            "counter": at,
            "start": start,
            "minutes": what.minutes,
            "cells": what.cells,
            "cells_before": Errand((what,)).span.before,
            "source": "web",
            "name": "山田 太郎",
            "booked_at": NOW,
        }
        | more
    )
    days = CounterDay.objects.filter(day=row.day, counter=row.counter)
    days.update(busy=F("busy").bitor(row.mask))
    if row.source == rules.Source.WEB:
        days.update(online=F("online").bitor(row.mask))
    return row


def waiting(made: Service | None = None, **more: object) -> Waiting:
    """Somebody who waits for a place tomorrow and can be reached by mail."""
    return Waiting.objects.create(
        **{
            "token": rules.new_token(),
            "service": made or service(),
            "site": site(),
            "day": NOW.date() + timedelta(days=1),
            "name": "鈴木 一郎",
            "email": "ichiro@example.jp",
            "joined_at": NOW + timedelta(seconds=next(_number)),
        }
        | more
    )


def visit(made: Service | None = None, **more: object) -> Visit:
    """A walk-in who waits."""
    what = made or service()
    return Visit.objects.create(
        **{
            "site": site(),
            "on": NOW.date(),
            "ticket": next(_number),
            "service": what,
            "reason_without_booking": "" if more.get("booked_for") else "did_not_know",
            "arrived_at": NOW,
        }
        | more
    )


def handover(in_case: Case | None = None, **more: object) -> Handover:
    of = in_case or case()
    Case.objects.filter(pk=of.pk).update(status=Status.HANDED_OVER.value)
    made = Handover.objects.create(
        **{
            "case": of,
            "kind": HandoverKind.COME.value,
            "to": more.pop("to", None) or division(),
            "note": "書き方をていねいに説明してほしい。",
            "due_on": NOW.date() + timedelta(days=7),
            "asked_at": NOW,
            "asked_by": more.pop("asked_by", None) or staff(),
        }
        | more
    )
    index.note(of.pk)
    return made


def faq(
    question: str = "引っ越しの手続きは？",
    answer: str = "転入届を出してください。",
    *,
    is_public: bool = True,
    **more: Any,
) -> Faq:
    author = more.pop("author", None) or staff()
    said: dict[str, Any] = {"category": "行政手続・市政", "division": None} | more
    made = knowledge.draft(question=question, answer=answer, by=author, at=NOW, **said)
    if is_public:
        knowledge.propose(faq=made, by=author, at=NOW)
        knowledge.approve(faq=made, by=staff(Role.CENTRE_HEAD), at=NOW)
        made.refresh_from_db()
    return made


def centre_site() -> Site:
    """The centre's building, open on every day of the year."""
    return site(
        "市民相談センター",
        closed_day_opens_at=time(9),
        closed_day_closes_at=time(15),
        is_open_at_year_end=True,
    )


def absence(user: User, *, stand_in: User | None = None, on: date | None = None) -> Absence:
    """Somebody who is ill that day, with a note for the stand-in."""
    day = on or timezone.localdate()
    return rota.report_absence(
        user=user,
        first=day,
        last=day,
        kind="sick",
        stand_in=stand_in,
        note="R8-00012の約束が10時にあります。",
        by=user,
        at=NOW,
    )


def member(*skills: str, user: User | None = None, **more: object) -> Member:
    """Someone of the centre's rota, on all days unless said otherwise; a 職員 by default."""
    made = Member.objects.create(**{"user": user or staff(), "site": centre_site()} | more)
    made.skills.set(Skill.objects.get_or_create(name=name)[0] for name in skills or ("職員",))
    return made
