from datetime import timedelta
from uuid import uuid4

import pytest

from madoguchi.audit.models import AuditEvent
from madoguchi.casework import actions, rules
from madoguchi.casework.models import Case, Handover
from madoguchi.casework.rules import HandoverKind, HandoverState, Status
from madoguchi.foundation.models import LiveEvent
from madoguchi.messaging.models import OutboundMessage
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db
DUE = make.NOW.date() + timedelta(days=7)


def ask(case: Case, **more: object) -> Handover:
    fields = {
        "case": case,
        "kind": HandoverKind.COME.value,
        "to": more.pop("to", None) or make.division("保育課", email="hoiku@example.lg.jp"),
        "note": "山田太郎さんの件。入所の点数を説明してほしい。",
        "due_on": DUE,
        "room": None,
        "by": case.received_by,
        "at": make.NOW,
    }
    return actions.ask_division(**fields | more)  # type: ignore[arg-type]


def officer() -> User:
    return make.staff(Role.OFFICER, division=make.division("保育課"))


def test_the_request_waits_for_the_division_and_the_case_waits_for_its_record() -> None:
    case = make.case()

    handover = ask(case)

    case.refresh_from_db()
    assert (handover.state, case.status) == (HandoverState.ASKED, Status.HANDED_OVER)


def test_the_division_hears_of_it_at_once_and_by_mail() -> None:
    handover = ask(make.case())

    assert LiveEvent.objects.filter(topic=f"division.{handover.to_id}").count() == 1
    assert OutboundMessage.objects.get().to == "hoiku@example.lg.jp"


def test_the_message_carries_nothing_about_the_resident() -> None:
    ask(make.case("山田太郎さんの件"))

    message = OutboundMessage.objects.get()
    assert "山田" not in message.subject + message.body
    assert "入所" not in message.subject + message.body


def test_a_division_without_mail_is_asked_all_the_same() -> None:
    ask(make.case(), to=make.division("農政課"))

    assert not OutboundMessage.objects.exists()
    assert Handover.objects.count() == 1


def test_the_same_request_sent_twice_is_one_request() -> None:
    case, key = make.case(), uuid4()

    assert ask(case, key=key) == ask(case, key=key)
    assert OutboundMessage.objects.count() == 1


def test_a_division_is_not_asked_the_same_while_it_has_not_finished() -> None:
    case = make.case()
    ask(case)

    with pytest.raises(rules.StepNotAllowed, match="すでに同じ依頼"):
        ask(case)


def test_a_restricted_case_goes_to_a_named_person_only() -> None:
    case = make.case(is_sensitive=True)

    with pytest.raises(rules.OfficerMissing):
        ask(case)

    colleague = officer()
    ask(case, officer=colleague)
    assert case.involvements.filter(user=colleague).exists()


def test_a_closed_case_asks_nobody() -> None:
    case = make.case(status=Status.CLOSED, closed_at=make.NOW, closed_by=make.staff())

    with pytest.raises(rules.CaseClosed):
        ask(case)


def test_the_division_comes_sits_down_and_returns_its_record() -> None:
    case = make.case()
    handover, by = ask(case, room=make.room()), officer()

    actions.accept(
        handover=handover, expected_at=make.NOW + timedelta(minutes=10), by=by, at=make.NOW
    )
    meeting = actions.arrive(handover=handover, by=by, at=make.NOW + timedelta(minutes=9))
    actions.end_meeting(meeting=meeting, by=by, at=make.NOW + timedelta(minutes=40))
    actions.return_record(
        handover=handover, outcome="点数を説明した。", by=by, at=make.NOW + timedelta(hours=2)
    )

    case.refresh_from_db()
    handover.refresh_from_db()
    assert (case.status, handover.state) == (Status.ANSWERED, HandoverState.RETURNED)
    assert set(meeting.attendees.all()) == {case.received_by, by}


def test_an_officer_who_simply_walks_over_has_accepted() -> None:
    handover, by = ask(make.case()), officer()

    actions.arrive(handover=handover, by=by, at=make.NOW)

    handover.refresh_from_db()
    assert (handover.accepted_by, handover.arrived_by) == (by, by)


def test_two_divisions_sit_in_one_meeting() -> None:
    case = make.case()
    first, second = ask(case), ask(case, to=make.division("納税課"))

    one = actions.arrive(handover=first, by=officer(), at=make.NOW)
    two = actions.arrive(
        handover=second, by=make.staff(division=make.division("納税課")), at=make.NOW
    )

    assert one == two
    assert one.attendees.count() == 3


def test_a_division_that_declines_gives_the_case_back() -> None:
    case = make.case()
    handover = ask(case)

    actions.decline(handover=handover, reason="所管外。納税課が担当。", by=officer(), at=make.NOW)

    case.refresh_from_db()
    handover.refresh_from_db()
    assert (case.status, handover.state) == (Status.IN_PROGRESS, HandoverState.DECLINED)


def test_a_request_taken_back_waits_for_nobody() -> None:
    case = make.case()
    handover = ask(case)

    actions.withdraw(handover=handover, reason="解決した", by=case.received_by, at=make.NOW)

    case.refresh_from_db()
    assert case.status == Status.IN_PROGRESS
    with pytest.raises(rules.StepNotAllowed):
        actions.accept(handover=handover, expected_at=None, by=officer(), at=make.NOW)


def test_nobody_arrives_for_a_matter_that_is_taken_on() -> None:
    handover = ask(make.case(), kind=HandoverKind.TAKE.value)

    with pytest.raises(rules.StepNotAllowed, match="到着がありません"):
        actions.arrive(handover=handover, by=officer(), at=make.NOW)


def test_a_record_comes_back_once_and_only_after_accepting() -> None:
    handover, by = ask(make.case(), kind=HandoverKind.TAKE.value), officer()

    with pytest.raises(rules.StepNotAllowed):
        actions.return_record(handover=handover, outcome="対応済み", by=by, at=make.NOW)
    actions.accept(handover=handover, expected_at=None, by=by, at=make.NOW)
    actions.return_record(handover=handover, outcome="対応済み", by=by, at=make.NOW)

    with pytest.raises(rules.StepNotAllowed):
        actions.return_record(handover=handover, outcome="二度目", by=by, at=make.NOW)


def test_the_meeting_is_over_when_the_last_division_has_returned_its_record() -> None:
    case = make.case()
    first, second = ask(case), ask(case, to=make.division("納税課"))
    meeting = actions.arrive(handover=first, by=officer(), at=make.NOW)
    actions.arrive(handover=second, by=officer(), at=make.NOW)

    actions.return_record(handover=first, outcome="説明した", by=officer(), at=make.NOW)
    meeting.refresh_from_db()
    assert meeting.ended_at is None
    actions.return_record(handover=second, outcome="説明した", by=officer(), at=make.NOW)

    meeting.refresh_from_db()
    assert meeting.ended_at == make.NOW


def test_a_meeting_ends_once() -> None:
    meeting = actions.arrive(handover=ask(make.case()), by=officer(), at=make.NOW)
    actions.end_meeting(meeting=meeting, by=make.staff(), at=make.NOW)

    with pytest.raises(rules.StepNotAllowed, match="すでに終わって"):
        actions.end_meeting(meeting=meeting, by=make.staff(), at=make.NOW)


def test_every_step_is_one_event_in_the_trail() -> None:
    handover, by = ask(make.case()), officer()
    before = AuditEvent.objects.count()

    actions.accept(handover=handover, expected_at=None, by=by, at=make.NOW)
    meeting = actions.arrive(handover=handover, by=by, at=make.NOW)
    actions.end_meeting(meeting=meeting, by=by, at=make.NOW)
    actions.return_record(handover=handover, outcome="説明した", by=by, at=make.NOW)

    verbs = AuditEvent.objects.order_by("pk").values_list("verb", flat=True)[before:]
    assert list(verbs) == [
        "case.accept",
        "case.arrive",
        "case.end_meeting",
        "case.return_record",
    ]


def test_overdue_is_what_is_outstanding_after_its_day() -> None:
    handover = ask(make.case())

    assert list(Handover.objects.overdue(on=DUE + timedelta(days=1))) == [handover]
    assert not Handover.objects.overdue(on=DUE).exists()
    actions.decline(handover=handover, reason="所管外", by=officer(), at=make.NOW)
    assert not Handover.objects.overdue(on=DUE + timedelta(days=1)).exists()
