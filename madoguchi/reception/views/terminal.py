"""受付機: the screen in the hall at which people receive themselves, with large buttons."""

from datetime import date, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from madoguchi.booking import actions as booking
from madoguchi.booking import queries as places
from madoguchi.booking.models import Appointment, Errand, Service
from madoguchi.booking.rules import Full, Source
from madoguchi.foundation.errors import RuleBroken
from madoguchi.offices.models import Site
from madoguchi.reception import access, actions, queries, rules
from madoguchi.reception.models import Terminal, Visit

COOKIE = "terminal"
YEAR = 366 * 24 * 3600
NAME = "受付機で予約"  # nobody types a name in the hall
require_get_or_post = require_http_methods(["GET", "HEAD", "POST"])


def _terminal(request: HttpRequest, code: str) -> Terminal:
    site = get_object_or_404(Site, code=code)
    return access.terminal_with(request.COOKIES.get(COOKIE, ""), site=site)


@never_cache
@require_safe
def terminal(request: HttpRequest, code: str) -> HttpResponse:
    """Yes or no; opened once with its key, the screen keeps it."""
    if key := request.GET.get("key"):
        access.terminal_with(key, site=get_object_or_404(Site, code=code))
        answer = redirect("reception:terminal", code)
        answer.set_cookie(
            COOKIE,
            key,
            max_age=YEAR,
            path="/terminal/",
            secure=request.is_secure(),
            httponly=True,
            samesite="Strict",
        )
        return answer
    return _start(request, _terminal(request, code))


def _start(request: HttpRequest, here: Terminal, *, refusal: str = "") -> HttpResponse:
    congestion = queries.congestion(here.site, at=timezone.now())
    services = Service.objects.shown().filter(counters__site=here.site).distinct()
    context = {
        "site": here.site,
        "refusal": refusal,
        "services": [(each, congestion.told.newcomers.get(each.pk)) for each in services],
        "order": congestion.order,
    }
    return render(request, "reception/terminal.html", context, status=409 if refusal else 200)


@never_cache
@require_POST
def check_in(request: HttpRequest, code: str) -> HttpResponse:
    """By the number or the QR code of the booking."""
    here = _terminal(request, code)
    found = access.appointment_at_terminal(request.POST.get("code", "")[:300])
    if found is None:
        words = "予約が見つかりません。番号をお確かめになるか、受付におたずねください。"
        return _start(request, here, refusal=words)
    try:
        visit = actions.check_in(appointment=found, site=here.site, by=here, at=timezone.now())
    except RuleBroken as reason:
        return _start(request, here, refusal=str(reason))
    return _received(request, here, visit)


@never_cache
@require_POST
def walk_in(request: HttpRequest, code: str) -> HttpResponse:
    """A number for now; why there is no booking is not asked by a machine."""
    here = _terminal(request, code)
    offered = Service.objects.shown().filter(counters__site=here.site).distinct()
    service = get_object_or_404(offered, code=request.POST.get("service", ""))
    visit = actions.walk_in(
        site=here.site,
        service=service,
        reason=rules.Remark.AT_TERMINAL,
        by=here,
        at=timezone.now(),
    )
    return _received(request, here, visit)


def _received(request: HttpRequest, here: Terminal, visit: Visit) -> HttpResponse:
    told = queries.congestion(here.site, at=timezone.now()).told
    context = {"site": here.site, "visit": visit, "range": told.visits.get(visit.pk)}
    return render(request, "reception/terminal_ticket.html", context)


@never_cache
@require_get_or_post
def book(request: HttpRequest, code: str, service: str) -> HttpResponse:
    """
    Fix a time today or another day instead of waiting, without telephone or mail.

    The slip's number and QR code are all one needs.
    """
    here = _terminal(request, code)
    wanted = get_object_or_404(Service.objects.bookable_online(), code=service)
    at = timezone.now()
    errand = Errand((wanted,))
    window = places.window_of(errand, at=at)
    choice = places.choice(errand, window=window, site=here.site, on=_day(request, at=at))
    refusal = ""
    if request.method == "POST":
        asked = request.POST.get("start", "")
        start = next(
            (each.start for each in choice.times if each.start.isoformat() == asked), None
        )
        try:
            made = _booked(wanted, here.site, start, at=at)
        except RuleBroken as reason:
            refusal = str(reason)
        else:
            return render(
                request,
                "reception/terminal_booked.html",
                {"site": here.site, "appointment": made},
            )
    context = {
        "site": here.site,
        "service": wanted,
        "choice": choice,
        "is_today": choice.day == timezone.localdate(at),
        "refusal": refusal,
    }
    return render(
        request, "reception/terminal_times.html", context, status=409 if refusal else 200
    )


def _day(request: HttpRequest, *, at: datetime) -> date:
    """Return the day whose times are looked at; the machine begins with today."""
    try:
        return date.fromisoformat(request.GET.get("on", ""))
    except ValueError:
        return timezone.localdate(at)


def _booked(service: Service, site: Site, start: datetime | None, *, at: datetime) -> Appointment:
    if start is None:
        raise Full("申し訳ありません。その時刻は、ほかの方の予約で埋まりました。")
    return booking.book(
        service=service, site=site, start=start, name=NAME, source=Source.COUNTER, at=at
    )
