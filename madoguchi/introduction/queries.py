"""Questions of the staged introduction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Q

from madoguchi.booking.models import Service
from madoguchi.booking.rules import JST, Stage
from madoguchi.introduction import rules
from madoguchi.introduction.models import (
    Assumption,
    BookingNotice,
    DeskEvent,
    StageChange,
)
from madoguchi.introduction.rules import texts, trial
from madoguchi.offices import queries as offices
from madoguchi.offices.models import City, Site
from madoguchi.reception.models import Visit
from madoguchi.reception.rules import REMARK_LABELS, Remark, waiting

WEEKS = 8  # as many as one sheet of paper shows
LEARNED_FROM = 3000  # talks of a service; older ones say little about today's


# --- the wizard ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """How far the introduction of one service is."""

    service: Service
    changes: list[StageChange]
    tasks: list[rules.Task]

    @property
    def open_changes(self) -> list[StageChange]:
        return [change for change in self.changes if change.is_open]

    @property
    def done(self) -> int:
        return sum(task.is_done for task in self.tasks)

    @property
    def step(self) -> int:
        """The first thing still to do, counted from 1; one beyond the last when all is done."""
        undone = (i for i, task in enumerate(self.tasks, start=1) if not task.is_done)
        return next(undone, len(self.tasks) + 1)

    @property
    def is_complete(self) -> bool:
        """Online, and nothing more is planned."""
        return self.service.stage == Stage.ONLINE and not self.open_changes


def standings(services: Iterable[Service]) -> list[Standing]:
    """Return how far each service is, in four queries for all of them."""
    found = list(services)
    changes = StageChange.objects.filter(service__in=found).select_related(
        "proposed_by", "approved_by", "stopped_by"
    )
    of: dict[int, list[StageChange]] = {service.pk: [] for service in found}
    for change in changes.order_by("on", "pk"):
        of[change.service_id].append(change)
    asked = set(
        Service.objects.filter(pk__in=of, expected_questions__isnull=False).values_list(
            "pk", flat=True
        )
    )
    tried = set(Assumption.objects.filter(service__in=of).values_list("service_id", flat=True))
    printed = set(
        BookingNotice.objects.filter(service__in=of)
        .exclude(printed_at=None)
        .values_list("service_id", flat=True)
    )
    return [
        Standing(
            service=service,
            changes=of[service.pk],
            tasks=rules.tasks(
                has_plan=any(change.is_open for change in of[service.pk]),
                has_questions=service.pk in asked,
                has_trial=service.pk in tried,
                was_printed=service.pk in printed,
                is_approved=any(
                    change.status == rules.Change.APPROVED for change in of[service.pk]
                ),
            ),
        )
        for service in found
    ]


def standing(service: Service) -> Standing:
    return standings([service])[0]


def questions(service: Service) -> list[tuple[str, str]]:
    """Return the questions kept for the service, or those the house begins with."""
    kept = list(service.expected_questions.values_list("question", "answer"))
    return kept or list(texts.QUESTIONS)


def notice_words(service: Service) -> texts.Words:
    """Return the words kept for the service, or those the house begins with."""
    kept = BookingNotice.objects.filter(service=service).first()
    if kept is not None:
        return texts.Words(kept.title, kept.body, kept.easy_title, kept.easy_body)
    change = service.stage_changes.open().order_by("on").first()
    city = City.objects.first()
    return texts.notice_words(
        service=service.name,
        kana=service.kana,
        on=change.on if change else None,
        phone=service.division.phone or (city.phone if city else ""),
    )


def has_notice(service: Service) -> bool:
    """Say whether the city has looked over the words and kept them."""
    return BookingNotice.objects.filter(service=service).exists()


# --- the trial -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """Last month as it was recorded, as it was played, and as it would be with bookings."""

    site: Site
    first: date
    last: date
    people: int
    open_days: int
    mean_minutes: float
    recorded: waiting.Range | None
    before: trial.Outcome | None
    after: trial.Outcome | None


def assumption_of(service: Service) -> Assumption:
    """Return what the trial of a service supposes; where nothing was kept, what is likely."""
    kept = Assumption.objects.select_related("site").filter(service=service).first()
    if kept is not None:
        return kept
    site = busiest_site(service)
    counters = service.counters.filter(site=site, is_active=True).count() or 1
    per_hour = max(1, counters * 60 // max(service.minutes, 15))
    return Assumption(service=service, site=site, counters=counters, per_hour=per_hour)


def busiest_site(service: Service) -> Site | None:
    """Return the site at which most people come for the service."""
    sites = Site.objects.filter(counters__services=service).distinct()
    return (
        sites.annotate(came=Count("visits", filter=Q(visits__service=service), distinct=True))
        .order_by("-came", "pk")
        .first()
    )


def trial_of(service: Service, supposed: Assumption, *, today: date) -> Trial:
    """Play the last whole month before bookings began (or before today) under both rules."""
    first, last = rules.month_before(_began(service) or today)
    visits = list(
        Visit.objects.filter(service=service, site=supposed.site, on__range=(first, last))
        .order_by("arrived_at")
        .values_list("on", "arrived_at", "booked_for", "called_at")
    )
    days = _days(supposed.site, first, last, visits)
    length = waiting.learned(
        _talks(service, before=last + timedelta(days=1)), expected=service.minutes
    )
    kept = trial.Supposition(
        share_booking=supposed.share_booking / 100,
        no_show=supposed.no_show / 100,
        per_hour=supposed.per_hour,
        counters=supposed.counters,
    )
    people = sum(len(day.came) for day in days)
    return Trial(
        site=supposed.site,
        first=first,
        last=last,
        people=people,
        open_days=len(days),
        mean_minutes=length.mean,
        recorded=trial.spread_of(
            (called - max(arrived, booked or arrived)).total_seconds() / 60
            for _, arrived, booked, called in visits
            if called is not None and called >= max(arrived, booked or arrived)
        ),
        before=trial.as_it_was(days, length=length, supposed=kept) if people else None,
        after=trial.under_bookings(days, length=length, supposed=kept) if people else None,
    )


def _began(service: Service) -> date | None:
    """Return the day on which bookings became necessary, when that is behind us."""
    done = service.stage_changes.filter(status=rules.Change.DONE.value, is_return=False)
    return done.order_by("on").values_list("on", flat=True).first()


def _days(
    site: Site,
    first: date,
    last: date,
    visits: Sequence[tuple[date, datetime, datetime | None, datetime | None]],
) -> list[trial.Day]:
    came: dict[date, list[trial.Came]] = {}
    hours = offices.open_hours(site=site, first=first, last=last)
    for on, arrived, booked, _ in visits:
        if on in hours:
            opens = datetime.combine(on, hours[on][0], JST)
            came.setdefault(on, []).append(
                trial.Came(
                    minute=max(_minutes(arrived - opens), 0.0),
                    booked=None if booked is None else max(_minutes(booked - opens), 0.0),
                )
            )
    return [trial.Day(on, _length(hours[on]), tuple(came.get(on, ()))) for on in sorted(hours)]


def _length(hours: tuple[time, time]) -> float:
    opens, closes = hours
    return float((closes.hour - opens.hour) * 60 + closes.minute - opens.minute)


def _minutes(span: timedelta) -> float:
    return span.total_seconds() / 60


def _talks(service: Service, *, before: date) -> list[float]:
    """Return how many minutes the latest talks of the service took."""
    talks = Visit.objects.filter(service=service, on__lt=before, finished_at__isnull=False)
    times = talks.order_by("-finished_at").values_list("started_at", "finished_at")
    return [
        _minutes(finished - started)
        for started, finished in times[:LEARNED_FROM]
        if started is not None and finished is not None
    ]


@dataclass(frozen=True)
class WaitBar:
    """How long one group waits, as a bar on a scale of `BAR` units; all in one picture."""

    words: str
    wait: waiting.Range
    people: float | None
    x: int
    width: int
    middle: int


BAR = 600


def wait_bars(found: Trial) -> list[WaitBar]:
    """Return the bars of a trial, on one scale: recorded, played, and both groups afterwards."""
    if found.before is None or found.after is None:
        return []
    groups: list[tuple[str, waiting.Range | None, float | None]] = [
        ("実際の記録", found.recorded, found.people),
        ("試算：今の受け方（予約なし）", found.before.walk_in.wait, found.before.walk_in.people),
        ("試算：今の受け方（予約あり）", found.before.booked.wait, found.before.booked.people),
        ("試算：予約制（予約した方）", found.after.booked.wait, found.after.booked.people),
        ("試算：予約制（予約なしの方）", found.after.walk_in.wait, found.after.walk_in.people),
    ]
    most = max((wait.high for _, wait, _ in groups if wait), default=0) or 1
    return [
        WaitBar(
            words=words,
            wait=wait,
            people=people,
            x=round(BAR * wait.low / most),
            width=max(round(BAR * (wait.high - wait.low) / most), 2),
            middle=round(BAR * wait.middle / most),
        )
        for words, wait, people in groups
        if wait is not None
    ]


def trial_lines(service: Service, *, today: date) -> list[list[str]]:
    """Return the kept trial in lines of a report; nothing where none was kept."""
    kept = Assumption.objects.select_related("site").filter(service=service).first()
    if kept is None:
        return []
    found = trial_of(service, kept, today=today)
    if found.before is None or found.after is None:
        return []
    now, new = found.before, found.after
    return [
        ["予約する人の割合", "－", f"{kept.share_booking}％と仮定"],
        ["待ち時間（予約なしの方）", _said(now.walk_in.wait), _said(new.walk_in.wait)],
        ["待ち時間（予約した方）", _said(now.booked.wait), _said(new.booked.wait)],
        ["閉庁までに呼べない方（月）", _counted(now.sent_home), _counted(new.sent_home)],
        ["手の空く時間（1日・全窓口）", _hours(now.idle), _hours(new.idle)],
    ]


def _said(wait: waiting.Range | None) -> str:
    return wait.words if wait else "－"


def _counted(number: waiting.Range) -> str:
    return spread_words(number, "人")


def _hours(number: waiting.Range) -> str:
    return f"およそ{number.middle:.1f}時間"


def spread_words(number: waiting.Range, unit: str) -> str:
    """Say 3〜7人; one number where both ends are the same."""
    low, high = round(number.low), round(number.high)
    return f"{low}{unit}" if low == high else f"{low}〜{high}{unit}"


# --- the weeks afterwards --------------------------------------------------------------------


@dataclass(frozen=True)
class Week:
    """One week of a service: who came how, who was sent home, who complained."""

    first: date
    last: date
    booked: int
    walk_in: int
    reasons: dict[Remark, int]
    sent_home: int
    complaints: int
    wait_booked: waiting.Range | None
    wait_walk_in: waiting.Range | None

    @property
    def no_smartphone(self) -> int:
        return self.reasons.get(Remark.NO_SMARTPHONE, 0)

    @property
    def did_not_know(self) -> int:
        return self.reasons.get(Remark.DID_NOT_KNOW, 0)

    @property
    def came(self) -> int:
        return self.booked + self.walk_in

    @property
    def share_booked(self) -> int | None:
        """In per cent of those who came; None when nobody did."""
        return round(100 * self.booked / self.came) if self.came else None


@dataclass(frozen=True)
class FollowUp:
    """The weeks of a service up to a day, and their sum."""

    weeks: list[Week]
    total: Week
    since: date | None  # when bookings became necessary

    @property
    def reasons(self) -> list[tuple[str, int, int]]:
        """Every reason in words, how many, and the share among those without a booking in %."""
        everybody = sum(self.total.reasons.values())
        return [
            (REMARK_LABELS[remark], count, round(100 * count / everybody) if everybody else 0)
            for remark in Remark
            for count in [self.total.reasons.get(remark, 0)]
        ]

    @property
    def sentences(self) -> list[str]:
        """What the figures say, for whoever has no time for a table."""
        total = self.total
        if not total.came and not total.sent_home and not total.complaints:
            return ["この期間の来庁はまだありません。"]
        said = [
            f"来庁 {total.came}人のうち、予約して来た方は {total.booked}人"
            f"（{total.share_booked or 0}％）でした。",
            f"予約なしの {total.walk_in}人と、お帰りいただいた {total.sent_home}人のうち、"
            f"「スマートフォンがない」と話した方は {total.no_smartphone}人、"
            f"「予約を知らなかった」方は {total.did_not_know}人でした。",
            f"予約制への苦情は {total.complaints}件、"
            f"予約がなくお帰りいただいた方は {total.sent_home}人でした。",
        ]
        if total.wait_booked and total.wait_walk_in:
            said.append(
                f"待ち時間の中央は、予約の方 {round(total.wait_booked.middle)}分、"
                f"予約なしの方 {round(total.wait_walk_in.middle)}分でした。"
            )
        return said


def follow_up(service: Service, *, today: date) -> FollowUp:
    """Return the last weeks of a service, in four queries."""
    since = _began(service)
    earliest = today - timedelta(days=7 * (WEEKS - 1))
    first = max(since, earliest) if since else earliest
    weeks = rules.weeks_until(today, since=first)
    span = (weeks[0][0], weeks[-1][1])
    visits = list(
        Visit.objects.filter(service=service, on__range=span).values_list(
            "on", "arrived_at", "booked_for", "called_at", "reason_without_booking"
        )
    )
    events = list(
        DeskEvent.objects.filter(service=service, on__range=span).values_list(
            "on", "kind", "reason_without_booking"
        )
    )
    return FollowUp(
        weeks=[_week(week, visits, events) for week in weeks],
        total=_week(span, visits, events),
        since=since,
    )


Came = tuple[date, datetime, datetime | None, datetime | None, str]


def _week(
    span: tuple[date, date], visits: Sequence[Came], events: Sequence[tuple[date, str, str]]
) -> Week:
    first, last = span
    here = [visit for visit in visits if first <= visit[0] <= last]
    noted = [event for event in events if first <= event[0] <= last]
    reasons: dict[Remark, int] = {}
    told = [visit[4] for visit in here] + [event[2] for event in noted]
    for reason in told:
        if reason:
            reasons[Remark(reason)] = reasons.get(Remark(reason), 0) + 1
    return Week(
        first=first,
        last=last,
        booked=sum(visit[2] is not None for visit in here),
        walk_in=sum(visit[2] is None for visit in here),
        reasons=reasons,
        sent_home=sum(kind == rules.Event.SENT_HOME for _, kind, _ in noted),
        complaints=sum(kind == rules.Event.COMPLAINT for _, kind, _ in noted),
        wait_booked=_waits(visit for visit in here if visit[2] is not None),
        wait_walk_in=_waits(visit for visit in here if visit[2] is None),
    )


def _waits(visits: Iterable[Came]) -> waiting.Range | None:
    return trial.spread_of(
        max(_minutes(called - max(arrived, booked or arrived)), 0.0)
        for _, arrived, booked, called, _ in visits
        if called is not None
    )


@dataclass(frozen=True)
class WeekBar:
    """Who came in one week, as two pieces of a bar on a scale of `BAR` units."""

    week: Week
    booked: int
    walk_in: int


def week_bars(found: FollowUp) -> list[WeekBar]:
    """Return the weeks on one scale."""
    most = max((week.came for week in found.weeks), default=0) or 1
    return [
        WeekBar(week, round(BAR * week.booked / most), round(BAR * week.walk_in / most))
        for week in found.weeks
    ]
