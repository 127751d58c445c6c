import os
import signal
from collections.abc import Generator
from datetime import date, timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from madoguchi.audit.models import AuditEvent
from madoguchi.foundation.models import LiveEvent
from madoguchi.messaging.models import OutboundMessage
from madoguchi.rota import actions, queries, solver, tasks
from madoguchi.rota.models import Absence, Duty, Member, Need, PlanRun, Rota, TurnOrder
from madoguchi.rota.rules import duties, steps
from madoguchi.rota.rules.duties import Assignment, DayKind, Shift
from madoguchi.rota.rules.solve import Progress, Solution, solve
from madoguchi.rota.tests import builders
from madoguchi.rota.tests.builders import FIRST, LAST, draft, head, published
from madoguchi.rota.tests.checker import faults
from tests import make

pytestmark = pytest.mark.django_db

LONG_AGO = make.NOW - timedelta(days=365)


@pytest.fixture
def _plans_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same search without a process of its own, which takes a second to start."""

    def search(problem: duties.Problem, *, seed: int) -> Generator[Solution, None, None]:
        yield solve(problem, seed=seed, limit=10)

    monkeypatch.setattr(solver, "search", search)


in_this_process = pytest.mark.usefixtures("_plans_in_this_process")


def run_now(rota: Rota, *, changes_from: date | None = None) -> PlanRun:
    run = actions.ask_plan(rota=rota, changes_from=changes_from, by=head(), at=make.NOW)
    tasks.run_planner(run.pk)
    run.refresh_from_db()
    return run


class TestMake:
    def test_every_open_day_has_the_places_its_kind_needs(self) -> None:
        builders.need(2, skill="職員", kinds=(DayKind.WEEKDAY,))
        builders.need(1, skill="相談員", kinds=(DayKind.CLOSED,))

        rota = draft()

        weekdays = [on for on in queries.days(FIRST, LAST) if on.weekday() < 5]
        assert rota.duties.filter(skill__name="職員").count() == 2 * len(weekdays)
        assert rota.duties.filter(skill__name="相談員").count() == 4
        assert not rota.duties.exclude(member=None).exists()

    def test_a_day_on_which_the_site_is_shut_has_none(self) -> None:
        make.centre_site().opening_days.create(on=FIRST, reason="停電")

        assert not draft().duties.filter(on=FIRST).exists()

    def test_turns_go_on_after_the_last_published_rota(self) -> None:
        divisions = [make.division(name) for name in ("市民課", "納税課", "環境課")]
        for position, division in enumerate(divisions):
            TurnOrder.objects.create(site=make.centre_site(), division=division, position=position)
        published(first=FIRST, last=FIRST + timedelta(days=6))  # two closed days

        following = draft(first=FIRST + timedelta(days=7), last=LAST)

        assert [turn.division for turn in following.turns.all()] == [divisions[2], divisions[0]]

    @pytest.mark.parametrize(
        ("first", "last"), [(LAST, FIRST), (FIRST, FIRST + timedelta(days=366))]
    )
    def test_a_period_that_makes_no_plan_is_refused(self, first: date, last: date) -> None:
        with pytest.raises(steps.PeriodNotPossible):
            draft(first=first, last=last)

    def test_without_needs_there_is_nothing_to_make(self) -> None:
        with pytest.raises(steps.StepNotAllowed):
            actions.make(site=make.centre_site(), first=FIRST, last=LAST, by=head(), at=make.NOW)
        assert not Rota.objects.exists()


class TestRun:
    def test_the_planner_runs_as_a_process_after_the_commit(
        self, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        rota = draft()

        with django_capture_on_commit_callbacks(execute=True):
            run = actions.ask_plan(rota=rota, by=head(), at=make.NOW)

        run.refresh_from_db()
        assert run.status == steps.Run.DONE.value
        assert run.is_proven
        assert run.holes == 0
        assert not rota.duties.empty().exists()
        assert faults(queries.problem(rota), queries.plan(rota)) == []
        assert AuditEvent.objects.filter(verb="rota.plan").count() == 1

    @in_this_process
    def test_a_run_called_twice_plans_once(self) -> None:
        run = run_now(draft())

        tasks.run_planner(run.pk)

        assert AuditEvent.objects.filter(verb="rota.plan").count() == 1

    @in_this_process
    def test_leave_absence_wishes_and_membership_reach_the_planner(self) -> None:
        first, second, third, fourth = builders.people()
        actions.take_leave(
            member=first, first=FIRST, last=LAST, kind="holiday", by=head(), at=make.NOW
        )
        actions.report_absence(
            user=second.user, first=FIRST, last=FIRST, kind="sick", by=head(), at=make.NOW
        )
        actions.wish(member=third, on=FIRST, kind="avoid", by=third.user, at=make.NOW)
        Member.objects.filter(pk=fourth.pk).update(joins_on=FIRST + timedelta(days=1))
        fifth = make.member(user=make.staff(username="person5"))
        rota = draft()

        run_now(rota)

        assert not rota.duties.filter(member=first).exists()
        assert rota.duties.get(on=FIRST).member == fifth

    @in_this_process
    def test_what_was_set_by_hand_stays(self) -> None:
        rota = draft()
        duty = rota.duties.first()
        member = Member.objects.last()
        assert duty
        actions.assign(duty=duty, member=member, by=head(), at=make.NOW)

        run_now(rota)

        duty.refresh_from_db()
        assert (duty.member, duty.is_fixed) == (member, True)

    @in_this_process
    def test_new_needs_change_the_places_of_a_draft_at_the_next_run(self) -> None:
        rota = draft()
        Need.objects.update(count=2)

        run_now(rota)

        assert rota.duties.filter(on=FIRST).count() == 2

    @in_this_process
    def test_an_impossible_day_is_named_in_plain_words(self) -> None:
        rota = draft(count=3)
        for member in Member.objects.all():
            actions.take_leave(
                member=member, first=FIRST, last=FIRST, kind="holiday", by=head(), at=make.NOW
            )

        run = run_now(rota)

        assert (run.holes, run.holes_bound) == (1, 1)
        assert queries.result(rota).holes == (
            "12月1日：職員が足りません（必要1、出られる人0。休暇3人）",
        )

    @in_this_process
    def test_earlier_rotas_of_the_year_count_in_the_balance(self) -> None:
        before = published(first=FIRST, last=FIRST + timedelta(days=6))
        busy = Member.objects.order_by("pk").first()
        before.duties.update(member=None)
        for duty in before.duties.filter(on__week_day__in=range(2, 7)):
            duty.member = busy
            duty.save()
        rota = draft(first=FIRST + timedelta(days=7), last=LAST)

        run_now(rota)

        assert busy
        assert not rota.duties.filter(member=busy, on__week_day__in=range(2, 7)).exists()

    def test_the_days_next_door_count_for_rest(self) -> None:
        published(first=FIRST, last=date(2026, 12, 5))
        rota = draft(first=date(2026, 12, 6), last=LAST)
        saturday = Duty.objects.get(on=date(2026, 12, 5))

        assert (saturday.member_id, saturday.on) in queries.problem(rota).around

    def test_a_run_that_is_still_heard_of_is_left_alone(self) -> None:
        now = timezone.now()
        run = actions.ask_plan(rota=draft(), by=head(), at=now)
        actions.begin_run(run_id=run.pk, at=now)

        tasks.sweep_runs()

        run.refresh_from_db()
        assert run.status == steps.Run.RUNNING.value

    def test_only_one_run_at_a_time(self) -> None:
        rota = draft()
        actions.ask_plan(rota=rota, by=head(), at=make.NOW)

        with pytest.raises(steps.RunInProgress):
            actions.ask_plan(rota=rota, by=head(), at=make.NOW)
        with pytest.raises(steps.RunInProgress):
            actions.assign(duty=Duty.objects.first(), member=None, by=head(), at=make.NOW)  # type: ignore[arg-type]
        with pytest.raises(steps.RunInProgress):
            actions.publish(rota=rota, accept_holes=True, by=head(), at=make.NOW)

    def test_progress_is_noted_and_published(self) -> None:
        run = actions.ask_plan(rota=draft(), by=head(), at=make.NOW)
        begun = actions.begin_run(run_id=run.pk, at=make.NOW)
        assert begun
        LiveEvent.objects.all().delete()

        is_wanted = actions.note_progress(
            run=begun, progress=Progress("price", value=70, bound=20, seconds=3.1), at=make.NOW
        )

        run.refresh_from_db()
        assert is_wanted
        assert (run.stage, run.price, run.bound, run.seconds) == ("price", 70, 20, 3.1)
        assert LiveEvent.objects.get().topic == f"rota.{run.rota.site_id}"

    def test_a_stopped_run_changes_nothing(self) -> None:
        rota = draft()
        run = actions.ask_plan(rota=rota, by=head(), at=make.NOW)
        begun = actions.begin_run(run_id=run.pk, at=make.NOW)
        assert begun
        solution = solve(queries.problem(rota))

        actions.stop_run(run=run, by=head(), at=make.NOW)
        is_wanted = actions.note_progress(
            run=begun, progress=Progress("price", value=1, bound=1, seconds=1), at=make.NOW
        )
        actions.finish_run(run=begun, solution=solution, at=make.NOW)

        run.refresh_from_db()
        assert not is_wanted
        assert run.status == steps.Run.FAILED.value
        assert rota.duties.empty().count() == rota.duties.count()
        with pytest.raises(steps.StepNotAllowed):
            actions.stop_run(run=run, by=head(), at=make.NOW)

    def test_a_run_whose_process_dies_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def search(problem: duties.Problem, *, seed: int) -> Generator[Progress, None, None]:
            yield Progress("holes", value=3, bound=0, seconds=1)
            raise solver.PlannerDied

        monkeypatch.setattr(solver, "search", search)

        run = run_now(draft())

        assert run.status == steps.Run.FAILED.value
        assert "もう一度" in run.failure

    def test_what_died_with_its_worker_is_ended_by_the_sweep(self) -> None:
        run = actions.ask_plan(rota=draft(), by=head(), at=LONG_AGO)
        actions.begin_run(run_id=run.pk, at=LONG_AGO)

        tasks.sweep_runs()

        run.refresh_from_db()
        assert run.status == steps.Run.FAILED.value

    @in_this_process
    def test_what_the_queue_lost_is_run_by_the_sweep(self) -> None:
        run = actions.ask_plan(rota=draft(), by=head(), at=LONG_AGO)

        tasks.sweep_runs()

        run.refresh_from_db()
        assert run.status == steps.Run.DONE.value

    def test_reading_the_problem_takes_as_many_queries_for_any_size(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        small = draft(last=FIRST + timedelta(days=1))
        large = draft()

        for rota in (small, large):
            with django_assert_num_queries(9):
                queries.problem(rota)


class TestProcess:
    def test_the_search_ends_with_its_solution(self) -> None:
        problem = queries.problem(draft())

        messages = list(solver.search(problem, seed=1))

        assert isinstance(messages[-1], Solution)
        assert {type(message) for message in messages[:-1]} <= {Progress}

    def test_a_killed_process_is_reported(self, monkeypatch: pytest.MonkeyPatch) -> None:
        problem = queries.problem(draft())
        monkeypatch.setattr(solver, "pickle", _PickleThatKills())

        with pytest.raises(solver.PlannerDied):
            list(solver.search(problem, seed=1))


class _PickleThatKills:
    """Ends every child of this process before its answer is read."""

    def dump(self, *args: object) -> None:
        pass

    def load(self, stream: object) -> object:
        children = f"/proc/self/task/{os.getpid()}/children"
        with open(children, encoding="ascii") as file:
            for child in file.read().split():
                os.kill(int(child), signal.SIGKILL)
        assert stream.read() == b""  # type: ignore[attr-defined]
        raise EOFError


class TestPublish:
    def test_it_counts_from_now_on_and_everyone_in_it_is_told_without_details(self) -> None:
        rota = draft(count=2)
        for number, member in enumerate(Member.objects.all()):
            member.user.email = f"p{number}@example.jp"
            member.user.save()
        solution = solve(queries.problem(rota))
        for duty in rota.duties.all():
            [each] = [each for each in solution.plan if each.on == duty.on]
            Duty.objects.filter(pk=duty.pk).update(member=each.person)

        actions.publish(rota=rota, by=head(), at=make.NOW)

        rota.refresh_from_db()
        assert (rota.status, rota.published_by) == ("published", head())
        assert Duty.objects.published().count() == 14
        assert {message.to for message in OutboundMessage.objects.all()} == {
            "p0@example.jp",
            "p1@example.jp",
        }
        text = OutboundMessage.objects.all()[0].body
        assert "12月" not in text
        assert "相談 花子" not in text

    def test_holes_must_be_known(self) -> None:
        rota = draft()
        actions.assign(
            duty=rota.duties.all()[0], member=Member.objects.first(), by=head(), at=make.NOW
        )

        with pytest.raises(steps.HolesLeft):
            actions.publish(rota=rota, by=head(), at=make.NOW)
        actions.publish(rota=rota, accept_holes=True, by=head(), at=make.NOW)

        assert Rota.objects.get().status == "published"

    def test_two_rotas_never_count_for_one_day(self) -> None:
        published()
        rota = draft(first=LAST, last=LAST + timedelta(days=3))
        actions.assign(
            duty=rota.duties.all()[1], member=Member.objects.first(), by=head(), at=make.NOW
        )

        with pytest.raises(steps.StepNotAllowed, match="もう公開した"):
            actions.publish(rota=rota, accept_holes=True, by=head(), at=make.NOW)

    def test_an_empty_draft_is_not_published(self) -> None:
        with pytest.raises(steps.StepNotAllowed, match="まだ当番が決まっていません"):
            actions.publish(rota=draft(), accept_holes=True, by=head(), at=make.NOW)

    def test_a_published_rota_is_neither_planned_as_a_whole_nor_discarded(self) -> None:
        rota = published()

        with pytest.raises(steps.StepNotAllowed):
            actions.ask_plan(rota=rota, by=head(), at=make.NOW)
        with pytest.raises(steps.StepNotAllowed):
            actions.discard(rota=rota, by=head(), at=make.NOW)

    def test_a_draft_can_be_discarded(self) -> None:
        actions.discard(rota=draft(), by=head(), at=make.NOW)

        assert not Rota.objects.exists()
        assert AuditEvent.objects.filter(verb="rota.discard").exists()


@in_this_process
class TestReplan:
    def sick(self, rota: Rota) -> Duty:
        duty = rota.duties.get(on=date(2026, 12, 8))
        assert duty.member
        actions.report_absence(
            user=duty.member.user,
            first=duty.on,
            last=duty.on,
            kind="sick",
            by=head(),
            at=make.NOW,
        )
        return duty

    def test_a_sick_call_proposes_the_fewest_changes_and_waits(self) -> None:
        rota = published()
        duty = self.sick(rota)

        run = run_now(rota, changes_from=duty.on)

        [change] = queries.proposed(run)
        assert (change.duty, change.was) == (duty, duty.member)
        assert change.then not in (None, duty.member)
        assert (run.changes, run.changes_bound) == (1, 1)
        duty_now = rota.duties.get(pk=duty.pk)
        assert duty_now.member == duty.member  # nothing counts before it is applied

    def test_applied_it_counts_and_those_concerned_are_told(self) -> None:
        rota = published()
        duty = self.sick(rota)
        for member in Member.objects.select_related("user"):
            member.user.email = f"{member.user.username}@example.jp"
            member.user.save()
        run = run_now(rota, changes_from=duty.on)
        then = queries.proposed(run)[0].then
        OutboundMessage.objects.all().delete()

        count = actions.apply_run(run=run, by=head(), at=make.NOW)

        assert count == 1
        assert rota.duties.get(pk=duty.pk).member == then
        assert {m.to for m in OutboundMessage.objects.all()} == {
            f"{each.user.username}@example.jp" for each in (duty.member, then) if each
        }
        with pytest.raises(steps.StepNotAllowed):
            actions.apply_run(run=run, by=head(), at=make.NOW)

    def test_a_proposal_that_reality_has_overtaken_is_refused(self) -> None:
        rota = published()
        duty = self.sick(rota)
        run = run_now(rota, changes_from=duty.on)
        actions.assign(duty=duty, member=None, by=head(), at=make.NOW)

        with pytest.raises(steps.StepNotAllowed, match="もう一度"):
            actions.apply_run(run=run, by=head(), at=make.NOW)

    def test_the_days_before_stay(self) -> None:
        rota = published()
        duty = self.sick(rota)
        Absence.objects.update(first=FIRST)

        run = run_now(rota, changes_from=duty.on)

        assert all(change.duty.on >= duty.on for change in queries.proposed(run))

    def test_even_a_duty_set_by_hand_yields_to_a_sick_call(self) -> None:
        rota = published()
        duty = rota.duties.get(on=date(2026, 12, 8))
        Duty.objects.filter(pk=duty.pk).update(is_fixed=True)
        self.sick(rota)

        run = run_now(rota, changes_from=duty.on)

        assert [change.duty for change in queries.proposed(run)] == [duty]

    def test_the_past_is_not_planned_again(self) -> None:
        rota = published()

        with pytest.raises(steps.StepNotAllowed):
            actions.ask_plan(
                rota=rota, changes_from=make.NOW.date() - timedelta(days=1), by=head(), at=make.NOW
            )

    def test_a_draft_is_planned_as_a_whole(self) -> None:
        with pytest.raises(steps.StepNotAllowed):
            actions.ask_plan(rota=draft(), changes_from=FIRST, by=head(), at=make.NOW)


class TestAssign:
    def test_a_rule_that_speaks_against_it_is_said_and_may_be_waived(self) -> None:
        rota = published()
        duty = rota.duties.get(on=date(2026, 12, 6))  # a Sunday
        saturday = rota.duties.get(on=date(2026, 12, 5)).member

        with pytest.raises(steps.DutyBroken, match="前後の閉庁日に当番"):
            actions.assign(duty=duty, member=saturday, by=head(), at=make.NOW)
        actions.assign(duty=duty, member=saturday, accept=True, by=head(), at=make.NOW)

        duty.refresh_from_db()
        assert duty.member == saturday
        assert queries.result(rota).breaches == (
            "12月5日：相談 花子（前後の閉庁日に当番）",
            "12月6日：相談 花子（前後の閉庁日に当番）",
        )

    def test_two_duties_a_day_are_never_accepted(self) -> None:
        builders.need(2)
        rota = draft()
        member = Member.objects.first()
        one, other = rota.duties.filter(on=FIRST)
        actions.assign(duty=one, member=member, by=head(), at=make.NOW)

        with pytest.raises(steps.DutyBroken, match="同じ日"):
            actions.assign(duty=other, member=member, accept=True, by=head(), at=make.NOW)

    def test_the_past_is_not_changed(self) -> None:
        rota = published()
        duty = rota.duties.get(on=FIRST)

        with pytest.raises(steps.StepNotAllowed):
            actions.assign(duty=duty, member=None, by=head(), at=make.NOW + timedelta(days=30))

    def test_someone_of_another_site_is_refused(self) -> None:
        rota = draft()
        stranger = make.member(user=make.staff(username="other"), site=make.site())

        with pytest.raises(steps.DutyBroken):
            actions.assign(
                duty=rota.duties.all()[0], member=stranger, accept=True, by=head(), at=make.NOW
            )

    def test_candidates_begin_with_those_who_are_free(self) -> None:
        rota = published()
        duty = rota.duties.get(on=date(2026, 12, 6))
        away = Member.objects.order_by("pk")[0]
        actions.take_leave(
            member=away, first=duty.on, last=duty.on, kind="trip", by=head(), at=make.NOW
        )

        found = queries.candidates(duty)

        assert [each.is_free for each in found] == sorted(
            (each.is_free for each in found), reverse=True
        )
        assert {each.member: each.hindrance for each in found}[away] == "休暇"


def test_a_place_keeps_its_person_in_the_same_seat() -> None:
    builders.need(2)
    rota = draft()
    one, other = rota.duties.filter(on=FIRST)
    first, second = Member.objects.order_by("-pk")[:2]
    one.member = first
    solution = Solution(
        frozenset(Assignment(FIRST, Shift.DAY, one.skill_id, each.pk) for each in (first, second)),
        *(0,) * 6,
        seconds=1,
    )

    assert actions._seats([one, other], solution) == {one.pk: first.pk, other.pk: second.pk}
