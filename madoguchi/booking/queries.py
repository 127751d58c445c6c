"""Questions of booking."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from madoguchi.booking import rules
from madoguchi.booking.models import Appointment, CounterDay, Hold, OpeningRule, Service
from madoguchi.foundation.japanese import fold_variants, kana_key, name_key
from madoguchi.offices import queries as offices
from madoguchi.offices.models import Counter, Site


@dataclass(frozen=True)
class Slot:
    """予約枠: one possible start, and at how many counters it is free; `is_last`: of several."""

    start: datetime
    minutes: int
    site: str
    free: int
    is_last: bool = False


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


def by_category(found: Iterable[Service]) -> list[tuple[str, list[Service]]]:
    """Return the services under their categories, in the order in which each first appears."""
    groups: dict[str, list[Service]] = {}
    for service in found:
        groups.setdefault(service.category or "そのほか", []).append(service)
    return list(groups.items())


def sites_of(service: Service) -> list[Site]:
    """Return where the service is received, in name order."""
    served = Site.objects.filter(counters__services=service, counters__is_active=True)
    return list(served.distinct().order_by("id"))


def places(
    service: Service,
    *,
    first: date,
    last: date,
    window: rules.Window,
    site: Site | None = None,
    instead_of: Appointment | Hold | None = None,
) -> list[DayPlaces]:
    """
    Return every day that is laid out and its free starts, in two queries.

    `instead_of`: the places of this appointment or own hold count as free: it is about to move.
    """
    rows = CounterDay.objects.filter(
        counter__services=service, counter__is_active=True, day__range=(first, last)
    )
    if site is not None:
        rows = rows.filter(counter__site=site)
    own = (instead_of.day, instead_of.counter_id) if instead_of else None
    allowed = _special_openings(service)

    found: dict[tuple[date, int], tuple[list[int], list[int]]] = {}  # planes, open counters
    for day, counter, at_site, opened, busy in rows.values_list(
        "day", "counter_id", "counter__site_id", "open", "busy"
    ):
        planes, counters = found.setdefault((day, at_site), ([], []))
        if counter in allowed:
            opened &= rules.opening_mask(allowed[counter], day, service=service.pk)
        if opened:
            counters.append(counter)
        if instead_of and own == (day, counter):
            busy &= ~instead_of.mask
        if day <= window.last_day:
            runs = rules.starts(opened & ~busy, service.cells)
            rules.add_up(planes, runs & rules.mask_from(window.earliest, day))
    return [
        DayPlaces(day, at_site, len(counters), rules.counts(planes))
        for (day, at_site), (planes, counters) in sorted(found.items())
    ]


def _special_openings(service: Service) -> dict[int, list[rules.Opening]]:
    """Return the rules of the counters at which some rule names a service."""
    serving = OpeningRule.objects.in_force().filter(counter__services=service)
    special = serving.exclude(service=None).values("counter_id")
    openings: dict[int, list[rules.Opening]] = {}
    for rule in OpeningRule.objects.in_force().filter(counter_id__in=special):
        openings.setdefault(rule.counter_id, []).append(rule.opening)
    return openings


def free_slots(
    service: Service,
    *,
    first: date,
    last: date,
    window: rules.Window,
    site: Site | None = None,
) -> list[Slot]:
    """Return every free start from first to last, in order of time. Three queries."""
    codes = dict(Site.objects.values_list("pk", "code"))
    return [
        Slot(rules.start_of(day.day, cell), service.minutes, codes[day.site], free)
        for day in places(service, first=first, last=last, window=window, site=site)
        for cell, free in day.free.items()
    ]


def window_of(service: Service, *, at: datetime, by_staff: bool = False) -> rules.Window:
    """Return when the service may be booked: staff up to the last moment and the horizon."""
    if by_staff:
        return rules.Window(
            earliest=at, last_day=at.astimezone(rules.JST).date() + timedelta(rules.HORIZON_DAYS)
        )
    return rules.booking_window(
        now=at,
        lead_minutes=service.lead_minutes,
        opens_days_before=service.opens_days_before,
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


def candidates(service: Service, *, site: Site, start: datetime) -> list[CounterDay]:
    """
    Return the counter-days that are open for the service from `start`, in counter order.

    Taken ones are among them: what is free now is decided by the claim alone.
    """
    day, mask = (
        start.astimezone(rules.JST).date(),
        rules.run_mask(rules.cell_of(start), service.cells),
    )
    if mask > rules.WHOLE_DAY:
        return []
    rows = CounterDay.objects.filter(
        day=day, counter__site=site, counter__services=service, counter__is_active=True
    ).order_by("counter_id")
    allowed = _special_openings(service)
    return [
        row
        for row in rows
        if row.open & mask == mask
        and (
            row.counter_id not in allowed
            or rules.opening_mask(allowed[row.counter_id], day, service=service.pk) & mask == mask
        )
    ]


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
    service: Service,
    *,
    window: rules.Window,
    site: Site | None = None,
    on: date | None = None,
    instead_of: Appointment | Hold | None = None,
) -> Choice:
    """
    Return the month and the times of one day: the asked one if any is free, else the first.

    Without a site, the one with the earliest free place.
    """
    first = window.earliest.astimezone(rules.JST).date()
    found = places(
        service, first=first, last=window.last_day, window=window, instead_of=instead_of
    )
    sites = sites_of(service)
    known = {site.pk: site for site in sites}
    with_places = [day for day in found if day.free and day.site in known]
    if site is None and sites:
        site = known[with_places[0].site] if with_places else sites[0]
    here = {day.day: day for day in found if site is not None and day.site == site.pk}
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
                service.minutes,
                site.code,
                free,
                is_last=has_several and free == 1,
            )
            for cell, free in here[shown].free.items()
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
        is_anything_free=bool(with_places),
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
    service: Service, *, site: Site, start: datetime, window: rules.Window, limit: int = 6
) -> list[Slot]:
    """Return the free starts nearest to `start`, in order of time."""
    day = start.astimezone(rules.JST).date()
    around = free_slots(
        service,
        first=day - timedelta(days=7),
        last=day + timedelta(days=14),
        window=window,
        site=site,
    )
    nearest = sorted(around, key=lambda slot: abs(slot.start - start))[:limit]
    return sorted(nearest, key=lambda slot: slot.start)


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
) -> dict[tuple[date, int], int]:
    """Return the busy mask that each counter-day ought to have, from appointments and holds."""
    within = Q()
    if first is not None:
        within &= Q(start__gte=rules.start_of(first, 0))
    if last is not None:
        within &= Q(start__lt=rules.start_of(last + timedelta(days=1), 0))
    busy: dict[tuple[date, int], int] = {}
    for _, counter, start, cells in _taken(within):
        key = (start.astimezone(rules.JST).date(), counter)
        busy[key] = busy.get(key, 0) | rules.run_mask(rules.cell_of(start), cells)
    return busy


def _taken(within: Q) -> Iterator[tuple[int, int, datetime, int]]:
    """Yield (id, counter, start, cells) of whatever takes cells; a hold's id is negative."""
    columns = ("pk", "counter_id", "start", "cells")
    yield from Appointment.objects.occupying().filter(within).values_list(*columns).iterator()
    for pk, *place in Hold.objects.filter(within).values_list(*columns).iterator():
        yield (-pk, *place)


@dataclass(frozen=True)
class MaskDifference:
    """A counter-day whose busy mask is not the sum of its appointments."""

    day: date
    counter: int
    wanted: int
    found: int

    def __str__(self) -> str:
        return (
            f"{self.day} 窓口{self.counter}: 予約からは {self.wanted:#x}、記録は {self.found:#x}"
        )


def mask_differences() -> list[MaskDifference]:
    """Compare every busy mask with the appointments, and the appointments with each other."""
    wanted = masks_from_appointments()
    found = {
        (day, counter): busy
        for day, counter, busy in CounterDay.objects.values_list("day", "counter_id", "busy")
    }
    return [
        MaskDifference(*key, wanted=wanted.get(key, 0), found=found.get(key, 0))
        for key in sorted(wanted.keys() | found.keys())
        if wanted.get(key, 0) != found.get(key, 0)
    ]


def overlapping_appointments() -> list[tuple[int, int]]:
    """
    Return the pairs (earlier, later) that take the same cell of a counter; best none.

    A hold counts like an appointment; its id is negative here.
    """
    pairs: list[tuple[int, int]] = []
    last: tuple[int, int, datetime] | None = None
    for pk, counter, start, cells in sorted(_taken(Q()), key=lambda row: (row[1], row[2], row[0])):
        end = start + timedelta(minutes=rules.CELL_MINUTES * cells)
        if last is not None and last[1] == counter and start < last[2]:
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


def appointments_outside_hours(
    *, service: Service | None = None, at: datetime
) -> list[Appointment]:
    """Return the coming appointments that no longer lie within their counter's open cells."""
    coming = Appointment.objects.filter(status=rules.AppointmentStatus.BOOKED, start__gte=at)
    if service is not None:
        coming = coming.filter(service=service)
    rows = coming.select_related("service", "counter__site").order_by("start", "id")
    first = at.astimezone(rules.JST).date()
    opened = {
        (day, counter): mask
        for day, counter, mask in CounterDay.objects.filter(day__gte=first).values_list(
            "day", "counter_id", "open"
        )
    }
    return [row for row in rows if row.mask & ~opened.get((row.day, row.counter_id), 0)]


def sites_with_services() -> QuerySet[Site]:
    """Return where something is received."""
    found = Site.objects.filter(counters__services__isnull=False, counters__is_active=True)
    return found.distinct().order_by("id")
