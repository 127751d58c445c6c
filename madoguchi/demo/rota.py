"""The centre's rota: who takes duties, whose turn it is, two months published, one begun."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from madoguchi.demo import city
from madoguchi.offices.models import Division, Site
from madoguchi.rota import actions, queries, solver
from madoguchi.rota.models import Duty, Member, Rota, Skill
from madoguchi.rota.rules import duties, steps
from madoguchi.rota.rules.solve import Solution
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role


def plan_duties(*, seed: int, at: datetime, on: date) -> None:
    """Enter members, needs and turns of the centre, and publish this month and the next."""
    site = Site.objects.get(name=city.CENTRE_SITE)
    head = User.objects.get(username="center")
    _ask_for_people(site, by=head, at=at)
    _enter_members(site, by=head, at=at)
    _take_turns(site, by=head, at=at)
    _name_contacts(by=head, at=at)
    first = on.replace(day=1)
    last = (first + timedelta(days=63)).replace(day=1) - timedelta(days=1)
    _wish(first, last, at=at)
    rota = actions.make(site=site, first=first, last=last, by=head, at=at)
    _plan(rota, seed=seed, by=head, at=at)
    actions.publish(rota=rota, accept_holes=True, by=head, at=at)
    _be_away(on, by=head, at=at)
    _swap("shinri", "soudan", agreed=False, on=on, at=at)
    _swap("shohi", "shinri", agreed=True, on=on, at=at)
    _begin_next(rota, by=head, at=at)


def _ask_for_people(site: Site, *, by: User, at: datetime) -> None:
    actions.set_up(site=site, by=by, at=at)
    staff, counsellor, consumer = Skill.objects.all()
    for skill, weekday, closed in ((staff, 1, 1), (counsellor, 2, 1), (consumer, 0, 0)):
        for kind, count in ((duties.DayKind.WEEKDAY, weekday), (duties.DayKind.CLOSED, closed)):
            actions.set_need(
                site=site,
                day_kind=kind.value,
                shift=duties.Shift.DAY.value,
                skill=skill,
                count=count,
                by=by,
                at=at,
            )


def _enter_members(site: Site, *, by: User, at: datetime) -> None:
    """The centre's people, and one officer of each division for the closed days."""
    staff, counsellor, consumer = Skill.objects.all()
    people = User.objects.select_related("division").order_by("pk")
    for user in people.filter(division__is_centre=True).exclude(role=Role.CENTRE_HEAD):
        skills = {
            Role.RECEPTION: [staff],
            Role.CONSUMER_COUNSELLOR: [counsellor, consumer],
        }.get(Role(user.role), [counsellor])
        _enter(user, site, skills, weekdays=True, closed=skills != [staff], by=by, at=at)
    _enter(by, site, [staff], weekdays=True, closed=False, by=by, at=at)
    for user in people.filter(role=Role.OFFICER, division__is_outside=False):
        _enter(user, site, [staff], weekdays=False, closed=True, by=by, at=at)


def _enter(
    user: User,
    site: Site,
    skills: list[Skill],
    *,
    weekdays: bool,
    closed: bool,
    by: User,
    at: datetime,
) -> None:
    actions.save_member(
        user=user,
        site=site,
        skills=skills,
        serves_weekdays=weekdays,
        serves_closed_days=closed,
        weekdays=duties.WEEKDAYS[:5],
        share=100,
        by=by,
        at=at,
    )


def _take_turns(site: Site, *, by: User, at: datetime) -> None:
    divisions = Division.objects.filter(
        staff__rota_member__serves_closed_days=True, is_centre=False
    )
    actions.set_turn_order(
        site=site, divisions=list(divisions.distinct().order_by("pk")), by=by, at=at
    )


def _name_contacts(*, by: User, at: datetime) -> None:
    for number, user in enumerate(User.objects.filter(role=Role.SUPERVISOR).order_by("pk")):
        actions.save_contacts(
            division=user.division,
            rows=[(user.name, f"000-0000-3{number:03}", "閉庁日は9:00から")],
            by=by,
            at=at,
        )


def _wish(first: date, last: date, *, at: datetime) -> None:
    days = queries.days(first, last)
    for number, member in enumerate(Member.objects.select_related("user").order_by("pk")):
        on = days[(number * 7) % len(days)]
        kind = steps.Wish.WANT if number % 4 == 0 else steps.Wish.AVOID
        actions.wish(member=member, on=on, kind=kind.value, by=member.user, at=at)


def _plan(rota: Rota, *, seed: int, by: User, at: datetime) -> None:
    """Run the planner here and now: the demo does not wait for a worker."""
    run = actions.ask_plan(rota=rota, seed=seed, by=by, at=at)
    begun = actions.begin_run(run_id=run.pk, at=at)
    if begun is None:
        return
    for message in solver.search(queries.problem(rota), seed=seed):
        if isinstance(message, Solution):
            told = replace(message, seconds=0.0)  # the same seed is the same city on any machine
            actions.finish_run(run=begun, solution=told, at=at)


def _be_away(on: date, *, by: User, at: datetime) -> None:
    person, stand_in = (User.objects.get(username=name) for name in ("hoiku2", "kakari"))
    actions.report_absence(
        user=person,
        first=on,
        last=on + timedelta(days=1),
        kind=steps.Leave.TRIP.value,
        stand_in=stand_in,
        note="10時に保育所の見学の電話が入る予定です。資料は共有の棚にあります。",
        by=by,
        at=at,
    )


def _swap(asker: str, colleague: str, *, agreed: bool, on: date, at: datetime) -> None:
    """One counsellor asks another to take the first duty that they could take."""
    taker = Member.objects.select_related("user").get(user__username=colleague)
    coming = Duty.objects.published().filter(member__user__username=asker, on__gt=on)
    for duty in coming.select_related("rota__site", "member__user"):
        free = {each.member.pk for each in queries.candidates(duty) if each.is_free}
        if duty.member and taker.pk in free:
            by = duty.member.user
            swap = actions.ask_swap(duty=duty, colleague=taker, by=by, at=at)
            if agreed:
                actions.answer_swap(swap=swap, agrees=True, by=taker.user, at=at)
            return


def _begin_next(rota: Rota, *, by: User, at: datetime) -> None:
    """Lay out the month after; on its first day one counsellor must be there, and one is away."""
    first = rota.last + timedelta(days=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    there, away = Member.objects.filter(user__username__in=("soudan", "shinri")).order_by("pk")
    actions.wish(member=there, on=first, kind=steps.Wish.MUST.value, by=by, at=at)
    actions.take_leave(
        member=away,
        first=first,
        last=first + timedelta(days=4),
        kind=steps.Leave.HOLIDAY.value,
        by=away.user,
        at=at,
    )
    actions.make(site=rota.site, first=first, last=last, by=by, at=at)
