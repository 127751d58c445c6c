from collections.abc import Collection, Iterable
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from madoguchi.audit import actions as audit
from madoguchi.foundation import jobs, live
from madoguchi.messaging import actions as messaging
from madoguchi.offices.models import Division, Site
from madoguchi.rota import queries
from madoguchi.rota.models import (
    Absence,
    Duty,
    EmergencyContact,
    Leave,
    Member,
    Need,
    PlanRun,
    Rota,
    Skill,
    SwapRequest,
    Turn,
    TurnOrder,
    Wish,
)
from madoguchi.rota.rules import duties, steps
from madoguchi.rota.rules.duties import DayKind, Place, Shift
from madoguchi.rota.rules.solve import Progress, Solution
from madoguchi.staff.models import User

LOOK = "内容は、まどぐちの「当番」で確認してください。"
STANDARD = (  # skill, people on a weekday, people on a closed day
    ("職員", 2, 1),
    ("市民相談員", 2, 1),
    ("消費生活相談員", 2, 0),
)


def _changed(site_id: int, kind: str, *, at: datetime, **ids: int) -> None:
    live.publish(topic=f"rota.{site_id}", kind=kind, at=at, **ids)


def _swap_changed(swap: SwapRequest, kind: str, *, site_id: int, at: datetime) -> None:
    """Tell the rota's pages, and the desks of those whose word is waited for."""
    _changed(site_id, kind, at=at, swap=swap.pk)
    for topic in (f"user.{swap.colleague.user_id}", f"division.{swap.asker.user.division_id}"):
        live.publish(topic=topic, kind=kind, at=at, swap=swap.pk)


def _mail(users: Iterable[User], *, subject: str, at: datetime, about: str = "") -> None:
    """Tell each of them that there is something to see; never what."""
    told = {user.pk: user for user in users if user.email and user.is_active}
    for user in told.values():
        messaging.post(
            channel="mail",
            to=user.email,
            subject=subject,
            body=f"{subject}。{LOOK}",
            at=at,
            about=about,
        )


# What the site asks for, and who is there.


@transaction.atomic
def set_up(*, site: Site, by: User, at: datetime) -> None:
    """Give the site the usual skills and needs, to be changed afterwards; once."""
    Site.objects.select_for_update().get(pk=site.pk)
    if Need.objects.filter(site=site).exists():
        raise steps.StepNotAllowed("必要人数は、もう決まっています。")
    for position, (name, weekday, closed) in enumerate(STANDARD, start=1):
        skill, _ = Skill.objects.get_or_create(name=name, defaults={"position": position})
        for kind, count in ((DayKind.WEEKDAY, weekday), (DayKind.CLOSED, closed)):
            Need.objects.create(site=site, day_kind=kind.value, skill=skill, count=count)
    audit.record(verb="need.set_up", target=site, actor=by.get_username(), at=at)


@transaction.atomic
def add_skill(*, name: str, by: User, at: datetime) -> Skill:
    """Add a skill that places on duty can ask for."""
    skill = Skill.objects.create(name=name, position=Skill.objects.count() + 1)
    audit.record(verb="skill.add", target=skill, actor=by.get_username(), at=at)
    return skill


@transaction.atomic
def set_need(
    *, site: Site, day_kind: str, shift: str, skill: Skill, count: int, by: User, at: datetime
) -> None:
    """Say how many people of the skill the shift needs; plans made from now on follow it."""
    Need.objects.update_or_create(
        site=site,
        day_kind=day_kind,
        shift=shift,
        skill=skill,
        defaults={"count": count},
    )
    audit.record(
        verb="need.set",
        target=site,
        actor=by.get_username(),
        at=at,
        detail={"day_kind": day_kind, "shift": shift, "skill": skill.pk, "count": count},
    )


@transaction.atomic
def save_member(
    *,
    user: User,
    site: Site,
    skills: Collection[Skill],
    serves_weekdays: bool,
    serves_closed_days: bool,
    weekdays: str,
    share: int,
    joins_on: date | None = None,
    leaves_on: date | None = None,
    by: User,
    at: datetime,
) -> Member:
    """Enter someone in the rota of a site, or change on which days they serve."""
    member, is_new = Member.objects.update_or_create(
        user=user,
        defaults={
            "site": site,
            "serves_weekdays": serves_weekdays,
            "serves_closed_days": serves_closed_days,
            "weekdays": weekdays,
            "share": share,
            "joins_on": joins_on,
            "leaves_on": leaves_on,
        },
    )
    member.skills.set(skills)
    audit.record(
        verb="member.add" if is_new else "member.change",
        target=member,
        actor=by.get_username(),
        at=at,
        detail={"user": user.pk, "skills": sorted(skill.pk for skill in skills)},
    )
    return member


@transaction.atomic
def set_turn_order(*, site: Site, divisions: Collection[Division], by: User, at: datetime) -> None:
    """Set in which order divisions staff the closed days (各課の持ち回り)."""
    Site.objects.select_for_update().get(pk=site.pk)
    TurnOrder.objects.filter(site=site).delete()
    TurnOrder.objects.bulk_create(
        TurnOrder(site=site, division=division, position=position)
        for position, division in enumerate(divisions, start=1)
    )
    audit.record(
        verb="turn_order.set",
        target=site,
        actor=by.get_username(),
        at=at,
        detail={"divisions": [division.pk for division in divisions]},
    )


# Leave and wishes.


@transaction.atomic
def take_leave(
    *, member: Member, first: date, last: date, kind: str, by: User, at: datetime
) -> Leave:
    """
    Note days on which the member cannot be on duty; plans made from now on respect it.

    :raises PeriodNotPossible: the days are in the wrong order, or more than a year.
    """
    steps.check_period(first, last)
    leave = Leave.objects.create(member=member, first=first, last=last, kind=kind)
    audit.record(verb="leave.take", target=leave, actor=by.get_username(), at=at)
    return leave


@transaction.atomic
def cancel_leave(*, leave: Leave, by: User, at: datetime) -> None:
    key = str(leave.pk)
    leave.delete()
    audit.record(verb="leave.cancel", key=key, actor=by.get_username(), at=at)


@transaction.atomic
def wish(*, member: Member, on: date, kind: str, by: User, at: datetime) -> Wish:
    """Note that the member would rather have the day off, or be on duty. The last word counts."""
    wished, _ = Wish.objects.update_or_create(member=member, on=on, defaults={"kind": kind})
    audit.record(verb="wish.make", target=wished, actor=by.get_username(), at=at)
    return wished


@transaction.atomic
def unwish(*, wish: Wish, by: User, at: datetime) -> None:
    key = str(wish.pk)
    wish.delete()
    audit.record(verb="wish.withdraw", key=key, actor=by.get_username(), at=at)


# From a draft to a published rota.


@transaction.atomic
def make(
    *,
    site: Site,
    first: date,
    last: date,
    most_in_row: int = 5,
    closed_gap: int = 1,
    by: User,
    at: datetime,
) -> Rota:
    """
    Begin a rota: every place of every open day, still empty, and the divisions' turns.

    :raises PeriodNotPossible: the days are in the wrong order, or more than a year.
    :raises StepNotAllowed: nobody has said yet how many people are needed.
    """
    steps.check_period(first, last)
    rota = Rota.objects.create(
        site=site,
        first=first,
        last=last,
        most_in_row=most_in_row,
        closed_gap=closed_gap,
        made_by=by,
        made_at=at,
    )
    _lay_out(rota)
    if not rota.duties.exists():
        raise steps.StepNotAllowed(
            "この期間に必要な当番がありません。必要人数と開庁日を確認してください。"
        )
    _changed(site.pk, "rota.made", at=at, rota=rota.pk)
    audit.record(verb="rota.make", target=rota, actor=by.get_username(), at=at)
    return rota


def _lay_out(rota: Rota) -> None:
    """Make the places and turns as needs and opening days ask now; keep what was set by hand."""
    kept = {
        (duty.on, duty.shift, duty.skill_id, duty.seat)
        for duty in rota.duties.filter(is_fixed=True)
    }
    rota.duties.filter(is_fixed=False).delete()
    places = queries.places(rota)
    Duty.objects.bulk_create(
        [
            Duty(rota=rota, on=place.on, shift=place.shift.value, skill_id=place.skill, seat=seat)
            for place in places
            for seat in range(1, place.count + 1)
            if (place.on, place.shift.value, place.skill, seat) not in kept
        ],
        batch_size=500,
    )
    rota.turns.all().delete()
    order = queries.turn_divisions(rota.site)
    last = queries.last_turn(rota)
    start = order.index(last) + 1 if last in order else 0
    turns = duties.turns({place.on for place in places}, order, start=start)
    Turn.objects.bulk_create(
        [Turn(rota=rota, on=on, division_id=division) for on, division in turns.items()],
        batch_size=500,
    )


@transaction.atomic
def discard(*, rota: Rota, by: User, at: datetime) -> None:
    """
    Throw a draft away.

    :raises StepNotAllowed: it is published.
    """
    rota = Rota.objects.select_for_update().get(pk=rota.pk)
    steps.check_draft(steps.Status(rota.status))
    key, site_id = str(rota.pk), rota.site_id
    rota.delete()
    _changed(site_id, "rota.discarded", at=at)
    audit.record(verb="rota.discard", key=key, actor=by.get_username(), at=at)


@transaction.atomic
def publish(*, rota: Rota, accept_holes: bool = False, by: User, at: datetime) -> Rota:
    """
    Make the draft the rota that counts, and tell everyone in it.

    :raises StepNotAllowed: published already, nothing planned, or its days are taken.
    :raises HolesLeft: places are empty, and `accept_holes` does not say that this is known.
    :raises RunInProgress: it is being planned at this moment.
    """
    Site.objects.select_for_update().get(pk=rota.site_id)  # one publication at a time
    rota = Rota.objects.select_for_update().get(pk=rota.pk)
    _check_no_run(rota)
    steps.check_publish(
        steps.Status(rota.status),
        holes=rota.duties.empty().count(),
        duties=rota.duties.exclude(member=None).count(),
        accept_holes=accept_holes,
    )
    if queries.overlapping(rota).exists():
        raise steps.StepNotAllowed("この期間には、もう公開した当番表があります。")
    rota.status = steps.Status.PUBLISHED.value
    rota.published_by, rota.published_at = by, at
    rota.save(update_fields=["status", "published_by", "published_at"])
    _changed(rota.site_id, "rota.published", at=at, rota=rota.pk)
    everyone = User.objects.filter(rota_member__duties__rota=rota).distinct().order_by("pk")
    _mail(everyone, subject="当番表が公開されました", at=at)
    audit.record(verb="rota.publish", target=rota, actor=by.get_username(), at=at)
    return rota


# Planning by machine.


@transaction.atomic
def ask_plan(
    *, rota: Rota, changes_from: date | None = None, seed: int = 1, by: User, at: datetime
) -> PlanRun:
    """
    Queue a run of the planner: a draft as a whole, or a published rota from a day on.

    A run on a published rota only proposes; `apply_run` makes the proposal count.

    :raises StepNotAllowed: a published rota without a day, or a draft with one.
    :raises RunInProgress: one run is not over yet.
    """
    rota = Rota.objects.select_for_update().get(pk=rota.pk)
    _check_no_run(rota)
    if changes_from is None:
        steps.check_draft(steps.Status(rota.status))
        _lay_out(rota)
    elif steps.Status(rota.status) is not steps.Status.PUBLISHED:
        raise steps.StepNotAllowed("公開していない当番表は、全体を組んでください。")
    else:
        steps.check_ahead(changes_from, today=timezone.localdate(at))
    run = rota.runs.create(
        changes_from=changes_from, seed=seed, asked_by=by, asked_at=at, heard_at=at
    )
    _changed(rota.site_id, "rota.run", at=at, run=run.pk)
    jobs.after_commit("madoguchi.rota.tasks.run_planner", run.pk)
    audit.record(verb="rota.ask_plan", target=rota, actor=by.get_username(), at=at)
    return run


def _check_no_run(rota: Rota) -> None:
    if rota.runs.filter(status__in=(steps.Run.WAITING.value, steps.Run.RUNNING.value)).exists():
        raise steps.RunInProgress("いま当番を組んでいます。終わってから操作してください。")


@transaction.atomic
def begin_run(*, run_id: int, at: datetime) -> PlanRun | None:
    """Claim the run for this worker; None when it is not waiting any more."""
    mine = PlanRun.objects.filter(pk=run_id, status=steps.Run.WAITING.value)
    if mine.update(status=steps.Run.RUNNING.value, heard_at=at) == 0:
        return None
    run = PlanRun.objects.select_related("rota__site").get(pk=run_id)
    _changed(run.rota.site_id, "rota.run", at=at, run=run.pk)
    return run


@transaction.atomic
def note_progress(*, run: PlanRun, progress: Progress, at: datetime) -> bool:
    """Show how far the planner is; False when someone has stopped the run."""
    going = PlanRun.objects.filter(pk=run.pk, status=steps.Run.RUNNING.value)
    shown = {
        "stage": progress.stage,
        "seconds": round(progress.seconds, 1),
        "heard_at": at,
        progress.stage: progress.value,
        {"price": "bound"}.get(progress.stage, f"{progress.stage}_bound"): progress.bound,
    }
    if going.update(**shown) == 0:
        return False
    _changed(run.rota.site_id, "rota.run", at=at, run=run.pk)
    return True


@transaction.atomic
def finish_run(*, run: PlanRun, solution: Solution, at: datetime) -> None:
    """Write the plan into the draft, or keep it as a proposal; a stopped run changes nothing."""
    rota = Rota.objects.select_for_update().get(pk=run.rota_id)
    run = PlanRun.objects.select_for_update().select_related("asked_by").get(pk=run.pk)
    if run.status != steps.Run.RUNNING.value:
        return
    rows = list(rota.duties.all())
    seats = _seats(rows, solution)
    if run.changes_from is None:
        _write_seats(rows, seats)
    else:
        run.proposal = [
            {"duty": row.pk, "was": row.member_id, "then": seats[row.pk]}
            for row in rows
            if row.member_id != seats[row.pk]
        ]
    run.status = steps.Run.DONE.value
    run.stage = "price"
    run.seconds = round(solution.seconds, 1)
    run.holes, run.holes_bound = solution.holes, solution.holes_bound
    run.changes, run.changes_bound = solution.changes, solution.changes_bound
    run.price, run.bound = solution.price, solution.bound
    run.heard_at = at
    run.save()
    _changed(rota.site_id, "rota.planned", at=at, run=run.pk)
    audit.record(
        verb="rota.plan",
        target=rota,
        actor=run.asked_by.get_username(),
        at=at,
        detail={"run": run.pk, "holes": solution.holes, "price": solution.price},
    )


def _seats(rows: list[Duty], solution: Solution) -> dict[int, int | None]:
    """Return who sits in which row; whoever stood in a place before keeps their seat."""
    wanted: dict[tuple[date, str, int], set[int]] = {}
    for each in solution.plan:
        wanted.setdefault((each.on, each.shift.value, each.skill), set()).add(each.person)
    seats: dict[int, int | None] = {}
    for row in rows:
        people = wanted.get((row.on, row.shift, row.skill_id), set())
        if row.member_id in people:
            people.remove(row.member_id)
            seats[row.pk] = row.member_id
    for row in rows:
        if row.pk not in seats:
            people = wanted.get((row.on, row.shift, row.skill_id), set())
            person = min(people, default=None)
            people.discard(person or 0)
            seats[row.pk] = person
    return seats


def _write_seats(rows: Iterable[Duty], seats: dict[int, int | None]) -> list[Duty]:
    """Save the new people; seats are emptied first, since nobody may sit twice a day meanwhile."""
    changed = [row for row in rows if row.member_id != seats[row.pk]]
    Duty.objects.filter(pk__in=[row.pk for row in changed]).update(member=None, is_fixed=False)
    for row in changed:
        row.member_id, row.is_fixed = seats[row.pk], False
    Duty.objects.bulk_update(changed, ["member", "is_fixed"], batch_size=300)
    return changed


@transaction.atomic
def stop_run(*, run: PlanRun, by: User, at: datetime) -> None:
    """Stop a run that is not over; the rota stays as it was."""
    run = PlanRun.objects.select_for_update().select_related("rota").get(pk=run.pk)
    if not run.is_open:
        raise steps.StepNotAllowed("この作成は、もう終わっています。")
    _end_run(run, "中止しました。", at=at)
    audit.record(verb="rota.stop_run", target=run.rota, actor=by.get_username(), at=at)


@transaction.atomic
def fail_run(*, run_id: int, reason: str, at: datetime) -> None:
    """Note that the planner broke off; nothing happens to a run that is over."""
    run = PlanRun.objects.select_for_update().select_related("rota").get(pk=run_id)
    if run.is_open:
        _end_run(run, reason, at=at)
        audit.record(verb="rota.fail_run", target=run.rota, actor="system", at=at)


def _end_run(run: PlanRun, reason: str, *, at: datetime) -> None:
    run.status, run.failure, run.heard_at = steps.Run.FAILED.value, reason, at
    run.save(update_fields=["status", "failure", "heard_at"])
    _changed(run.rota.site_id, "rota.run", at=at, run=run.pk)


@transaction.atomic
def apply_run(*, run: PlanRun, by: User, at: datetime) -> int:
    """
    Make the proposed changes of a published rota count; return how many duties changed.

    :raises StepNotAllowed: nothing is proposed, or a duty has changed since.
    """
    rota = Rota.objects.select_for_update().get(pk=run.rota_id)
    run = PlanRun.objects.select_for_update().get(pk=run.pk)
    if run.status != steps.Run.DONE.value or not run.proposal:
        raise steps.StepNotAllowed("適用する変更がありません。")
    proposed = {each["duty"]: each for each in run.proposal}
    rows = list(rota.duties.filter(pk__in=proposed).select_related("member__user"))
    if len(rows) != len(proposed) or any(row.member_id != proposed[row.pk]["was"] for row in rows):
        raise steps.StepNotAllowed(
            "組み直しのあとで当番が変わりました。もう一度「組み直す」を実行してください。"
        )
    before = [row.member.user for row in rows if row.member]
    changed = _write_seats(rows, {row.pk: proposed[row.pk]["then"] for row in rows})
    run.proposal = []
    run.save(update_fields=["proposal"])
    _end_swaps([row.pk for row in changed])
    _changed(rota.site_id, "duty.changed", at=at, rota=rota.pk)
    after = User.objects.filter(rota_member__duties__in=changed).distinct()
    _mail([*before, *after], subject="当番が変わりました", at=at)
    audit.record(
        verb="rota.apply_run",
        target=rota,
        actor=by.get_username(),
        at=at,
        detail={"run": run.pk, "duties": sorted(row.pk for row in changed)},
    )
    return len(changed)


def _end_swaps(duty_ids: Collection[int]) -> None:
    """Withdraw the open swaps of duties that have a new person."""
    open_swaps = SwapRequest.objects.filter(status__in=[swap.value for swap in steps.SWAP_OPEN])
    for field in ("duty__in", "in_return__in"):
        open_swaps.filter(**{field: duty_ids}).update(status=steps.Swap.WITHDRAWN.value)


# By hand.


@transaction.atomic
def assign(
    *,
    duty: Duty,
    member: Member | None,
    accept: bool = False,
    by: User,
    at: datetime,
) -> Duty:
    """
    Put a member on the duty by hand, or nobody; the planner leaves it so.

    :raises DutyBroken: a rule speaks against it, and `accept` does not say that this is known.
    :raises StepNotAllowed: the day has passed.
    :raises RunInProgress: the rota is being planned at this moment.
    """
    rota = Rota.objects.select_for_update().get(pk=duty.rota_id)
    duty = Duty.objects.select_for_update().get(pk=duty.pk)
    _check_no_run(rota)
    is_public = rota.status == steps.Status.PUBLISHED.value
    if is_public:
        steps.check_ahead(duty.on, today=timezone.localdate(at))
    if member is not None:
        _check_free(duty, member, accept=accept)
    before = duty.member
    duty.member, duty.is_fixed = member, member is not None
    duty.save(update_fields=["member", "is_fixed"])
    _end_swaps([duty.pk])
    _changed(rota.site_id, "duty.changed", at=at, duty=duty.pk)
    if is_public and before != member:
        _mail(
            [each.user for each in (before, member) if each], subject="当番が変わりました", at=at
        )
    audit.record(
        verb="duty.assign",
        target=duty,
        actor=by.get_username(),
        at=at,
        detail={
            "was": before.pk if before else None,
            "then": member.pk if member else None,
            "accepted": accept,
        },
    )
    return duty


def _check_free(duty: Duty, member: Member, *, accept: bool, freed: Collection[Duty] = ()) -> None:
    """
    Check the member against every rule, as if the `freed` duties were not theirs.

    Two duties a day are never accepted: the table refuses them.
    """
    if member.site_id != duty.rota.site_id:
        raise steps.DutyBroken("この庁舎の当番員ではありません。")
    asked = queries.problem(duty.rota, with_carried=False)
    gone = {queries.assignment(each) for each in (duty, *freed)}
    days = duties.duty_days(asked, queries.plan(duty.rota) - gone)
    person = asked.person.get(member.pk)
    if person is None:
        raise steps.DutyBroken(f"{member}さんは、この期間の当番員ではありません。")
    place = Place(duty.on, duties.day_kind(duty.on), Shift(duty.shift), duty.skill_id)
    why = duties.hindrance_among(person, place, duties=days[person.id], problem=asked)
    if duty.on in days[person.id]:
        raise steps.DutyBroken(f"{member}さんは、同じ日に別の当番があります。")
    if why and not accept:
        raise steps.DutyBroken(
            f"{member}さんは決まりに合いません（{duties.HINDRANCE_LABELS[why]}）。"
            "それでもよいときは「承知のうえで決める」を選んでください。"
        )


# Swaps: asked, agreed by the colleague, approved by a supervisor.


@transaction.atomic
def ask_swap(
    *,
    duty: Duty,
    colleague: Member,
    in_return: Duty | None = None,
    reason: str = "",
    by: User,
    at: datetime,
) -> SwapRequest:
    """
    Ask a colleague to take the duty, perhaps in return for one of theirs.

    :raises StepNotAllowed: the day has passed, or a swap of this duty is open already.
    :raises DutyBroken: a rule keeps one of the two from their new duty.
    """
    rota = Rota.objects.select_for_update().get(pk=duty.rota_id)
    duty = Duty.objects.select_for_update().get(pk=duty.pk)
    if duty.member is None or rota.status != steps.Status.PUBLISHED.value:
        raise steps.StepNotAllowed("公開された自分の当番だけ、交代を申し出られます。")
    _check_exchange(duty, colleague, in_return, today=timezone.localdate(at))
    if duty.swaps.filter(status__in=[swap.value for swap in steps.SWAP_OPEN]).exists():
        raise steps.StepNotAllowed("この当番の交代は、もう申し出ています。")
    swap = SwapRequest.objects.create(
        duty=duty,
        asker=duty.member,
        colleague=colleague,
        in_return=in_return,
        reason=reason,
        asked_at=at,
    )
    _swap_changed(swap, "swap.asked", site_id=rota.site_id, at=at)
    _mail([colleague.user], subject="当番の交代の申し出があります", at=at)
    audit.record(verb="swap.ask", target=swap, actor=by.get_username(), at=at)
    return swap


def _check_exchange(duty: Duty, colleague: Member, in_return: Duty | None, *, today: date) -> None:
    steps.check_ahead(duty.on, today=today)
    if duty.member is None or colleague == duty.member:
        raise steps.StepNotAllowed("自分以外の当番員を選んでください。")
    _check_free(duty, colleague, accept=False, freed=[in_return] if in_return else [])
    if in_return is not None:
        steps.check_ahead(in_return.on, today=today)
        if in_return.member_id != colleague.pk or in_return.rota_id != duty.rota_id:
            raise steps.StepNotAllowed("代わる人の当番を選んでください。")
        _check_free(in_return, duty.member, accept=False, freed=[duty])


def _lock_swap(swap: SwapRequest) -> tuple[Rota, SwapRequest]:
    rota = Rota.objects.select_for_update().get(pk=swap.duty.rota_id)
    rows = SwapRequest.objects.select_related(
        "duty__rota", "duty__member__user", "in_return__rota", "asker__user", "colleague__user"
    )
    return rota, rows.select_for_update(of=("self",)).get(pk=swap.pk)


@transaction.atomic
def answer_swap(*, swap: SwapRequest, agrees: bool, by: User, at: datetime) -> SwapRequest:
    """Agree to take the duty, or decline. :raises StepNotAllowed: it was answered already."""
    rota, swap = _lock_swap(swap)
    then = steps.Swap.AGREED if agrees else steps.Swap.DECLINED
    steps.check_swap(steps.Swap(swap.status), then)
    swap.status, swap.answered_at = then.value, at
    swap.save(update_fields=["status", "answered_at"])
    _swap_changed(swap, "swap.answered", site_id=rota.site_id, at=at)
    _mail([swap.asker.user], subject="当番の交代に返事がありました", at=at)
    audit.record(verb=f"swap.{then.value}", target=swap, actor=by.get_username(), at=at)
    return swap


@transaction.atomic
def decide_swap(*, swap: SwapRequest, approves: bool, by: User, at: datetime) -> SwapRequest:
    """
    Approve the swap, which changes the duties, or refuse it. Nobody decides their own.

    :raises StepNotAllowed: the colleague has not agreed, it is over, or it is one's own.
    :raises DutyBroken: since it was asked, a rule has come to speak against it.
    """
    rota, swap = _lock_swap(swap)
    then = steps.Swap.APPROVED if approves else steps.Swap.REFUSED
    steps.check_swap(steps.Swap(swap.status), then)
    if by.pk in (swap.asker.user_id, swap.colleague.user_id):
        raise steps.StepNotAllowed("自分の交代は承認できません。ほかの承認者に頼んでください。")
    if approves:
        _exchange(swap, today=timezone.localdate(at))
    swap.status, swap.decided_by, swap.decided_at = then.value, by, at
    swap.save(update_fields=["status", "decided_by", "decided_at"])
    _swap_changed(swap, "swap.decided", site_id=rota.site_id, at=at)
    _mail([swap.asker.user, swap.colleague.user], subject="当番の交代の承認結果が出ました", at=at)
    audit.record(verb=f"swap.{then.value}", target=swap, actor=by.get_username(), at=at)
    return swap


def _exchange(swap: SwapRequest, *, today: date) -> None:
    _check_exchange(swap.duty, swap.colleague, swap.in_return, today=today)
    mine, theirs = swap.duty, swap.in_return
    rows = [mine, theirs] if theirs else [mine]
    seats: dict[int, int | None] = {mine.pk: swap.colleague_id}
    if theirs:
        seats[theirs.pk] = swap.asker_id
    for row in _write_seats(rows, seats):
        row.is_fixed = True
        row.save(update_fields=["is_fixed"])


@transaction.atomic
def withdraw_swap(*, swap: SwapRequest, by: User, at: datetime) -> SwapRequest:
    """Take the request back before it is decided."""
    rota, swap = _lock_swap(swap)
    steps.check_swap(steps.Swap(swap.status), steps.Swap.WITHDRAWN)
    swap.status = steps.Swap.WITHDRAWN.value
    swap.save(update_fields=["status"])
    _swap_changed(swap, "swap.withdrawn", site_id=rota.site_id, at=at)
    audit.record(verb="swap.withdraw", target=swap, actor=by.get_username(), at=at)
    return swap


# 担当者不在 and the emergency contacts.


@transaction.atomic
def report_absence(
    *,
    user: User,
    first: date,
    last: date,
    kind: str,
    stand_in: User | None = None,
    note: str = "",
    by: User,
    at: datetime,
) -> Absence:
    """
    Say that someone is not there, who stands in and what they need to know.

    :raises PeriodNotPossible: the days are in the wrong order, or more than a year.
    :raises WishTaken: the absence of this person is known, or the stand-in is away too.
    """
    User.objects.select_for_update().get(pk=user.pk)
    steps.check_period(first, last)
    overlapping = Absence.objects.filter(first__lte=last, last__gte=first, ended_at=None)
    if overlapping.filter(user=user).exists():
        raise steps.WishTaken(f"{user}さんの不在は、この期間にもう登録されています。")
    if stand_in is not None:
        if stand_in == user:
            raise steps.WishTaken("代わりの人には、本人以外を選んでください。")
        if overlapping.filter(user=stand_in).exists():
            raise steps.WishTaken(f"{stand_in}さんも不在です。ほかの人を選んでください。")
    absence = Absence.objects.create(
        user=user,
        first=first,
        last=last,
        kind=kind,
        stand_in=stand_in,
        note=note,
        told_by=by,
        told_at=at,
    )
    _absence_changed(absence, at=at)
    if stand_in is not None and stand_in != by:
        _mail([stand_in], subject="不在の職員の代わりに指名されました", at=at)
    audit.record(verb="absence.report", target=absence, actor=by.get_username(), at=at)
    return absence


def _absence_changed(absence: Absence, *, at: datetime) -> None:
    """Tell every counter, the division and whoever stands in."""
    topics = [f"rota.{site.pk}" for site in Site.objects.filter(is_active=True).order_by("pk")]
    topics.append(f"division.{absence.user.division_id}")
    if absence.stand_in_id:
        topics.append(f"user.{absence.stand_in_id}")
    for topic in topics:
        live.publish(topic=topic, kind="absence", at=at, absence=absence.pk)


@transaction.atomic
def name_stand_in(
    *, absence: Absence, stand_in: User | None, note: str, by: User, at: datetime
) -> Absence:
    """
    Change who stands in, and what they need to know.

    :raises StepNotAllowed: the absence is over.
    :raises WishTaken: the stand-in is away too, or the absent person.
    """
    absence = Absence.objects.select_for_update().get(pk=absence.pk)
    if absence.ended_at:
        raise steps.StepNotAllowed("この不在は、もう取り消されています。")
    if stand_in is not None:
        away = Absence.objects.filter(
            user=stand_in, first__lte=absence.last, last__gte=absence.first, ended_at=None
        )
        if stand_in.pk == absence.user_id or away.exists():
            raise steps.WishTaken(f"{stand_in}さんも不在です。ほかの人を選んでください。")
    is_new = stand_in is not None and stand_in.pk != absence.stand_in_id
    absence.stand_in, absence.note = stand_in, note
    absence.save(update_fields=["stand_in", "note"])
    _absence_changed(absence, at=at)
    if is_new and stand_in is not None and stand_in != by:
        _mail([stand_in], subject="不在の職員の代わりに指名されました", at=at)
    audit.record(verb="absence.name_stand_in", target=absence, actor=by.get_username(), at=at)
    return absence


@transaction.atomic
def end_absence(*, absence: Absence, by: User, at: datetime) -> None:
    """The person is back, or never was away. Twice is the same as once."""
    absence = Absence.objects.select_for_update().get(pk=absence.pk)
    if absence.ended_at:
        return
    absence.ended_at = at
    absence.save(update_fields=["ended_at"])
    _absence_changed(absence, at=at)
    audit.record(verb="absence.end", target=absence, actor=by.get_username(), at=at)


@transaction.atomic
def save_contacts(
    *, division: Division, rows: Collection[tuple[str, str, str]], by: User, at: datetime
) -> None:
    """Set whom to call for the division on closed days: (name, phone, note), in this order."""
    Division.objects.select_for_update().get(pk=division.pk)
    division.emergency_contacts.all().delete()
    EmergencyContact.objects.bulk_create(
        EmergencyContact(division=division, position=position, name=name, phone=phone, note=note)
        for position, (name, phone, note) in enumerate(rows, start=1)
    )
    audit.record(verb="emergency_contact.save", target=division, actor=by.get_username(), at=at)
