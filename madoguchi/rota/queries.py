from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import groupby

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from madoguchi.foundation.dates import fiscal_year
from madoguchi.offices import queries as offices
from madoguchi.offices.models import Division, Site
from madoguchi.offices.rules import OfficeDay
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
from madoguchi.rota.rules.duties import (
    Assignment,
    Burden,
    DayKind,
    Person,
    Place,
    Problem,
    Shift,
)
from madoguchi.staff.models import User

SOFT_LABELS = {
    duties.Soft.MUST: "「必ず入る」日に当番なし（1回）",
    duties.Soft.YEAR_END: "年末年始の偏り（1日）",
    duties.Soft.CLOSED: "閉庁日の偏り（1日）",
    duties.Soft.WEEKEND: "土日の偏り（1日）",
    duties.Soft.AVOID: "避けたい日に当番（1回）",
    duties.Soft.TURN: "持ち回りの課以外の人（1日）",
    duties.Soft.WANT: "入りたい日に当番なし（1回）",
    duties.Soft.WEEKDAY: "平日の偏り（1日）",
}
NEIGHBOURS = timedelta(days=14)  # duties of other plans this close count for rest


def sites() -> QuerySet[Site]:
    """Return the sites that keep a rota, or that could because they open on closed days."""
    has_rota = Q(needs__isnull=False) | Q(closed_day_opens_at__isnull=False)
    return Site.objects.filter(has_rota, is_active=True).distinct().order_by("id")


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def places(rota: Rota) -> list[Place]:
    """Return the places that the site's needs ask for on every open day of the rota."""
    needs = list(Need.objects.filter(site=rota.site, count__gt=0))
    open_days = offices.open_hours(site=rota.site, first=rota.first, last=rota.last)
    return sorted(
        Place(on, duties.day_kind(on), Shift(need.shift), need.skill_id, need.count)
        for on in open_days
        for need in needs
        if need.day_kind == duties.day_kind(on).value
    )


def problem(rota: Rota, *, changes_from: date | None = None, with_carried: bool = True) -> Problem:
    """
    Return the rota as a problem to solve or to check. A fixed number of queries.

    With `changes_from` the days before it are fixed, and from it on as few duties as possible
    shall change; what was set by hand yields only to someone's absence.
    """
    members = list(
        Member.objects.filter(site=rota.site)
        .serving(first=rota.first, last=rota.last)
        .select_related("user")
        .prefetch_related("skills")
        .order_by("id")
    )
    away = _away(members, first=rota.first, last=rota.last)
    wishes = Wish.objects.filter(member__in=members, on__range=(rota.first, rota.last))
    wished: dict[tuple[int, str], set[date]] = defaultdict(set)
    for wish in wishes:
        wished[wish.member_id, wish.kind].add(wish.on)
    rows = list(rota.duties.all())
    carried = _carried(rota) if with_carried else {}
    people = tuple(
        Person(
            member.pk,
            skills=frozenset(skill.pk for skill in member.skills.all()),
            division=member.user.division_id,
            kinds=_kinds(member),
            weekdays=frozenset(duties.WEEKDAYS.index(letter) for letter in member.weekdays),
            share=member.share,
            away=frozenset(away[member.pk].all),
            excused=frozenset(away[member.pk].excused),
            avoid=frozenset(wished[member.pk, steps.Wish.AVOID.value]),
            want=frozenset(wished[member.pk, steps.Wish.WANT.value]),
            must=frozenset(wished[member.pk, steps.Wish.MUST.value]),
            carried=tuple(
                (burden, round(carried[member.pk, burden], 6))
                for burden in Burden
                if (member.pk, burden) in carried
            ),
        )
        for member in members
    )
    given = {assignment(row): row for row in rows if row.member_id}
    if changes_from is None:
        fixed = {each for each, row in given.items() if row.is_fixed}
        previous: set[Assignment] = set()
    else:
        fixed = {
            each
            for each, row in given.items()
            if each.on < changes_from
            or (row.is_fixed and each.person in away and each.on not in away[each.person].all)
        }
        previous = {each for each in given if each.on >= changes_from}
    return Problem(
        people=people,
        places=_rows_as_places(rows) if rows else tuple(places(rota)),
        most_in_row=rota.most_in_row,
        closed_gap=rota.closed_gap,
        turns={turn.on: turn.division_id for turn in rota.turns.all()},
        fixed=frozenset(fixed),
        around=_around(rota),
        previous=frozenset(previous),
    )


def assignment(duty: Duty) -> Assignment:
    return Assignment(duty.on, Shift(duty.shift), duty.skill_id, duty.member_id or 0)


def plan(rota: Rota) -> frozenset[Assignment]:
    """Return who stands where in the rota as it is saved."""
    return frozenset(assignment(duty) for duty in rota.duties.exclude(member=None))


def _rows_as_places(rows: Iterable[Duty]) -> tuple[Place, ...]:
    counted = Counter((row.on, Shift(row.shift), row.skill_id) for row in rows)
    return tuple(
        Place(on, duties.day_kind(on), shift, skill, count)
        for (on, shift, skill), count in sorted(counted.items())
    )


@dataclass
class _Away:
    all: set[date]
    excused: set[date]


def _away(members: list[Member], *, first: date, last: date) -> dict[int, _Away]:
    """Return the days on which each member cannot be on duty, by member."""
    whole = days(first, last)
    found = {member.pk: _Away(set(), set()) for member in members}
    for member in members:
        outside = {
            on
            for on in whole
            if (member.joins_on and on < member.joins_on)
            or (member.leaves_on and on > member.leaves_on)
        }
        found[member.pk].all |= outside
        found[member.pk].excused |= outside
    by_user = {member.user_id: member.pk for member in members}
    leaves = Leave.objects.filter(member__in=members, first__lte=last, last__gte=first)
    absences = Absence.objects.filter(
        user__in=by_user, first__lte=last, last__gte=first, ended_at=None
    )
    periods = [(leave.member_id, leave.first, leave.last) for leave in leaves]
    periods += [(by_user[each.user_id], each.first, each.last) for each in absences]
    for member_id, start, end in periods:
        inside = set(days(max(start, first), min(end, last)))
        found[member_id].all |= inside
        if (end - start).days + 1 >= duties.LONG_LEAVE:
            found[member_id].excused |= inside
    return found


def _kinds(member: Member) -> frozenset[DayKind]:
    serves = {
        DayKind.WEEKDAY: member.serves_weekdays,
        DayKind.CLOSED: member.serves_closed_days,
    }
    return frozenset(kind for kind, yes in serves.items() if yes)


def _around(rota: Rota) -> frozenset[tuple[int, date]]:
    near = Duty.objects.published().filter(
        Q(on__range=(rota.first - NEIGHBOURS, rota.first - timedelta(days=1)))
        | Q(on__range=(rota.last + timedelta(days=1), rota.last + NEIGHBOURS)),
        member__isnull=False,
    )
    return frozenset(near.exclude(rota=rota).values_list("member_id", "on"))


def _carried(rota: Rota) -> dict[tuple[int, Burden], float]:
    """Return how far everyone is above their part in the year's earlier published rotas."""
    year = date(fiscal_year(rota.first), 4, 1)
    done, parts = _shared(site=rota.site, first=year, last=rota.first - timedelta(days=1))
    return {key: done[key] - part for key, part in parts.items()}


def _shared(
    *, site: Site, first: date, last: date
) -> tuple[Counter[tuple[int, Burden]], dict[tuple[int, Burden], float]]:
    """Return how many days everyone has in the published rotas, and how many are their part."""
    done: Counter[tuple[int, Burden]] = Counter()
    parts: dict[tuple[int, Burden], float] = defaultdict(float)
    published = Rota.objects.filter(site=site, status=steps.Status.PUBLISHED.value)
    for rota in published.filter(first__lte=last, last__gte=first):
        asked = problem(rota, with_carried=False)
        places = tuple(place for place in asked.places if first <= place.on <= last)
        done += duties.counts(each for each in plan(rota) if first <= each.on <= last)
        for key, part in duties.fair_shares(replace(asked, places=places)).items():
            parts[key] += part
    return done, parts


@dataclass(frozen=True)
class FairRow:
    """What one member carries beside what would be their part; one pair for each burden."""

    member: Member
    cells: tuple[tuple[Burden, int, float, bool], ...]  # burden, days, part, inside the band


@dataclass(frozen=True)
class Result:
    """How good the rota is as it stands."""

    causes: tuple[str, ...]
    holes: tuple[str, ...]
    hole_count: int
    breaches: tuple[str, ...]
    fairness: tuple[FairRow, ...]
    avoided: int  # wishes to stay away that are kept, of `avoid`
    avoid: int
    granted: int
    want: int
    turns_kept: int
    turns: int


def result(rota: Rota) -> Result:
    """Judge the rota as it is saved: empty places and why, broken rules, fairness, wishes."""
    asked = problem(rota)
    done = plan(rota)
    costs = duties.costs(asked, done)
    skills = {skill.pk: skill.name for skill in Skill.objects.all()}
    members = {
        member.pk: member
        for member in Member.objects.filter(pk__in=asked.person).select_related(
            "user", "user__division"
        )
    }
    holes = duties.holes(asked, done)
    avoid = sum(len(person.avoid & asked.kind.keys()) for person in asked.people)
    want = sum(
        len(duties.wishes_possible(person, person.want | person.must, asked))
        for person in asked.people
    )
    turns = sum(1 for _ in duties.turn_places(asked))
    return Result(
        causes=tuple(cause.words(skills[cause.skill]) for cause in duties.causes(asked, holes)),
        holes=tuple(hole.words(skills[hole.place.skill]) for hole in holes),
        hole_count=sum(hole.place.count - hole.filled for hole in holes),
        breaches=tuple(
            f"{_day(breach.assignment.on)}：{members[breach.assignment.person]}"
            f"（{duties.HINDRANCE_LABELS[breach.hindrance]}）"
            for breach in duties.breaches(asked, done)
        ),
        fairness=_fair_rows(duties.counts(done), duties.fair_shares(asked), members),
        avoided=avoid - costs[duties.Soft.AVOID],
        avoid=avoid,
        granted=want - costs[duties.Soft.WANT] - costs[duties.Soft.MUST],
        want=want,
        turns_kept=turns - costs[duties.Soft.TURN],
        turns=turns,
    )


def fairness(*, site: Site, year: int) -> tuple[FairRow, ...]:
    """Return what everyone carries in a fiscal year; some queries for each of its rotas."""
    done, parts = _shared(site=site, first=date(year, 4, 1), last=date(year + 1, 3, 31))
    members = Member.objects.filter(pk__in={person for person, _ in (*done, *parts)})
    return _fair_rows(done, parts, members.select_related("user__division").in_bulk())


def _fair_rows(
    done: Counter[tuple[int, Burden]],
    parts: Mapping[tuple[int, Burden], float],
    members: Mapping[int, Member],
) -> tuple[FairRow, ...]:
    rows = []
    for member in sorted(members.values(), key=lambda each: (each.user.kana, each.pk)):
        cells = []
        for burden in Burden:
            part, number = parts.get((member.pk, burden), 0.0), done[member.pk, burden]
            low, high = duties.band(part)
            cells.append((burden, number, round(part, 1), low <= number <= high))
        rows.append(FairRow(member, tuple(cells)))
    return tuple(rows)


def _day(on: date) -> str:
    return f"{on.month}月{on.day}日"


@dataclass(frozen=True)
class CalendarDay:
    """One day of the calendar: whether the site is open, whose turn it is, and the duties."""

    office: OfficeDay
    is_closed_day: bool
    is_in_month: bool
    turn: Division | None
    duties: tuple[Duty, ...]


def shown_duties(
    *, site: Site, first: date, last: date, rota: Rota | None = None
) -> QuerySet[Duty]:
    """Return the published duties of the site, or those of one rota that is being looked at."""
    rows = Duty.objects.filter(on__range=(first, last))
    rows = rows.filter(rota=rota) if rota else rows.published().filter(rota__site=site)
    return rows.select_related("skill", "member__user__division", "rota")


def month(
    *, site: Site, year: int, month: int, rota: Rota | None = None
) -> list[list[CalendarDay]]:
    """Return the weeks of the month, Monday first, whole weeks. A fixed number of queries."""
    first = date(year, month, 1)
    start = first - timedelta(days=first.weekday())
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    end = last + timedelta(days=6 - last.weekday())
    rows = shown_duties(site=site, first=start, last=end, rota=rota)
    on_day = {on: tuple(group) for on, group in groupby(rows, key=lambda row: row.on)}
    turns = _turns(site=site, first=start, last=end, rota=rota)
    whole = [
        CalendarDay(
            office=day,
            is_closed_day=duties.day_kind(day.on) is DayKind.CLOSED,
            is_in_month=day.on.month == month,
            turn=turns.get(day.on),
            duties=on_day.get(day.on, ()),
        )
        for day in offices.office_days(site=site, first=start, last=end)
    ]
    return [whole[n : n + 7] for n in range(0, len(whole), 7)]


def _turns(*, site: Site, first: date, last: date, rota: Rota | None) -> dict[date, Division]:
    rows = Turn.objects.filter(on__range=(first, last)).select_related("division")
    if rota:
        rows = rows.filter(rota=rota)
    else:
        rows = rows.filter(rota__site=site, rota__status=steps.Status.PUBLISHED.value)
    return {row.on: row.division for row in rows}


def rotas(site: Site) -> QuerySet[Rota]:
    """Return the site's rotas, the latest first, with their places and how many are empty."""
    empty = Count("duties", filter=Q(duties__member=None))
    return (
        Rota.objects.filter(site=site)
        .select_related("made_by")
        .annotate(places=Count("duties"), empty=empty)
        .order_by("-first", "-id")
    )


def overlapping(rota: Rota) -> QuerySet[Rota]:
    """Return the published rotas of the site that share a day with this one."""
    return Rota.objects.filter(
        site=rota.site,
        status=steps.Status.PUBLISHED.value,
        first__lte=rota.last,
        last__gte=rota.first,
    ).exclude(pk=rota.pk)


@dataclass(frozen=True)
class Candidate:
    """A member who might take the duty: what speaks against it, and how much they do already."""

    member: Member
    hindrance: str
    wish: str
    near: int  # duties from a week before to a week after

    @property
    def is_free(self) -> bool:
        return not self.hindrance


def candidates(duty: Duty) -> list[Candidate]:
    """Return everyone of the rota, first those who can take the duty, the least loaded first."""
    asked = problem(duty.rota, with_carried=False)
    done = plan(duty.rota) - {assignment(duty)}
    busy = duties.duty_days(asked, done)
    place = Place(duty.on, duties.day_kind(duty.on), Shift(duty.shift), duty.skill_id)
    members = Member.objects.filter(pk__in=asked.person).select_related("user__division")
    found = []
    for member in members:
        person = asked.person[member.pk]
        why = duties.hindrance_among(person, place, duties=busy[person.id], problem=asked)
        wish = (
            steps.WISH_LABELS[steps.Wish.AVOID]
            if duty.on in person.avoid
            else steps.WISH_LABELS[steps.Wish.WANT]
            if duty.on in person.want | person.must
            else ""
        )
        near = sum(abs((on - duty.on).days) <= 7 for on in busy[person.id])
        found.append(Candidate(member, duties.HINDRANCE_LABELS[why] if why else "", wish, near))
    avoid = steps.WISH_LABELS[steps.Wish.AVOID]
    return sorted(
        found,
        key=lambda each: (not each.is_free, each.wish == avoid, each.near, each.member.user.kana),
    )


@dataclass(frozen=True)
class DutyToday:
    """One place of today: when, who, and whether that person is there after all."""

    duty: Duty
    hours: tuple[time, time] | None
    absence: Absence | None


def today(*, site: Site, on: date) -> list[DutyToday]:
    """Return today's published duties, with the absence of whoever called in sick."""
    hours = offices.open_hours(site=site, first=on, last=on).get(on)
    away = {each.user_id: each for each in absences(on=on)}
    return [
        DutyToday(
            duty,
            duties.shift_hours(hours, Shift(duty.shift)) if hours else None,
            away.get(duty.member.user_id) if duty.member else None,
        )
        for duty in shown_duties(site=site, first=on, last=on)
    ]


def own_today(user: User, *, on: date) -> DutyToday | None:
    """Return the reader's own duty of today."""
    rows = Duty.objects.published().filter(member__user=user, on=on)
    own = rows.select_related("rota__site").first()
    if own is None:
        return None
    return next(each for each in today(site=own.rota.site, on=on) if each.duty == own)


def absences(*, on: date) -> QuerySet[Absence]:
    """Return who is away that day, by division."""
    rows = Absence.objects.on(on).select_related("user__division", "stand_in__division")
    return rows.order_by("user__division__name", "user__kana", "id")


def colleagues_there(rows: Iterable[Absence], *, on: date) -> dict[int, list[User]]:
    """Return by division who is there, where somebody is away and nobody named; one query."""
    divisions = {row.user.division_id for row in rows if row.stand_in_id is None}
    away = Absence.objects.on(on).values("user")
    there = User.objects.filter(division__in=divisions, is_active=True).exclude(pk__in=away)
    found: dict[int, list[User]] = defaultdict(list)
    for colleague in there.order_by("kana", "id"):
        found[colleague.division_id].append(colleague)
    return found


def coming_absences(*, after: date) -> QuerySet[Absence]:
    rows = Absence.objects.filter(first__gt=after, ended_at=None)
    return rows.select_related("user__division", "stand_in").order_by("first", "id")


def stand_ins(user: User, *, first: date, last: date) -> QuerySet[User]:
    """Return the colleagues of the same division, or with the same duties, who are there."""
    away = Absence.objects.filter(first__lte=last, last__gte=first, ended_at=None)
    return (
        User.objects.filter(
            Q(division=user.division_id) | Q(rota_member__skills__members__user=user),
            is_active=True,
        )
        .exclude(pk=user.pk)
        .exclude(pk__in=away.values("user"))
        .select_related("division")
        .distinct()
        .order_by("kana", "id")
    )


def duties_of(member: Member, *, first: date, last: date | None = None) -> QuerySet[Duty]:
    """Return the member's published duties from the first day on."""
    rows = Duty.objects.published().filter(member=member, on__gte=first)
    if last:
        rows = rows.filter(on__lte=last)
    return rows.select_related("skill", "rota__site", "member__user")


def duties_hit(user: User, *, first: date, last: date) -> QuerySet[Duty]:
    """Return the published duties that an absence of these days leaves without their person."""
    return (
        Duty.objects.published()
        .filter(member__user=user, on__range=(first, last))
        .select_related("skill", "rota__site")
    )


def swaps(user: User) -> QuerySet[SwapRequest]:
    """Return the swaps that concern the user: asked by them or of them."""
    return _swaps().filter(Q(asker__user=user) | Q(colleague__user=user))


def swaps_to_answer(user: User) -> QuerySet[SwapRequest]:
    """Return the swaps that the user has been asked for."""
    return _swaps().filter(status=steps.Swap.ASKED.value, colleague__user=user)


def swaps_to_decide(user: User) -> QuerySet[SwapRequest]:
    """Return the agreed swaps that wait for a supervisor: all for the centre, else the own."""
    rows = _swaps().filter(status=steps.Swap.AGREED.value)
    if not user.is_centre:
        rows = rows.filter(asker__user__division=user.division_id)
    return rows.exclude(asker__user=user).exclude(colleague__user=user)


def members_in(keys: Iterable[int]) -> QuerySet[Member]:
    return (
        Member.objects.filter(pk__in=keys).select_related("user__division").order_by("user__kana")
    )


def exchanges(duty: Duty, *, first: date, last: date) -> QuerySet[Duty]:
    """Return the colleagues' duties of the same role that could be taken in return."""
    rows = Duty.objects.published().filter(
        rota=duty.rota_id, skill=duty.skill_id, on__range=(first, last), member__isnull=False
    )
    return rows.exclude(member=duty.member_id).select_related("skill", "member__user")


@dataclass(frozen=True)
class Proposed:
    """One duty that a run would change."""

    duty: Duty
    was: Member | None
    then: Member | None


def proposed(run: PlanRun) -> list[Proposed]:
    """Return the changes that a run proposes, by day."""
    rows = {row["duty"]: row for row in run.proposal}
    people = Member.objects.select_related("user").in_bulk(
        {key for row in run.proposal for key in (row["was"], row["then"]) if key}
    )
    return [
        Proposed(duty, people.get(rows[duty.pk]["was"]), people.get(rows[duty.pk]["then"]))
        for duty in Duty.objects.filter(pk__in=rows).select_related("skill")
    ]


def _swaps() -> QuerySet[SwapRequest]:
    return SwapRequest.objects.select_related(
        "duty__skill",
        "duty__rota",
        "in_return__skill",
        "asker__user",
        "colleague__user",
        "decided_by",
    )


def contacts() -> list[tuple[Division, list[EmergencyContact]]]:
    """Return every division with its emergency contacts in the order to call; two queries."""
    rows = Division.objects.filter(is_active=True, is_outside=False).prefetch_related(
        "emergency_contacts"
    )
    return [(row, list(row.emergency_contacts.all())) for row in rows.order_by("id")]


def turn_divisions(site: Site) -> list[int]:
    return list(TurnOrder.objects.filter(site=site).values_list("division_id", flat=True))


def last_turn(rota: Rota) -> int | None:
    """Return the division that had the last turn before this rota, so that the next one starts."""
    before = Turn.objects.filter(
        rota__site=rota.site, rota__status=steps.Status.PUBLISHED.value, on__lt=rota.first
    )
    return before.order_by("-on").values_list("division_id", flat=True).first()


def duty_hours(rows: Iterable[Duty], *, site: Site) -> list[tuple[Duty, datetime, datetime]]:
    """Return when each duty begins and ends, in the time of the office; one query."""
    listed = list(rows)
    if not listed:
        return []
    open_days = offices.open_hours(
        site=site, first=min(row.on for row in listed), last=max(row.on for row in listed)
    )
    zone = timezone.get_default_timezone()
    found = []
    for row in listed:
        if hours := open_days.get(row.on):
            begins, ends = duties.shift_hours(hours, Shift(row.shift))
            found.append(
                (
                    row,
                    datetime.combine(row.on, begins, zone),
                    datetime.combine(row.on, ends, zone),
                )
            )
    return found
