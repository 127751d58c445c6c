"""Questions of booking."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db.models import Case, Q, QuerySet, When

from madoguchi.booking import rules
from madoguchi.booking.models import (
    Appointment,
    AppointmentPlace,
    CounterDay,
    Errand,
    Hold,
    OpeningRule,
    Service,
    Waiting,
)
from madoguchi.booking.rules import Question, Source
from madoguchi.foundation.japanese import fold_variants, kana_key, name_key
from madoguchi.offices import queries as offices
from madoguchi.offices.models import Counter, Division, Site


class Slot(NamedTuple):
    """
    予約枠: one possible start, and at how many counters it is free; `is_last`: of several.

    `key` is the key with which staff on the telephone press it.
    """

    start: datetime
    minutes: int
    site: str
    free: int
    is_last: bool = False
    key: str = ""


@dataclass(frozen=True)
class DayPlaces:
    """One day of a service at one site: how many counters are open, and how many free per cell."""

    day: date
    site: int
    counters: int
    free: dict[int, int]

    @property
    def is_open(self) -> bool:
        return self.counters > 0

    @property
    def mark(self) -> str:
        return rules.day_mark(is_open=self.is_open, free_starts=len(self.free))


def services_found(text: str) -> QuerySet[Service]:
    """Return the services whose name, reading or keywords hold every word; all for no words."""
    found = Service.objects.shown().select_related("division")
    for word in fold_variants(text).split():
        found = found.filter(
            Q(name__icontains=word)
            | Q(kana__icontains=word)
            | Q(kana__icontains=kana_key(word))
            | Q(keywords__icontains=word)
            | Q(category__icontains=word)
            | Q(summary__icontains=word)
        )
    return found


def own_first(services: QuerySet[Service], division: Division) -> QuerySet[Service]:
    """Return the services in the order in which this division is called for them."""
    is_own = Case(When(division=division, then=0), default=1)
    return services.order_by(is_own, "order", "kana", "pk")


def by_category(found: Iterable[Service]) -> list[tuple[str, list[Service]]]:
    """Return the services under their categories, in the order in which each first appears."""
    groups: dict[str, list[Service]] = {}
    for service in found:
        groups.setdefault(service.category or "そのほか", []).append(service)
    return list(groups.items())


def serving(errand: Errand) -> QuerySet[Counter]:
    """Return the counters in use at which every service of the errand is received."""
    counters = Counter.objects.filter(is_active=True)
    for service in errand.services:
        counters = counters.filter(services=service)
    return counters


def sites_of(errand: Errand) -> list[Site]:
    """Return where the errand is received."""
    sites = Site.objects.filter(counters__in=serving(errand))
    return list(sites.distinct().order_by("id"))


def together_with(service: Service) -> list[Service]:
    """Return the services that can be done in the same visit: some counter receives both."""
    if not service.may_be_combined:
        return []
    others = Service.objects.shown().filter(may_be_combined=True).exclude(pk=service.pk)
    return list(others.filter(counters__in=serving(Errand((service,)))).distinct())


def places(
    errand: Errand,
    *,
    first: date,
    last: date,
    window: rules.Window,
    site: Site | None = None,
    instead_of: Appointment | Hold | None = None,
    only_free: bool = False,
) -> list[DayPlaces]:
    """
    Return every day that is laid out and its free starts, in two queries.

    `instead_of`: the places of this appointment or own hold count as free: it is about to move.
    `only_free`: days on which a counter has no free cell at all are not read.
    """
    rows = CounterDay.objects.filter(counter__in=serving(errand), day__range=(first, last))
    if only_free:
        rows = rows.filter(free__gt=0)
    if site is not None:
        rows = rows.filter(counter__site=site)
    own = (instead_of.day, instead_of.counter_id) if instead_of else None
    special = _special_openings(errand)
    span = errand.span

    found: dict[tuple[date, int], tuple[list[int], list[int]]] = {}  # planes, open counters
    for day, counter, at_site, opened, busy, online in rows.values_list(
        "day", "counter_id", "counter__site_id", "open", "busy", "online"
    ):
        planes, counters = found.setdefault((day, at_site), ([], []))
        if counter in special:
            opened &= special[counter].mask(day)
        if not opened:
            continue
        counters.append(counter)
        cells = rules.Cells(opened, busy, online)
        if instead_of and own == (day, counter):
            cells = cells.without(instead_of.mask)
        rules.add_up(planes, rules.offered(cells, day, span=span, window=window))
    return [
        DayPlaces(day, at_site, len(counters), rules.counts(planes))
        for (day, at_site), (planes, counters) in sorted(found.items())
    ]


@dataclass(frozen=True)
class SpecialHours:
    """The rules of a counter at which some rule names a service, and the services asked for."""

    openings: list[rules.Opening]
    services: tuple[int, ...]

    def mask(self, day: date) -> int:
        """Return where all the services are received."""
        together = rules.WHOLE_DAY
        for service in self.services:
            together &= rules.opening_mask(self.openings, day, service=service)
        return together


def _special_openings(errand: Errand) -> dict[int, SpecialHours]:
    """Return the counters at which the hours are not the same for every service."""
    in_force = OpeningRule.objects.in_force().filter(counter__in=serving(errand))
    naming = in_force.exclude(service=None).values("counter_id")
    openings: dict[int, list[rules.Opening]] = {}
    for rule in in_force.filter(counter_id__in=naming):
        openings.setdefault(rule.counter_id, []).append(rule.opening)
    services = tuple(service.pk for service in errand.services)
    return {counter: SpecialHours(rows, services) for counter, rows in openings.items()}


def cells_of(errand: Errand, counter: Counter, day: date) -> rules.Cells:
    """Return one counter's day for the errand, as the search sees it."""
    row = CounterDay.objects.filter(counter=counter, day=day).first()
    if row is None:
        return NOTHING_TAKEN
    special = _special_openings(errand)
    opened = row.open & (special[counter.pk].mask(day) if counter.pk in special else -1)
    return rules.Cells(opened, row.busy, row.online)


def free_slots(
    errand: Errand,
    *,
    first: date,
    last: date,
    window: rules.Window,
    site: Site | None = None,
) -> list[Slot]:
    """Return every free start from first to last, in order of time. Three queries."""
    codes, minutes = dict(Site.objects.values_list("pk", "code")), errand.minutes
    return [
        Slot(rules.start_of(day.day, cell), minutes, codes[day.site], free)
        for day in places(errand, first=first, last=last, window=window, site=site)
        for cell, free in day.free.items()
    ]


def nearest(errand: Errand, *, first: date, last: date, window: rules.Window) -> DayPlaces | None:
    """
    Return the earliest day and site with a free start, or None.

    Looks at few days first and at twice as many each time: of a hundred sites somebody is free
    soon. Counters without a free cell are left out by the database.
    """
    days = 1
    while first <= last:
        until = min(first + timedelta(days=days - 1), last)
        found = places(errand, first=first, last=until, window=window, only_free=True)
        with_places = [day for day in found if day.free]
        if with_places:
            return min(with_places, key=lambda day: (day.day, min(day.free), day.site))
        first, days = until + timedelta(days=1), days * 2
    return None


def window_of(errand: Errand, *, at: datetime, source: rules.Source = Source.WEB) -> rules.Window:
    """
    Return when the errand may be booked. Of several services the strictest says.

    Staff book up to the last moment and the horizon; by telephone up to the share of all
    bookings, at the counter also what is kept for walk-ins.
    """
    shares = min(service.booking_share for service in errand.services)
    if source != Source.WEB:
        return rules.Window(
            earliest=at,
            last_day=at.astimezone(rules.JST).date() + timedelta(rules.HORIZON_DAYS),
            booking_share=shares if source == Source.PHONE else 100,
        )
    windows = [
        rules.booking_window(
            now=at,
            lead_minutes=service.lead_minutes,
            opens_days_before=service.opens_days_before,
            releases_at=service.releases_at,
            closes_days_before=service.closes_days_before,
            closes_at=service.closes_at,
        )
        for service in errand.services
    ]
    return rules.Window(
        earliest=max(window.earliest for window in windows),
        last_day=min(window.last_day for window in windows),
        booking_share=shares,
        online_share=min(service.online_share for service in errand.services),
    )


def expected_by_name(name: str, *, site: Site, day: date) -> list[Appointment]:
    """Return who is expected under this name or reading, whatever its spelling."""
    wanted = name_key(name)
    reading = kana_key(name)
    return [
        row
        for row in Appointment.objects.expected(site=site, day=day)
        if wanted and (wanted in name_key(row.name) or reading in kana_key(row.kana))
    ]


@dataclass(frozen=True)
class Candidate:
    """A counter-day that receives the errand then; `has_share`: and has not given its share."""

    row: CounterDay
    has_share: bool


def candidates(
    errand: Errand, *, site: Site, start: datetime, window: rules.Window
) -> list[Candidate]:
    """
    Return the counter-days that would receive the errand from `start`, in counter order.

    Taken ones are among them: what is free now is decided by the claim alone.
    """
    day, cell, span = start.astimezone(rules.JST).date(), rules.cell_of(start), errand.span
    rows = CounterDay.objects.filter(
        day=day, counter__site=site, counter__in=serving(errand)
    ).order_by("counter_id")
    special = _special_openings(errand)
    found = []
    for row in rows:
        opened = row.open & (
            special[row.counter_id].mask(day) if row.counter_id in special else -1
        )
        cells = rules.Cells(opened, row.busy, row.online)
        passed = {
            question
            for question, starts in rules.answers(cells, day, span=span, window=window)
            if starts >> cell & 1
        }
        if passed >= set(Question) - {Question.TAKEN} - rules.SHARES:
            found.append(Candidate(row, has_share=passed >= rules.SHARES))
    return found


@dataclass(frozen=True)
class CalendarDay:
    """One cell of the month: its mark, and the words a screen reader says for it."""

    day: date
    mark: str
    words: str
    is_in_month: bool
    is_chosen: bool

    @property
    def can_be_chosen(self) -> bool:
        return self.mark in ("○", "△") and self.is_in_month


@dataclass(frozen=True)
class Choice:
    """Everything a page needs to let somebody choose a day and a time."""

    sites: list[Site]
    site: Site | None
    day: date | None
    times: list[Slot]
    month: date
    weeks: list[list[CalendarDay]]
    previous: date | None
    next: date | None
    is_anything_free: bool
    day_before: date | None = None  # the nearest days with a free place
    day_after: date | None = None
    has_keys: bool = False

    @property
    def morning(self) -> list[Slot]:
        return [slot for slot in self.times if slot.start.astimezone(rules.JST).hour < 12]

    @property
    def afternoon(self) -> list[Slot]:
        return [slot for slot in self.times if slot.start.astimezone(rules.JST).hour >= 12]


MARK_WORDS = {
    "○": "空きあり",
    "△": "残りわずか",
    "×": "空きなし",
    "休": "休み",
    "－": "受付期間外",
}


def choice(
    errand: Errand,
    *,
    window: rules.Window,
    site: Site | None = None,
    on: date | None = None,
    instead_of: Appointment | Hold | None = None,
    has_keys: bool = False,
) -> Choice:
    """
    Return the month and the times of one day: the asked one if any is free, else the first.

    Without a site, the one with the earliest free place. `has_keys`: for staff who type while
    they listen.
    """
    first = window.earliest.astimezone(rules.JST).date()
    last = window.last_day
    sites = sites_of(errand)
    known = {site.pk: site for site in sites}
    soonest = nearest(errand, first=first, last=last, window=window) if site is None else None
    if site is None and sites:
        site = known.get(soonest.site, sites[0]) if soonest else sites[0]
    found = []
    if site is not None:
        found = places(
            errand, first=first, last=last, window=window, site=site, instead_of=instead_of
        )
    here = {day.day: day for day in found}
    free = [day.day for day in here.values() if day.free]
    shown = on if on in free else None
    if shown is None:
        later = [day for day in free if on is None or day >= on.replace(day=1)]
        shown = next(iter(later), None)
    month = (shown or on or first).replace(day=1)
    if on is not None and shown is not None and (on.year, on.month) != (shown.year, shown.month):
        month, shown = on.replace(day=1), None
    times = []
    if site is not None and shown is not None:
        has_several = here[shown].counters > 1
        times = [
            Slot(
                rules.start_of(shown, cell),
                errand.minutes,
                site.code,
                count,
                is_last=has_several and count == 1,
                key=str(place) if has_keys and place <= 9 else "",
            )
            for place, (cell, count) in enumerate(here[shown].free.items(), start=1)
        ]
    before, after = month - timedelta(days=1), _next_month(month)
    return Choice(
        sites=sites,
        site=site,
        day=shown,
        times=times,
        month=month,
        weeks=_weeks(month, here, site=site, chosen=shown, window=window),
        previous=before.replace(day=1) if before >= first else None,
        next=after if after <= window.last_day else None,
        is_anything_free=bool(
            free or soonest or nearest(errand, first=first, last=last, window=window)
        ),
        day_before=max((day for day in free if shown and day < shown), default=None),
        day_after=min((day for day in free if shown and day > shown), default=None),
        has_keys=has_keys,
    )


def _next_month(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def _weeks(
    month: date,
    here: dict[date, DayPlaces],
    *,
    site: Site | None,
    chosen: date | None,
    window: rules.Window,
) -> list[list[CalendarDay]]:
    begin = month - timedelta(days=(month.weekday() + 1) % 7)  # Sunday first, as on the wall
    last = _next_month(month) - timedelta(days=1)
    days = [begin + timedelta(days=n) for n in range(-(-((last - begin).days + 1) // 7) * 7)]
    shut = {}
    if site is not None:
        office = offices.office_days(site=site, first=days[0], last=days[-1])
        shut = {day.on: day.words for day in office if day.hours is None}
    first = window.earliest.astimezone(rules.JST).date()
    cells = []
    for day in days:
        if not first <= day <= window.last_day:
            mark = "－"
        elif day in here:
            mark = here[day].mark
        else:
            mark = "休"
        words = MARK_WORDS[mark]
        if mark in "休－" and day in shut:
            mark, words = "休", f"閉庁日（{shut[day]}）"
        cells.append(
            CalendarDay(day, mark, words, day.month == month.month, is_chosen=day == chosen)
        )
    return [cells[n : n + 7] for n in range(0, len(cells), 7)]


def nearest_slots(
    errand: Errand, *, site: Site, start: datetime, window: rules.Window, limit: int = 6
) -> list[Slot]:
    """Return the free starts nearest to `start`, in order of time."""
    day = start.astimezone(rules.JST).date()
    around = free_slots(
        errand,
        first=day - timedelta(days=7),
        last=day + timedelta(days=14),
        window=window,
        site=site,
    )
    nearest = sorted(around, key=lambda slot: abs(slot.start - start))[:limit]
    return sorted(nearest, key=lambda slot: slot.start)


@dataclass(frozen=True)
class Proposal:
    """Where one appointment was, and where it could go; `start` None: nowhere."""

    appointment: Appointment
    was: datetime
    start: datetime | None = None
    others: Sequence[Slot] = ()

    @property
    def is_same_time(self) -> bool:
        return self.start == self.was

    @property
    def is_told_by_mail(self) -> bool:
        return bool(self.appointment.email) and not self.is_same_time


@dataclass(frozen=True)
class Change:
    """Something that was changed about a service or its hours: when, by whom, what."""

    at: datetime
    by: str
    words: str


LABELS = {field.name: str(field.verbose_name) for field in Service._meta.concrete_fields}


def changes_of(service: Service) -> list[Change]:
    """Return every change of the service and of its counters' hours, newest first."""
    changes = []
    versions = list(service.versions.order_by("made_at", "id"))
    for before, version in zip([None, *versions], versions, strict=False):
        known = before.settings if before else {}
        told = [
            f"{LABELS[name]}：{known.get(name, '－')} → {value}"
            for name, value in version.settings.items()
            if before is not None and known.get(name) != value
        ]
        if before is not None and before.counters != version.counters:
            told.append("受け付ける窓口")
        words = "、".join(told) or ("内容に変更なし" if before else "この設定で登録")
        changes.append(Change(version.made_at, version.made_by, f"手続き：{words}"))
    at_counters = OpeningRule.objects.filter(counter__services=service)
    mine = at_counters.filter(Q(service=None) | Q(service=service))
    for rule in mine.select_related("counter__site"):
        kind = "休止" if rule.is_closure else "受付時間"
        what = f"{rule.counter.site} {rule.counter}　{kind}　{rule}"
        changes.append(Change(rule.made_at, rule.made_by, f"加えた：{what}"))
        if rule.withdrawn_at is not None:
            changes.append(Change(rule.withdrawn_at, rule.withdrawn_by, f"取り下げた：{what}"))
    return sorted(changes, key=lambda change: change.at, reverse=True)


@dataclass(frozen=True)
class ComingDay:
    """One of the next days of a service: how long it is open, who is booked, and its closures."""

    day: date
    open_minutes: int
    booked: int
    closures: list[OpeningRule]


def coming_days(service: Service, *, at: datetime, days: int = 14) -> list[ComingDay]:
    """Return the next days over all counters of the service. Four queries."""
    first = at.astimezone(rules.JST).date()
    last = first + timedelta(days=days - 1)
    special = _special_openings(Errand((service,)))
    opened: dict[date, int] = {}
    laid = CounterDay.objects.filter(counter__services=service, day__range=(first, last))
    for day, counter, mask in laid.values_list("day", "counter_id", "open"):
        here = mask & special[counter].mask(day) if counter in special else mask
        opened[day] = opened.get(day, 0) + here.bit_count() * rules.CELL_MINUTES
    booked: dict[date, int] = {}
    coming = Appointment.objects.occupying().filter(
        service=service,
        start__gte=rules.start_of(first, 0),
        start__lt=rules.start_of(last + timedelta(days=1), 0),
    )
    for start in coming.values_list("start", flat=True):
        day = start.astimezone(rules.JST).date()
        booked[day] = booked.get(day, 0) + 1
    closures = [
        rule for rule in rules_of(service) if rule.is_closure and rule.valid_until is not None
    ]
    return [
        ComingDay(
            day,
            opened.get(day, 0),
            booked.get(day, 0),
            [rule for rule in closures if rule.is_exception and rule.opening.applies(day)],
        )
        for day in (first + timedelta(days=n) for n in range(days))
    ]


def untold_moves(service: Service) -> QuerySet[AppointmentPlace]:
    """Return the appointments that the office moved and whose holders nobody has told yet."""
    moved = AppointmentPlace.objects.filter(
        appointment__service=service,
        appointment__status__in=rules.STANDING,
        is_moved_by_office=True,
        told_at=None,
        left_at=None,
    )
    return moved.select_related("appointment__counter__site").order_by("appointment__start")


def places_to_move_to(appointment: Appointment, *, at: datetime) -> list[Slot]:
    """
    Return where the office could move an appointment, nearest first.

    Residents get the notice that the service gives everybody (締め切り); the shares of online
    and telephone bookings do not bind the office.
    """
    errand = appointment.errand
    notice = window_of(errand, at=at).earliest
    window = rules.Window(
        earliest=min(notice, max(at, appointment.start)),
        last_day=at.astimezone(rules.JST).date() + timedelta(days=rules.HORIZON_DAYS),
    )
    day = appointment.day
    for days in (14, rules.HORIZON_DAYS):
        slots = free_slots(
            errand,
            first=max(day - timedelta(days=days), at.astimezone(rules.JST).date()),
            last=day + timedelta(days=days),
            window=window,
            site=appointment.site,
        )
        if slots:
            return sorted(slots, key=lambda slot: abs(slot.start - appointment.start))[:20]
    return []


def laid_out(
    counters: Iterable[Counter], *, first: date, last: date
) -> dict[tuple[date, int], int]:
    """Return the open mask that each counter-day ought to have, from rules and site hours."""
    openings: dict[int, list[rules.Opening]] = {}
    counters = list(counters)
    for rule in OpeningRule.objects.in_force().filter(counter__in=counters):
        openings.setdefault(rule.counter_id, []).append(rule.opening)
    hours = {
        site: offices.open_hours(site=site, first=first, last=last)
        for site in {counter.site for counter in counters}
    }
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return {
        (day, counter.pk): rules.opening_mask(
            openings.get(counter.pk, []), day, hours=hours[counter.site][day]
        )
        if day in hours[counter.site]
        else 0
        for day in days
        for counter in counters
    }


def masks_from_appointments(
    *, first: date | None = None, last: date | None = None
) -> dict[tuple[date, int], rules.Cells]:
    """Return what each counter-day ought to have as taken, from appointments and holds."""
    within = Q()
    if first is not None:
        within &= Q(start__gte=rules.start_of(first, 0))
    if last is not None:
        within &= Q(start__lt=rules.start_of(last + timedelta(days=1), 0))
    taken: dict[tuple[date, int], rules.Cells] = {}
    for _, counter, start, cells, before, is_online in _taken(within):
        key = (start.astimezone(rules.JST).date(), counter)
        mask = rules.Span(cells=cells, before=before).at(rules.cell_of(start))
        here = taken.get(key, NOTHING_TAKEN)
        taken[key] = here.taking(mask, is_online=is_online)
    return taken


NOTHING_TAKEN = rules.Cells(open=0, busy=0)


def _taken(within: Q) -> Iterator[tuple[int, int, datetime, int, int, bool]]:
    """
    Yield (id, counter, start, cells, cells before, booked online?) of whatever takes cells; a
    hold's id is negative.
    """
    columns = ("pk", "counter_id", "start", "cells", "cells_before")
    booked = Appointment.objects.occupying().filter(within)
    for *place, source in booked.values_list(*columns, "source").iterator():
        yield (*place, source == Source.WEB)
    held = Hold.objects.filter(within).values_list(*columns, "is_online")
    for pk, *place in held.iterator():
        yield (-pk, *place)


@dataclass(frozen=True)
class MaskDifference:
    """A counter-day whose masks are not the sum of its appointments."""

    day: date
    counter: int
    found: rules.Cells
    wanted: rules.Cells

    def __str__(self) -> str:
        return (
            f"{self.day} 窓口{self.counter}: 予約からは {self.wanted.busy:#x}"
            f"（オンライン {self.wanted.online:#x}）、"
            f"記録は {self.found.busy:#x}（{self.found.online:#x}）"
        )


def mask_differences() -> list[MaskDifference]:
    """Compare every mask of bookings with the appointments."""
    wanted = masks_from_appointments()
    columns = ("day", "counter_id", "busy", "online")
    found = {
        (day, counter): rules.Cells(0, busy, online)
        for day, counter, busy, online in CounterDay.objects.values_list(*columns)
    }
    return [
        MaskDifference(day, counter, found.get((day, counter), NOTHING_TAKEN), wanted=ought)
        for day, counter in sorted(wanted.keys() | found.keys())
        if (ought := wanted.get((day, counter), NOTHING_TAKEN))
        != found.get((day, counter), NOTHING_TAKEN)
    ]


def overlapping_appointments() -> list[tuple[int, int]]:
    """
    Return the pairs (earlier, later) that take the same cell of a counter; best none.

    A hold counts like an appointment; its id is negative here.
    """
    pairs: list[tuple[int, int]] = []
    last: tuple[int, int, datetime] | None = None
    for pk, counter, start, cells, before, _ in sorted(
        _taken(Q()), key=lambda row: (row[1], row[2], row[0])
    ):
        begin = start - timedelta(minutes=rules.CELL_MINUTES * before)
        end = start + timedelta(minutes=rules.CELL_MINUTES * cells)
        if last is not None and last[1] == counter and begin < last[2]:
            pairs.append((last[0], pk))
        if last is None or last[1] != counter or end > last[2]:
            last = (pk, counter, end)
    return pairs


def to_remind(*, at: datetime) -> QuerySet[Appointment]:
    """Return tomorrow's appointments of whom nobody has reminded yet."""
    tomorrow = at.astimezone(rules.JST).date() + timedelta(days=1)
    return Appointment.objects.to_remind(day=tomorrow).order_by("start", "id")


def serving_counters() -> list[Counter]:
    """Return the counters at which some service is received."""
    serving = Counter.objects.filter(is_active=True, services__isnull=False)
    return list(serving.select_related("site").distinct().order_by("id"))


def rules_of(service: Service) -> QuerySet[OpeningRule]:
    """Return the rules in force at the counters of a service, closures last."""
    at_counters = OpeningRule.objects.in_force().filter(counter__services=service)
    found = at_counters.filter(Q(service=None) | Q(service=service))
    return found.select_related("counter__site", "service").order_by(
        "counter__site", "counter", "is_closure", "valid_from", "opens_at"
    )


def orphans(*, counters: Iterable[Counter], at: datetime) -> list[Appointment]:
    """
    Return the coming appointments at these counters that are no longer received where they
    stand: outside the open cells, outside the hours of their service, or at a counter that
    receives it no more. In order of time.
    """
    coming = Appointment.objects.filter(
        counter__in=counters, status__in=rules.STANDING, start__gte=at
    )
    rows = list(
        coming.select_related("service", "counter__site")
        .prefetch_related("also")
        .order_by("start", "id")
    )
    opened = {
        (day, counter): mask
        for day, counter, mask in CounterDay.objects.filter(
            counter__in=counters, day__gte=at.astimezone(rules.JST).date()
        ).values_list("day", "counter_id", "open")
    }
    received = {
        services: (set(serving(errand).values_list("pk", flat=True)), _special_openings(errand))
        for services, errand in {row.errand.services: row.errand for row in rows}.items()
    }
    return [
        row
        for row in rows
        if row.mask & ~_received_mask(row, opened, *received[row.errand.services])
    ]


def _received_mask(
    row: Appointment,
    opened: dict[tuple[date, int], int],
    counters: set[int],
    special: dict[int, SpecialHours],
) -> int:
    if row.counter_id not in counters:
        return 0
    mask = opened.get((row.day, row.counter_id), 0)
    return mask & special[row.counter_id].mask(row.day) if row.counter_id in special else mask


def sites_with_services() -> QuerySet[Site]:
    """Return where something is received."""
    found = Site.objects.filter(counters__services__isnull=False, counters__is_active=True)
    return found.distinct().order_by("id")


def waiting_for(hold: Hold) -> list[Waiting]:
    """Return who waits for a place on that day, in the order of joining."""
    same = Waiting.objects.filter(
        service=hold.service_id, site=hold.counter.site_id, day=hold.day
    ).filter(status=rules.WaitingStatus.WAITING)
    return list(same.select_related("service").order_by("joined_at", "id"))


def full_days(errand: Errand, *, at: datetime) -> list[tuple[Site, date]]:
    """Return the days that are open to residents and have no place left, with their site."""
    window = window_of(errand, at=at)
    first = window.earliest.astimezone(rules.JST).date() + timedelta(days=1)
    found = places(errand, first=first, last=window.last_day, window=window)
    sites = {site.pk: site for site in sites_of(errand)}
    return [(sites[day.site], day.day) for day in found if day.mark == "×" and day.site in sites]


def open_waiting(*, site: Site | None = None) -> QuerySet[Waiting]:
    """Return who is on the waiting list, what is offered first, then by day and joining."""
    rows = Waiting.objects.open().select_related("service", "site", "hold__counter")
    if site is not None:
        rows = rows.filter(site=site)
    return rows.order_by("status", "day", "joined_at", "id")


def offered(waiting: Waiting, *, at: datetime) -> Hold | None:
    """Return the place that is kept for this person now."""
    rows = Hold.objects.select_related("service", "counter__site")
    return rows.filter(waiting=waiting, until__gt=at).first()


def followed(counter: Counter, *, on: date) -> list[Appointment]:
    """Return what the counter's calendar shows: from a week ago, the cancelled ones too."""
    since = rules.start_of(on - timedelta(days=7), 0)
    rows = Appointment.objects.filter(counter=counter, start__gte=since)
    return list(rows.select_related("service").prefetch_related("also").order_by("start", "id"))
