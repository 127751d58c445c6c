from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from madoguchi.audit.models import AuditEvent
from madoguchi.casework import access as casework
from madoguchi.casework.models import Case, Involvement
from madoguchi.personnel import actions, queries, rules, tasks
from madoguchi.personnel.models import Move, MoveList
from madoguchi.personnel.rules import Status, Wanted
from madoguchi.staff import actions as staff
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db
APRIL = date(2027, 4, 1)
MIDNIGHT = datetime(2027, 4, 1, 0, 0, tzinfo=make.JST)


class Office:
    """保育課: one officer with a restricted case in hand goes to 税務課, the supervisor stays."""

    def __init__(self) -> None:
        self.old, self.new = make.division("保育課"), make.division("税務課")
        self.officer = make.staff(Role.OFFICER, division=self.old)
        self.lead = make.staff(Role.SUPERVISOR, division=self.old)
        self.admin, self.head = make.staff(Role.ADMIN), make.staff(Role.CENTRE_HEAD)
        self.case = make.case(owner=self.old, is_sensitive=True)
        self.involve(self.officer)

    def involve(self, user: User) -> None:
        Involvement.objects.create(case=self.case, user=user, since_at=make.NOW, added_by=user)

    def wanted(self, **more: int | None) -> Wanted:
        return Wanted(
            **{
                "user": self.officer.pk,
                "division": self.new.pk,
                "role": Role.OFFICER.value,
                "successor": None,
            }
            | more  # type: ignore[arg-type]
        )

    def planned(self) -> MoveList:
        return actions.plan(effective_on=APRIL, wanted=[self.wanted()], by=self.admin, at=make.NOW)

    def approved(self) -> MoveList:
        return actions.approve(each=self.planned(), by=self.head, at=make.NOW)


@pytest.fixture
def office() -> Office:
    return Office()


class TestApproval:
    def test_who_wrote_the_list_does_not_approve_it(self, office: Office) -> None:
        with pytest.raises(rules.StepNotAllowed, match="別の人"):
            actions.approve(each=office.planned(), by=office.admin, at=make.NOW)

    def test_the_table_does_not_take_one_persons_approval_either(self, office: Office) -> None:
        each = office.planned()

        with pytest.raises(IntegrityError), transaction.atomic():
            MoveList.objects.filter(pk=each.pk).update(
                approved_at=make.NOW, approved_by=each.made_by
            )

    def test_a_matter_without_anybody_holds_it_up(self, office: Office) -> None:
        User.objects.filter(pk=office.lead.pk).update(is_active=False)

        with pytest.raises(rules.ListNotReady, match="後任がいません"):
            actions.approve(each=office.planned(), by=office.head, at=make.NOW)

    def test_a_past_day_is_no_day_for_a_transfer(self, office: Office) -> None:
        with pytest.raises(rules.ListNotReady, match="明日以降"):
            actions.plan(
                effective_on=make.NOW.date(),
                wanted=[office.wanted()],
                by=office.admin,
                at=make.NOW,
            )

    def test_one_day_has_one_list(self, office: Office) -> None:
        office.planned()

        with pytest.raises(rules.ListNotReady, match="すでにあります"):
            office.planned()

    def test_a_correction_is_approved_by_somebody_who_did_not_make_it(
        self, office: Office
    ) -> None:
        each = actions.replace(
            each=office.planned(), wanted=[office.wanted()], by=office.head, at=make.NOW
        )

        with pytest.raises(rules.StepNotAllowed, match="別の人"):
            actions.approve(each=each, by=office.head, at=make.NOW)


class TestMidnight:
    def test_before_it_nothing_changes(self, office: Office) -> None:
        each = office.approved()

        assert actions.carry_out(list_id=each.pk, at=MIDNIGHT - timedelta(seconds=1)) == 0
        office.officer.refresh_from_db()
        assert office.officer.division == office.old

    def test_the_person_is_in_the_new_place(self, office: Office) -> None:
        each = office.approved()

        assert actions.carry_out(list_id=each.pk, at=MIDNIGHT) == 1

        office.officer.refresh_from_db()
        each.refresh_from_db()
        assert office.officer.division == office.new
        assert office.officer.rights_end_at is None
        assert each.status == Status.DONE

    def test_the_successor_sees_the_restricted_case_and_the_leaver_no_more(
        self, office: Office
    ) -> None:
        before = casework.visible_cases(office.lead)
        assert not before.exists()

        actions.carry_out(list_id=office.approved().pk, at=MIDNIGHT)

        office.officer.refresh_from_db()
        assert list(casework.visible_cases(office.lead)) == [office.case]
        assert not casework.visible_cases(office.officer).exists()
        assert AuditEvent.objects.filter(verb="case.pass_on", target_key=office.case.number)

    def test_a_request_with_a_named_officer_goes_to_the_successor(self, office: Office) -> None:
        asked = make.handover(make.case(owner=make.centre()), to=office.old)
        asked.officer = office.officer
        asked.save(update_fields=["officer"])

        actions.carry_out(list_id=office.approved().pk, at=MIDNIGHT)

        asked.refresh_from_db()
        assert asked.officer == office.lead

    def test_whoever_leaves_cannot_come_back_in(self, office: Office) -> None:
        each = actions.plan(
            effective_on=APRIL,
            wanted=[Wanted(office.officer.pk, None, "", None)],
            by=office.admin,
            at=make.NOW,
        )
        actions.approve(each=each, by=office.head, at=make.NOW)

        actions.carry_out(list_id=each.pk, at=MIDNIGHT)

        office.officer.refresh_from_db()
        assert not office.officer.is_active

    def test_twice_is_once(self, office: Office) -> None:
        each = office.approved()
        actions.carry_out(list_id=each.pk, at=MIDNIGHT)

        assert actions.carry_out(list_id=each.pk, at=MIDNIGHT) == 0
        assert AuditEvent.objects.filter(verb="move.carry_out").count() == 1

    def test_an_interrupted_list_goes_on(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        second = make.staff(Role.OFFICER, division=office.old)
        each = actions.plan(
            effective_on=APRIL,
            wanted=[office.wanted(), office.wanted(user=second.pk)],
            by=office.admin,
            at=make.NOW,
        )
        actions.approve(each=each, by=office.head, at=make.NOW)
        last = each.moves.order_by("pk").last()
        assert last is not None
        move = staff.move

        def power_cut(*, user: User, **more: object) -> User:
            if user.pk == last.user_id:
                raise RuntimeError
            return move(user=user, **more)  # type: ignore[arg-type]

        with monkeypatch.context() as patch, pytest.raises(RuntimeError):
            patch.setattr(staff, "move", power_cut)
            actions.carry_out(list_id=each.pk, at=MIDNIGHT)
        assert queries.progress(each) == (1, 2)

        assert actions.carry_out(list_id=each.pk, at=MIDNIGHT) == 1
        assert not MoveList.objects.due(on=APRIL).exists()

    def test_the_timetable_carries_out_what_is_due(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        office.approved()
        monkeypatch.setattr(timezone, "now", lambda: MIDNIGHT)

        tasks.carry_out()

        assert MoveList.objects.get().status == Status.DONE


class TestRights:
    """At 0:00 the old rights are over, although nothing has been carried out yet."""

    def test_the_old_screens_are_over(
        self, office: Office, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        office.approved()
        client.force_login(office.officer)
        page = reverse("casework:cases")
        assert client.get(page).status_code == 200
        User.objects.filter(pk=office.officer.pk).update(rights_end_at=timezone.now())

        answer = client.get(page)

        assert answer.status_code == 302
        assert "ended=moved" in answer["Location"]

    def test_until_the_new_place_is_entered_nobody_logs_in(self, office: Office) -> None:
        office.officer.set_password("ryokucha-3000")
        office.officer.save()
        office.approved()

        with pytest.raises(staff.RightsEnded, match="切り替え中"):
            staff.check_password(
                username=office.officer.username,
                password="ryokucha-3000",
                place="192.0.2.1",
                is_known_device=False,
                at=MIDNIGHT,
            )

    def test_a_list_called_off_leaves_everybody_in_place(self, office: Office) -> None:
        each = office.approved()

        actions.stop(each=each, by=office.admin, at=make.NOW)

        office.officer.refresh_from_db()
        assert office.officer.rights_end_at is None
        assert actions.carry_out(list_id=each.pk, at=MIDNIGHT) == 0


def test_no_open_case_is_left_without_somebody_who_may_see_it(office: Office) -> None:
    for number in range(20):
        office.case = make.case(owner=office.old, is_sensitive=bool(number % 2))
        office.involve(office.officer)

    actions.carry_out(list_id=office.approved().pk, at=MIDNIGHT)

    seen = casework.visible_cases(office.lead)
    assert not Case.objects.open().filter(owner=office.old).exclude(pk__in=seen).exists()
    assert Move.objects.get().cases == 21
