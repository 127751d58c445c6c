"""The chronicle leaves the rows that the actions leave: one story, told both ways."""

from datetime import date, datetime, timedelta
from functools import reduce
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import models, transaction

from madoguchi.audit.models import AuditEvent
from madoguchi.booking import actions as booking
from madoguchi.booking.models import Appointment
from madoguchi.booking.rules import Source
from madoguchi.casework import actions as casework
from madoguchi.casework.models import Category, Closure, Contact, Handover, JointMeeting
from madoguchi.casework.rules import ASKED_AFTER_CONSULTATION
from madoguchi.demo.chronicle import WRITTEN, Chronicle
from madoguchi.foundation.models import Sequence
from madoguchi.messaging.models import OutboundMessage
from madoguchi.reception import actions as reception
from madoguchi.reception.models import Visit
from madoguchi.reception.rules import Remark
from madoguchi.residents import actions as residents
from madoguchi.residents.models import Accommodation, Resident
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db

# Drawn at random by the actions, so that nobody guesses them; or written when a mail leaves.
SECRET: dict[type[models.Model], set[str]] = {
    Appointment: {"number", "token"},
    Closure: {"survey_token", "survey_code"},
    OutboundMessage: {"key", "next_try_at", "tries", "sent_at"},
    AuditEvent: {"id", "previous_hash", "hash"},
    Sequence: {"id"},
}
NAMED_IN_DETAIL: dict[str, type[models.Model]] = {
    "accommodation": Accommodation,
    "contact": Contact,
    "handover": Handover,
    "meeting": JointMeeting,
    "closure": Closure,
}


class Actions:
    """The product's own actions, under the names a story uses."""

    register = staticmethod(residents.register)
    add_accommodation = staticmethod(residents.add_accommodation)
    check_in = staticmethod(reception.check_in)
    walk_in = staticmethod(reception.walk_in)
    start = staticmethod(reception.start)
    finish = staticmethod(reception.finish)
    receive = staticmethod(casework.receive)
    write_contact = staticmethod(casework.write_contact)
    ask_division = staticmethod(casework.ask_division)
    accept = staticmethod(casework.accept)
    decline = staticmethod(casework.decline)
    arrive = staticmethod(casework.arrive)
    end_meeting = staticmethod(casework.end_meeting)
    return_record = staticmethod(casework.return_record)
    close = staticmethod(casework.close)
    answer_survey = staticmethod(casework.answer_survey)

    @staticmethod
    def book(*, counter: Any, **fields: Any) -> Appointment:
        return booking.book(site=counter.site, **fields)

    @staticmethod
    def call(*, visit: Visit, counter: Any, by: Any, at: datetime) -> Visit | None:
        called = reception.call_next(counter=counter, by=by, at=at)
        assert called is not None
        assert called.pk == visit.pk
        return called


def stage() -> SimpleNamespace:
    service = make.service(minutes=30)
    make.open_counters(service)
    for division in ("保育課", "納税課"):
        make.division(division).__class__.objects.filter(name=division).update(
            email="division@city.example.jp"
        )
    return SimpleNamespace(
        service=service,
        counter=service.counters.select_related("site").get(),
        counsellor=make.staff(),
        reception=make.staff(Role.RECEPTION),
        officer=make.staff(Role.OFFICER, division=make.division("保育課")),
        tax_officer=make.staff(Role.OFFICER, division=make.division("納税課")),
        nursery=make.division("保育課"),
        tax=make.division("納税課"),
        centre=make.centre(),
        room=make.room(),
        category=make.category(),
        violence=Category.objects.filter(code="DV").first() or make.category("DV", code="DV"),
    )


def tell(office: Any, on: SimpleNamespace) -> None:
    """A booked visit with a joint meeting and a survey; a walk-in refused; a restricted case."""
    at = make.NOW

    def later(minutes: int = 5) -> datetime:
        nonlocal at
        at += timedelta(minutes=minutes)
        return at

    resident = office.register(
        name="髙橋 トミ",
        kana="タカハシ トミ",
        birth_on=date(1946, 3, 4),
        phone="000-0000-3001",
        email="demo1@example.jp",
        address="汐見市港町2丁目",
        language="",
        is_restricted=False,
        contact_note="",
        by=on.counsellor,
        at=later(),
    )
    office.add_accommodation(
        resident=resident, kind="聴覚", note="大きな声で。", by=on.counsellor, at=later()
    )
    appointment = office.book(
        service=on.service,
        counter=on.counter,
        start=make.NOW + timedelta(hours=2),
        name="髙橋 トミ",
        kana="タカハシ トミ",
        phone="000-0000-3001",
        email="demo1@example.jp",
        source=Source.WEB,
        resident=None,
        by=None,
        at=make.NOW + timedelta(minutes=11),
    )
    at = make.NOW + timedelta(hours=2)
    visit = office.check_in(
        appointment=appointment, site=on.counter.site, by=on.reception, at=later()
    )
    office.call(visit=visit, counter=on.counter, by=on.counsellor, at=later())
    office.start(visit=visit, by=on.counsellor, at=later())
    case = office.receive(
        kind="consultation",
        channel="counter",
        category=on.category,
        title="保育所の申し込み",
        summary="書き方が分からない。",
        resident=resident,
        owner=on.centre,
        by=on.counsellor,
        at=later(),
        visit=visit,
    )
    talk = {"case": case, "channel": "counter", "minutes": 20, "by": on.counsellor}
    office.write_contact(text="要点を確かめた。", at=later(), **talk)
    ask = {"case": case, "due_on": date(2026, 12, 1), "by": on.counsellor, "note": "説明を。"}
    asked = office.ask_division(kind="come", to=on.nursery, room=on.room, at=later(), **ask)
    refused = office.ask_division(kind="take", to=on.tax, room=None, at=later(), **ask)
    office.accept(handover=asked, expected_at=at + timedelta(minutes=9), by=on.officer, at=later())
    office.decline(handover=refused, reason="所管外", by=on.tax_officer, at=later())
    meeting = office.arrive(handover=asked, by=on.officer, at=later())
    office.end_meeting(meeting=meeting, by=on.officer, at=later())
    office.finish(visit=visit, by=on.counsellor, at=later())
    office.return_record(handover=asked, outcome="受け付けた。", by=on.officer, at=later())
    office.write_contact(text="様子を聞いた。", at=later(), **talk)
    closure = office.close(
        case=case,
        conclusion="申し込む。",
        result="joined",
        reason="書類がそろうため。",
        understanding="agreed",
        by=on.counsellor,
        at=later(),
    )
    office.answer_survey(
        closure=closure,
        scores=dict.fromkeys((item.value for item in ASKED_AFTER_CONSULTATION), 4),
        comment="助かりました。",
        is_from_paper=True,
        at=later(),
    )

    office.walk_in(
        site=on.counter.site,
        service=on.service,
        reason=Remark.NO_SMARTPHONE,
        resident=None,
        by=on.reception,
        at=later(),
    )
    secret = office.receive(
        kind="consultation",
        channel="phone",
        category=on.violence,
        title="相談したい",
        summary="家を出たい。",
        resident=None,
        owner=on.centre,
        by=on.counsellor,
        at=later(),
    )
    office.ask_division(
        case=secret,
        kind="take",
        to=on.nursery,
        note="一人で来てください。",
        due_on=date(2026, 12, 1),
        room=None,
        officer=on.officer,
        by=on.counsellor,
        at=later(),
    )


def rows_left() -> dict[str, list[dict[str, Any]]]:
    """Return every row of the story, keys replaced by their rank within the table."""
    tables: tuple[type[models.Model], ...] = (*WRITTEN, Sequence, AuditEvent)
    rank = {
        model: {
            key: index
            for index, key in enumerate(
                model._default_manager.order_by("pk").values_list("pk", flat=True)
            )
        }
        for model in tables
    }
    labels = {model._meta.label: model for model in WRITTEN}
    drawn = [
        text
        for each in Appointment.objects.all()
        for text in (each.shown_number, each.number, each.token)
    ]

    def shown(model: type[models.Model], row: models.Model) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for column in model._meta.concrete_fields:
            value = getattr(row, column.attname)
            related = column.related_model
            if column.primary_key:
                value = rank[model][value]
            elif isinstance(related, type) and related in rank and value is not None:
                value = rank[related][value]
            if column.name not in SECRET.get(model, set()):
                values[column.name] = reduce(
                    lambda text, one: text.replace(one, "…"), drawn, str(value)
                )
        if isinstance(row, AuditEvent):
            target = labels.get(row.target_label)
            if target is Appointment:
                values["target_key"] = "a random number"
            elif target is not None and row.target_key.isdigit():
                values["target_key"] = rank[target][int(row.target_key)]
            if row.person is not None:
                values["person"] = rank[Resident][row.person]
            values["detail"] = {
                name: rank[NAMED_IN_DETAIL[name]][key] if name in NAMED_IN_DETAIL else key
                for name, key in row.detail.items()
            }
        return values

    return {
        model._meta.label: [shown(model, row) for row in model._default_manager.order_by("pk")]
        for model in tables
    }


def test_a_story_leaves_the_same_rows_whether_acted_or_chronicled() -> None:
    on = stage()
    with transaction.atomic():
        tell(Actions, on)
        acted = rows_left()
        transaction.set_rollback(True)

    chronicle = Chronicle(rng=Random(1))
    tell(chronicle, on)
    chronicle.write()

    chronicled = rows_left()
    for label, rows in acted.items():
        assert rows, label
        assert chronicled[label] == rows, label


def test_the_next_row_after_the_chronicle_takes_a_free_key() -> None:
    on = stage()
    chronicle = Chronicle(rng=Random(1))
    tell(chronicle, on)
    chronicle.write()

    later = make.NOW + timedelta(days=1)
    case = casework.receive(
        kind="inquiry",
        channel="phone",
        category=on.category,
        title="次の件",
        summary="",
        resident=residents.register(name="次の人", by=on.counsellor, at=later),
        owner=on.centre,
        by=on.counsellor,
        at=later,
    )

    assert case.number == "R8-00003"
