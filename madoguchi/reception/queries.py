"""Questions of reception and calling."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, F
from django.utils import timezone

from madoguchi.offices.models import Counter, Site
from madoguchi.reception import rules
from madoguchi.reception.models import Visit


def queue(*, site: Site, at: datetime, counter: Counter | None = None) -> list[Visit]:
    """Return who waits at the site (for this counter), in the order of calling."""
    day = timezone.localdate(at)
    waiting = Visit.objects.today(site=site, day=day).waiting()
    if counter is not None:
        waiting = waiting.filter(service__counters=counter)
    visits = {visit.pk: visit for visit in waiting}
    return [
        visits[person.visit]
        for person in rules.in_turn((v.waiting for v in visits.values()), now=at)
    ]


@dataclass(frozen=True)
class CounterBoard:
    """A counter, who is there, and how many wait for it."""

    counter: Counter
    visit: Visit | None
    waiting: int


def counter_boards(counters: Iterable[Counter], *, at: datetime) -> list[CounterBoard]:
    """Return the counters with their visitors and queues, in three queries."""
    day = timezone.localdate(at)
    today = Visit.objects.filter(on=day)
    here = {v.counter_id: v for v in today.at_a_counter().select_related("service")}
    waiting = dict(
        today.waiting()
        .filter(service__counters__site=F("site"))
        .values_list("service__counters")
        .annotate(n=Count("pk"))
        .order_by()
    )
    return [CounterBoard(c, here.get(c.pk), waiting.get(c.pk, 0)) for c in counters]


def at_counters(*, site: Site, at: datetime) -> list[Visit]:
    """Return who is called or served now, oldest call first."""
    day = timezone.localdate(at)
    return list(Visit.objects.today(site=site, day=day).at_a_counter().order_by("called_at"))


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
    """Return how many of the same service will be called before this visit."""
    order = [other for other in queue(site=visit.site, at=at) if other.service == visit.service]
    return order.index(visit) if visit in order else 0


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
