from datetime import date, timedelta

import pytest

from madoguchi.audit.models import AuditEvent
from madoguchi.foundation.models import LiveEvent
from madoguchi.messaging.models import OutboundMessage
from madoguchi.rota import actions, queries
from madoguchi.rota.models import Absence, EmergencyContact, Member
from madoguchi.rota.rules import steps
from madoguchi.rota.tests.builders import head, published
from madoguchi.staff.models import User
from tests import make

pytestmark = pytest.mark.django_db

TODAY = make.NOW.date()


def report(user: User, *, stand_in: User | None = None, last: date = TODAY) -> Absence:
    return actions.report_absence(
        user=user,
        first=TODAY,
        last=last,
        kind="sick",
        stand_in=stand_in,
        note="R8-00012の約束が10時にあります。",
        by=head(),
        at=make.NOW,
    )


def test_the_board_shows_who_is_away_who_stands_in_and_what_they_need_to_know() -> None:
    person, stand_in = make.staff(), make.staff()

    report(person, stand_in=stand_in)

    [absence] = queries.absences(on=TODAY)
    assert (absence.user, absence.stand_in) == (person, stand_in)
    assert absence.note == "R8-00012の約束が10時にあります。"
    assert not queries.absences(on=TODAY + timedelta(days=1))


def test_todays_duty_carries_the_absence_of_its_person() -> None:
    rota = published(first=TODAY, last=TODAY + timedelta(days=3))
    duty = rota.duties.get(on=TODAY)
    assert duty.member

    absence = report(duty.member.user)

    [shown] = queries.today(site=make.centre_site(), on=TODAY)
    assert shown.absence == absence
    assert queries.duties_hit(duty.member.user, first=TODAY, last=TODAY).get() == duty


def test_the_stand_in_is_told_without_details() -> None:
    stand_in = make.staff()
    stand_in.email = "standin@example.jp"
    stand_in.save()

    report(make.staff(), stand_in=stand_in)

    message = OutboundMessage.objects.get()
    assert message.to == "standin@example.jp"
    assert "R8-00012" not in message.subject + message.body


def test_screens_are_told_without_names() -> None:
    make.centre_site()
    LiveEvent.objects.all().delete()

    person, stand_in = make.staff(), make.staff()

    absence = report(person, stand_in=stand_in)

    told = LiveEvent.objects.all()
    assert {event.topic for event in told} == {
        f"rota.{make.centre_site().pk}",
        f"division.{person.division_id}",
        f"user.{stand_in.pk}",
    }
    assert all(event.body == {"absence": absence.pk} for event in told)


class TestStandIns:
    def test_colleagues_of_the_division_or_with_the_same_duty_who_are_there(self) -> None:
        person = make.member("相談員", user=make.staff(division=make.division("市民課"))).user
        same_division = make.staff(division=make.division("市民課"))
        same_duty = make.member("相談員", user=make.staff(division=make.division("納税課"))).user
        make.member("職員", user=make.staff(division=make.division("納税課")))
        away = make.staff(division=make.division("市民課"))
        report(away)
        gone = make.staff(division=make.division("市民課"))
        User.objects.filter(pk=gone.pk).update(is_active=False)

        found = queries.stand_ins(person, first=TODAY, last=TODAY)

        assert set(found) == {same_division, same_duty}

    def test_who_is_away_too_cannot_stand_in(self) -> None:
        away = make.staff()
        report(away)

        with pytest.raises(steps.WishTaken, match="不在です"):
            report(make.staff(), stand_in=away)

    def test_nobody_stands_in_for_themselves(self) -> None:
        person = make.staff()

        with pytest.raises(steps.WishTaken):
            report(person, stand_in=person)

    def test_the_stand_in_can_be_named_later(self) -> None:
        absence, stand_in = report(make.staff()), make.staff()

        actions.name_stand_in(
            absence=absence, stand_in=stand_in, note="鍵は棚", by=head(), at=make.NOW
        )

        absence.refresh_from_db()
        assert (absence.stand_in, absence.note) == (stand_in, "鍵は棚")

    def test_named_later_they_must_be_there_too(self) -> None:
        absence, away = report(make.staff()), make.staff()
        report(away)

        with pytest.raises(steps.WishTaken):
            actions.name_stand_in(absence=absence, stand_in=away, note="", by=head(), at=make.NOW)


def test_one_absence_at_a_time() -> None:
    person = make.staff()
    report(person, last=TODAY + timedelta(days=3))

    with pytest.raises(steps.WishTaken, match="もう登録"):
        report(person)


def test_an_ended_absence_is_off_the_board_and_can_be_reported_again() -> None:
    person = make.staff()
    absence = report(person)

    actions.end_absence(absence=absence, by=head(), at=make.NOW)
    actions.end_absence(absence=absence, by=head(), at=make.NOW)
    again = report(person)

    assert list(queries.absences(on=TODAY)) == [again]
    assert AuditEvent.objects.filter(verb="absence.end").count() == 1
    with pytest.raises(steps.StepNotAllowed):
        actions.name_stand_in(absence=absence, stand_in=None, note="", by=head(), at=make.NOW)


def test_a_sick_member_is_away_for_the_planner() -> None:
    rota = published(first=TODAY, last=TODAY + timedelta(days=3))
    member = Member.objects.order_by("pk")[0]

    report(member.user)

    person = queries.problem(rota).person[member.pk]
    assert person.away == {TODAY}
    assert not person.excused


def test_contacts_are_kept_in_the_order_to_call() -> None:
    division = make.division("環境課")
    rows = [("髙田 実", "0000003001", ""), ("林 健吾", "0000003002", "夜間")]

    actions.save_contacts(division=division, rows=rows, by=head(), at=make.NOW)
    actions.save_contacts(division=division, rows=rows[::-1], by=head(), at=make.NOW)

    found = dict(queries.contacts())[division]
    assert [each.name for each in found] == ["林 健吾", "髙田 実"]
    assert EmergencyContact.objects.count() == 2
    assert "髙田" not in str(list(AuditEvent.objects.values_list("detail", flat=True)))
