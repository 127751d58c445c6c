from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from madoguchi.audit.models import AuditEvent
from madoguchi.booking.models import Service
from madoguchi.booking.rules import Stage
from madoguchi.introduction import actions, rules, tasks
from madoguchi.introduction.models import StageChange
from madoguchi.introduction.rules import Change, Planned
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make

TODAY = make.NOW.date()
DAY = TODAY + timedelta(days=30)


def announced() -> Service:
    return make.service(stage=Stage.ANNOUNCED.value)


def supervisor() -> User:
    return make.staff(Role.SUPERVISOR)


def proposed(service: Service | None = None, **more: object) -> StageChange:
    return actions.propose(
        **{
            "service": service or announced(),
            "stage": Stage.REQUIRED,
            "on": DAY,
            "by": supervisor(),
            "at": make.NOW,
        }
        | more  # type: ignore[arg-type]
    )


def approved(service: Service | None = None, **more: object) -> StageChange:
    change = proposed(service, **more)
    return actions.approve(change=change, by=supervisor(), at=make.NOW)


class TestPlan:
    @pytest.mark.parametrize("on", [TODAY, TODAY - timedelta(days=1)])
    def test_it_begins_tomorrow_at_the_earliest(self, on: date) -> None:
        with pytest.raises(rules.PlanNotPossible, match="明日"):
            rules.check_plan(
                Planned(Stage.REQUIRED, on), now=Stage.ANNOUNCED, others=[], today=TODAY
            )

    def test_stages_only_rise(self) -> None:
        with pytest.raises(rules.PlanNotPossible, match="先の段階"):
            rules.check_plan(
                Planned(Stage.REQUIRED, DAY), now=Stage.REQUIRED, others=[], today=TODAY
            )

    @pytest.mark.parametrize("days", [-1, 0])
    def test_online_does_not_come_before_the_booking_by_telephone(self, days: int) -> None:
        with pytest.raises(rules.PlanNotPossible, match="順番"):
            rules.check_plan(
                Planned(Stage.ONLINE, DAY + timedelta(days=days)),
                now=Stage.ANNOUNCED,
                others=[Planned(Stage.REQUIRED, DAY)],
                today=TODAY,
            )

    def test_one_after_the_other_is_possible(self) -> None:
        rules.check_plan(
            Planned(Stage.ONLINE, DAY + timedelta(days=60)),
            now=Stage.ANNOUNCED,
            others=[Planned(Stage.REQUIRED, DAY)],
            today=TODAY,
        )

    def test_less_than_four_weeks_is_short_notice(self) -> None:
        assert rules.is_short_notice(TODAY + timedelta(days=27), today=TODAY)
        assert not rules.is_short_notice(TODAY + timedelta(days=28), today=TODAY)

    @pytest.mark.django_db
    def test_the_same_stage_is_planned_once(self) -> None:
        service = announced()
        proposed(service)

        with pytest.raises(rules.PlanNotPossible, match="もう予定"):
            proposed(service, on=DAY + timedelta(days=1))


@pytest.mark.django_db
class TestGo:
    def test_who_planned_it_cannot_approve_it(self) -> None:
        change = proposed()

        with pytest.raises(rules.StepNotAllowed, match="計画した人"):
            actions.approve(change=change, by=change.proposed_by, at=make.NOW)

    def test_the_table_holds_the_four_eyes_too(self) -> None:
        change = proposed()

        with pytest.raises(IntegrityError):
            StageChange.objects.filter(pk=change.pk).update(
                status=Change.APPROVED.value,
                approved_at=make.NOW,
                approved_by=change.proposed_by,
            )

    def test_nothing_goes_on_without_a_go(self) -> None:
        change = proposed()

        with pytest.raises(IntegrityError):
            StageChange.objects.filter(pk=change.pk).update(
                status=Change.DONE.value, done_at=make.NOW
            )

    def test_another_says_go_and_the_trail_knows_both(self) -> None:
        change = approved()

        assert change.status == Change.APPROVED
        assert change.approved_by != change.proposed_by
        verbs = AuditEvent.objects.filter(target_key=change.service.code).values_list(
            "verb", "actor"
        )
        assert set(verbs) == {
            ("stage_change.propose", change.proposed_by.username),
            ("stage_change.approve", change.approved_by and change.approved_by.username),
        }

    def test_a_go_on_the_day_itself_comes_too_late(self) -> None:
        change = proposed()

        with pytest.raises(rules.StepNotAllowed, match="日を改めて"):
            actions.approve(change=change, by=supervisor(), at=make.NOW + timedelta(days=30))


def at_one(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 0, 1, tzinfo=make.JST)


@pytest.mark.django_db
class TestTheDay:
    def test_the_stage_changes_on_the_declared_day_and_not_before(self) -> None:
        change = approved()

        actions.carry_out(change_id=change.pk, at=at_one(DAY - timedelta(days=1)))
        assert Service.objects.get().stage == Stage.ANNOUNCED

        actions.carry_out(change_id=change.pk, at=at_one(DAY))
        service = Service.objects.get()
        assert (service.stage, service.next_stage) == (Stage.REQUIRED, "")

    def test_the_timetable_does_it_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        approved()
        monkeypatch.setattr(timezone, "now", lambda: at_one(DAY))

        tasks.carry_out()
        tasks.carry_out()

        assert StageChange.objects.get().done_at == at_one(DAY)
        assert AuditEvent.objects.filter(verb="stage_change.carry_out").count() == 1

    def test_what_nobody_approved_does_not_come(self, monkeypatch: pytest.MonkeyPatch) -> None:
        proposed()
        monkeypatch.setattr(timezone, "now", lambda: at_one(DAY))

        tasks.carry_out()

        assert Service.objects.get().stage == Stage.ANNOUNCED

    def test_what_was_stopped_does_not_come(self) -> None:
        change = approved()
        actions.stop(change=change, reason="選挙と重なる", by=supervisor(), at=make.NOW)

        actions.carry_out(change_id=change.pk, at=at_one(DAY))

        assert Service.objects.get().stage == Stage.ANNOUNCED
        change.refresh_from_db()
        assert (change.status, change.stop_reason) == (Change.STOPPED, "選挙と重なる")

    def test_counters_stay_as_they_are(self) -> None:
        change = approved()
        before = set(change.service.counters.all())

        actions.carry_out(change_id=change.pk, at=at_one(DAY))

        assert set(Service.objects.get().counters.all()) == before != set()


@pytest.mark.django_db
class TestStopAndReturn:
    def test_what_is_done_cannot_be_stopped(self) -> None:
        change = approved()
        actions.carry_out(change_id=change.pk, at=at_one(DAY))

        with pytest.raises(rules.StepNotAllowed, match="実施済み"):
            actions.stop(change=change, reason="やめたい", by=supervisor(), at=make.NOW)

    def test_a_stop_says_why(self) -> None:
        change = proposed()

        with pytest.raises(IntegrityError):
            actions.stop(change=change, reason="", by=supervisor(), at=make.NOW)

    def test_going_back_is_at_once_and_takes_the_plans_along(self) -> None:
        service = announced()
        change = approved(service)
        actions.carry_out(change_id=change.pk, at=at_one(DAY))
        later = proposed(service, stage=Stage.ONLINE, on=DAY + timedelta(days=60))

        actions.go_back(
            service=service,
            stage=Stage.ANNOUNCED,
            reason="電話がつながらない苦情が多い",
            by=supervisor(),
            at=at_one(DAY),
        )

        assert Service.objects.get().stage == Stage.ANNOUNCED
        later.refresh_from_db()
        assert later.status == Change.STOPPED
        assert AuditEvent.objects.get(verb="stage_change.go_back").reason

    def test_going_back_needs_a_reason(self) -> None:
        service = make.service(stage=Stage.REQUIRED.value)

        with pytest.raises(IntegrityError):
            actions.go_back(
                service=service, stage=Stage.ANNOUNCED, reason="", by=supervisor(), at=make.NOW
            )

    def test_back_is_not_forward(self) -> None:
        with pytest.raises(rules.PlanNotPossible, match="今より前"):
            rules.check_return(now=Stage.REQUIRED, to=Stage.REQUIRED)


@pytest.mark.parametrize(
    ("now", "to"), [(Change.STOPPED, Change.APPROVED), (Change.DONE, Change.STOPPED)]
)
def test_an_ended_change_goes_nowhere(now: Change, to: Change) -> None:
    with pytest.raises(rules.StepNotAllowed):
        rules.check_step(now, to)
