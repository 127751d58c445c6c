"""Questions of reception and calling."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from threading import Lock

from django.core.cache import cache
from django.db.models import Q
from django.utils import timezone

from madoguchi.booking.models import Appointment, Service
from madoguchi.booking.rules import AppointmentStatus, start_of
from madoguchi.foundation.models import LiveEvent
from madoguchi.offices.models import Counter, Site
from madoguchi.reception import rules
from madoguchi.reception.models import Alert, Closing, QueueRule, Stop, Support, Visit
from madoguchi.reception.rules import waiting

LEARNED_DAYS, LEARNED_TALKS = 90, 2_000  # how far back talks teach how long they take


def call_order(site_id: int) -> rules.CallOrder:
    """Return the order the site has declared, or the house's own."""
    rule = QueueRule.objects.filter(site=site_id).first()
    return rule.call_order if rule else rules.DECLARED


def busy_from(site_id: int) -> timedelta:
    """Return from which wait on the site calls itself busy."""
    rule = QueueRule.objects.filter(site=site_id).first()
    return timedelta(minutes=rule.busy_minutes) if rule else rules.BUSY


def is_closed(counter: Counter, *, on: date) -> bool:
    return Closing.objects.filter(counter=counter, on=on, opened_at=None).exists()


def services_at(counters: Iterable[Counter], *, on: date) -> dict[int, frozenset[int]]:
    """Return for each counter the services it calls for that day, its supports among them."""
    ids = [counter.pk for counter in counters]
    pairs = [
        *Service.counters.through.objects.filter(counter__in=ids).values_list(
            "counter_id", "service_id"
        ),
        *Support.objects.filter(counter__in=ids, on=on, ended_at=None).values_list(
            "counter_id", "service_id"
        ),
    ]
    return {pk: frozenset(service for counter, service in pairs if counter == pk) for pk in ids}


def queue(*, site: Site, at: datetime, counter: Counter | None = None) -> list[Visit]:
    """Return who waits at the site (for this counter), in the order of calling."""
    day = timezone.localdate(at)
    waiting = Visit.objects.today(site=site, day=day).waiting().select_related("desk")
    if counter is not None:
        services = services_at([counter], on=day)[counter.pk]
        waiting = waiting.for_counter(counter, services=services)
    visits = {visit.pk: visit for visit in waiting}
    people = (visit.waiting for visit in visits.values())
    order = call_order(site.pk)
    return [visits[person.visit] for person in rules.in_turn(people, now=at, by=order)]


@dataclass(frozen=True)
class CounterBoard:
    """A counter, who is there since when, how many wait for it, and whether it is open."""

    counter: Counter
    visit: Visit | None
    waiting: int
    is_closed: bool = False
    supports: tuple[Support, ...] = ()
    alert: Alert | None = None


def counter_boards(counters: Iterable[Counter], *, at: datetime) -> list[CounterBoard]:
    """Return the counters with their visitors and queues, in seven queries."""
    day = timezone.localdate(at)
    counters = list(counters)
    today = Visit.objects.filter(on=day)
    here = {
        visit.counter_id: visit
        for visit in today.at_a_counter().select_related("service", "officer")
    }
    waiting = list(today.waiting().values_list("site_id", "service_id", "desk_id"))
    services = services_at(counters, on=day)
    closed = set(
        Closing.objects.filter(on=day, opened_at=None).values_list("counter_id", flat=True)
    )
    supports = list(Support.objects.filter(on=day, ended_at=None).select_related("service"))
    alerts = {alert.counter_id: alert for alert in Alert.objects.filter(acknowledged_at=None)}

    def waits_for(counter: Counter) -> int:
        return sum(
            desk == counter.pk
            or (desk is None and site == counter.site_id and service in services[counter.pk])
            for site, service, desk in waiting
        )

    return [
        CounterBoard(
            counter=counter,
            visit=here.get(counter.pk),
            waiting=waits_for(counter),
            is_closed=counter.pk in closed,
            supports=tuple(each for each in supports if each.counter_id == counter.pk),
            alert=alerts.get(counter.pk),
        )
        for counter in counters
    ]


def counters_of_site(site: Site, *, on: date) -> list[Counter]:
    """Return the active counters of the site that people are called to, the helping ones too."""
    desks = Counter.objects.filter(site=site, is_active=True).select_related("site", "division")
    helping = Support.objects.filter(on=on, ended_at=None).values("counter")
    called_to = Q(services__isnull=False) | Q(pk__in=helping)
    return list(desks.filter(called_to).distinct().order_by("pk"))


def open_alerts(site: Site) -> list[Alert]:
    """Return the alerts of the site that nobody has taken yet, the oldest first."""
    rows = Alert.objects.filter(counter__site=site, acknowledged_at=None)
    return list(rows.select_related("counter").order_by("raised_at"))


# --- how long one waits ----------------------------------------------------------------------


_one_at_a_time = Lock()  # two hundred displays ask at once: one computes, the others wait for it


@dataclass(frozen=True)
class Congestion:
    """混雑状況: how long who waits and who would come now will wait at one site."""

    at: datetime
    people: int
    told: waiting.Forecast
    names: list[tuple[str, waiting.Range]]  # the newcomers' ranges by service, longest first
    order: rules.CallOrder
    is_busy: bool

    @property
    def range(self) -> waiting.Range | None:
        """The longest of the newcomers' ranges: what to expect whatever one comes for."""
        ranges = self.told.newcomers.values()
        return max(ranges, key=lambda each: each.high, default=None)


def congestion(site: Site, *, at: datetime) -> Congestion:
    """
    Return the waiting times of the site, computed once for everybody who asks in this minute.

    A change in the hall (its last live event) makes them anew.
    """
    topic = f"public.display.{site.pk}"
    last = LiveEvent.objects.filter(topic=topic).order_by("-pk").values_list("pk", flat=True)
    key = f"congestion.{site.pk}.{last.first()}.{at:%Y%m%d%H%M}"
    with _one_at_a_time:
        found: Congestion | None = cache.get(key)
        if found is None:
            found = _congestion(site, at=at)
            cache.set(key, found, 120)
    return found


def _congestion(site: Site, *, at: datetime) -> Congestion:
    hall = hall_at(site, at=at)
    told = waiting.forecast(hall)
    longest = max((each.middle for each in told.newcomers.values()), default=0.0)
    named = Service.objects.in_bulk(list(told.newcomers))
    names = [(named[pk].name, found) for pk, found in told.newcomers.items()]
    return Congestion(
        at=at,
        people=len(hall.waiting),
        told=told,
        names=sorted(names, key=lambda row: -row[1].high),
        order=hall.order,
        is_busy=longest * 60 >= busy_from(site.pk).total_seconds(),
    )


def hall_at(site: Site, *, at: datetime) -> waiting.Hall:
    """Return the hall of a site as the forecast needs it."""
    day = timezone.localdate(at)
    boards = counter_boards(counters_of_site(site, on=day), at=at)
    services = services_at([board.counter for board in boards], on=day)
    here = [board.visit for board in boards if board.visit is not None]
    line = queue(site=site, at=at)
    expected = list(Appointment.objects.expected(site=site, day=day))
    wanted = {row.service_id for row in (*here, *line)} | {row.service_id for row in expected}
    lengths = talk_lengths({*wanted, *(each for ids in services.values() for each in ids)}, on=day)

    def minutes(moment: datetime) -> float:
        return (moment - at).total_seconds() / 60

    return waiting.Hall(
        counters={
            board.counter.pk: services[board.counter.pk] for board in boards if not board.is_closed
        },
        lengths=lengths,
        talks=[
            waiting.Talk(visit.counter_id, visit.service_id, -minutes(visit.called_at))
            for visit in here
            if visit.counter_id and visit.called_at
        ],
        waiting=[
            waiting.Person(
                visit=visit.pk,
                service=visit.service_id,
                arrived=minutes(visit.arrived_at),
                booked=minutes(visit.booked_for) if visit.booked_for else None,
                desk=visit.desk_id,
            )
            for visit in line
        ],
        coming=[waiting.Coming(row.service_id, minutes(row.start)) for row in expected],
        order=call_order(site.pk),
        shows=_shows(site, on=day),
    )


def talk_lengths(services: Collection[int], *, on: date) -> dict[int, waiting.Length]:
    """Return how long each service takes, from its talks of the last 90 days. Three queries."""
    since = on - timedelta(days=LEARNED_DAYS)
    done = Visit.objects.filter(
        service__in=services, on__range=(since, on), finished_at__isnull=False
    )
    left = Stop.objects.filter(
        service__in=services, visit__on__range=(since, on), finished_at__isnull=False
    )
    took: dict[int, list[float]] = {}
    for rows in (done, left):
        times = rows.order_by("-pk").values_list("service_id", "called_at", "finished_at")
        for service, called, finished in times[:LEARNED_TALKS]:
            if called is not None and finished is not None:
                took.setdefault(service, []).append((finished - called).total_seconds() / 60)
    entered = Service.objects.filter(pk__in=services).values_list("pk", "minutes")
    return {pk: waiting.learned(took.get(pk, []), expected=minutes) for pk, minutes in entered}


def _shows(site: Site, *, on: date) -> float:
    """Return the share of those who booked that come, 17 of 20 being assumed beforehand."""
    since, until = on - timedelta(days=LEARNED_DAYS), on
    past = Appointment.objects.filter(
        counter__site=site,
        start__range=(start_of(since, 0), start_of(until, 0)),
    ).values_list("status", flat=True)
    came = sum(status == AppointmentStatus.ARRIVED for status in past)
    missed = sum(status == AppointmentStatus.MISSED for status in past)
    return (came + waiting.PRIOR_SHOWS) / (came + missed + waiting.PRIOR_BOOKED)


@dataclass(frozen=True)
class Help:
    """応援の案: a counter of another section, and what it would change for a busy service."""

    counter: Counter
    service: Service
    now: waiting.Range
    then: waiting.Range

    @property
    def minutes_saved(self) -> int:
        return round(self.now.middle - self.then.middle)


def suggested_help(site: Site, *, at: datetime) -> list[Help]:
    """
    Return which idle counters of other sections could shorten the longest wait, best first.

    Each is played through with the forecast; what saves less than five minutes is left out.
    """
    hall = hall_at(site, at=at)
    now = waiting.forecast(hall).newcomers
    if not now:
        return []
    busiest = max(now, key=lambda service: now[service].middle)
    if now[busiest].middle * 60 < busy_from(site.pk).total_seconds():
        return []
    service = Service.objects.get(pk=busiest)
    found = []
    for counter in _idle_counters(site, hall, on=timezone.localdate(at)):
        more = dict(hall.counters)
        more[counter.pk] = more.get(counter.pk, frozenset()) | {busiest}
        then = waiting.forecast(replace(hall, counters=more)).newcomers[busiest]
        if now[busiest].middle - then.middle >= 5:
            found.append(Help(counter, service, now[busiest], then))
    return sorted(found, key=lambda each: each.then.middle)


def _idle_counters(site: Site, hall: waiting.Hall, *, on: date) -> list[Counter]:
    """Return the counters at which nobody is and for which nobody waits."""
    talking = {talk.counter for talk in hall.talks}
    asked = {person.service for person in hall.waiting}
    sent = {person.desk for person in hall.waiting}
    desks = Counter.objects.filter(site=site, is_active=True, kind="desk").exclude(
        closings__in=Closing.objects.filter(on=on, opened_at=None)
    )
    return [
        counter
        for counter in desks.select_related("division").order_by("pk")
        if counter.pk not in talking | sent
        and not hall.counters.get(counter.pk, frozenset()) & asked
    ]


def at_counters(*, site: Site, at: datetime) -> list[Visit]:
    """Return who is called or served now, oldest call first."""
    day = timezone.localdate(at)
    return list(Visit.objects.today(site=site, day=day).at_a_counter().order_by("called_at"))


def parked_at(site: Site, *, at: datetime) -> list[Visit]:
    """Return who does something else first (保留), in the order of tickets."""
    today = Visit.objects.today(site=site, day=timezone.localdate(at))
    return list(today.filter(status=rules.VisitStatus.PARKED).order_by("ticket"))


def absent_at(counter: Counter, *, at: datetime) -> list[Visit]:
    """Return whom the counter called in vain today, last call first."""
    day = timezone.localdate(at)
    today = Visit.objects.today(site=counter.site, day=day).filter(counter=counter)
    return list(today.filter(status=rules.VisitStatus.ABSENT).order_by("-called_at"))


def visit_today(text: str, *, site: Site, at: datetime) -> Visit | None:
    """Return the visit of today whose id the text is."""
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        return None
    day = timezone.localdate(at)
    return Visit.objects.today(site=site, day=day).filter(pk=int(text)).first()


def people_ahead(visit: Visit, *, at: datetime) -> int:
    """Return how many stand before this visit at the counters that may call it."""
    order = queue(site=visit.site, at=at)
    if visit not in order:
        return 0
    day = timezone.localdate(at)
    services = services_at(counters_of_site(visit.site, on=day), on=day)

    def desks(each: Visit) -> set[int]:
        if each.desk_id is not None:
            return {each.desk_id}
        return {counter for counter, ids in services.items() if each.service_id in ids}

    own = desks(visit)
    return sum(bool(desks(other) & own) for other in order[: order.index(visit)])


def visits_counted(*, site: Site, first: date, last: date) -> tuple[int, int]:
    """Return how many came with and without a booking."""
    visits = Visit.objects.filter(site=site, on__range=(first, last))
    booked = visits.exclude(booked_for=None).count()
    return booked, visits.count() - booked


def calls_shown(*, site: Site, at: datetime) -> list[Visit]:
    """Return the visits that the public display shows: called, newest call first."""
    day = timezone.localdate(at)
    called = Visit.objects.today(site=site, day=day).filter(status=rules.VisitStatus.CALLED)
    return list(called.order_by("-called_at", "-id"))


def remarks_counted(*, site: Site | None, first: date, last: date) -> list[tuple[str, int]]:
    """Return how many came without a booking, by reason, every reason named."""
    visits = Visit.objects.filter(on__range=(first, last), booked_for=None)
    if site is not None:
        visits = visits.filter(site=site)
    found: dict[str, int] = {}
    for reason in visits.values_list("reason_without_booking", flat=True):
        found[reason] = found.get(reason, 0) + 1
    return [(rules.REMARK_LABELS[remark], found.get(remark.value, 0)) for remark in rules.Remark]
