"""The day of the visit: reception, counters, tickets."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from madoguchi.booking import access as booking
from madoguchi.booking import queries as services
from madoguchi.booking.models import Appointment
from madoguchi.foundation.errors import RuleBroken
from madoguchi.offices.models import Site
from madoguchi.reception import access, actions, queries
from madoguchi.reception.forms import CheckInForm, PeriodForm, WalkInForm
from madoguchi.reception.models import Visit
from madoguchi.rota import access as rota
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.models import User
from madoguchi.staff.rules import Verb


@requires(Verb.RECEIVE_VISITS)
@require_safe
def receptions(request: StaffRequest) -> HttpResponse:
    """Choose the site one receives at; where there is one only, go there."""
    sites = list(services.sites_with_services())
    if len(sites) == 1:
        return redirect("reception:reception", sites[0].code)
    return render(request, "reception/receptions.html", {"sites": sites})


@requires(Verb.RECEIVE_VISITS)
@never_cache
@require_safe
def reception(request: StaffRequest, code: str) -> HttpResponse:
    site = get_object_or_404(Site, code=code)
    at = timezone.now()
    if "HX-Request" in request.headers:
        return render(request, "reception/_hall.html", _hall(request.user, site, at=at))
    return _reception(request, site, at=at)


def _hall(user: User, site: Site, *, at: datetime) -> dict[str, object]:
    """Return what the board of the hall shows: expected, waiting, at the counters."""
    return {
        "site": site,
        "now": at,
        "expected": booking.appointments_expected(user, site=site, at=at),
        "queue": queries.queue(site=site, at=at),
        "called": queries.at_counters(site=site, at=at),
        "away": rota.absences_to_read(user, on=timezone.localdate(at)),
    }


def _reception(
    request: StaffRequest,
    site: Site,
    *,
    at: datetime,
    check_in_form: CheckInForm | None = None,
    walk_in_form: WalkInForm | None = None,
    named: list[Appointment] | None = None,
) -> HttpResponse:
    last = queries.visit_today(request.GET.get("ticket", ""), site=site, at=at)
    context = _hall(request.user, site, at=at) | {
        "check_in_form": check_in_form or CheckInForm(),
        "walk_in_form": walk_in_form or WalkInForm(site=site),
        "named": named or [],
        "last": last,
    }
    return render(request, "reception/reception.html", context)


@requires(Verb.RECEIVE_VISITS)
@require_POST
def check_in(request: StaffRequest, code: str) -> HttpResponse:
    """予約していますか？ — yes: by number, by the QR code's text, or by name."""
    site = get_object_or_404(Site, code=code)
    at = timezone.now()
    form = CheckInForm(request.POST)
    named: list[Appointment] = []
    if form.is_valid():
        text = form.cleaned_data["code"]
        found = booking.appointment_at_reception(request.user, text, at=at)
        if found is None:
            named = booking.appointments_named(request.user, text, site=site, at=at)
            found = named[0] if len(named) == 1 else None
        if found is not None:
            try:
                visit = actions.check_in(appointment=found, site=site, by=request.user, at=at)
            except RuleBroken as reason:
                form.add_error("code", str(reason))
            else:
                return _received(request, visit)
        elif not named:
            form.add_error(
                "code",
                "今日の予約に見つかりません。番号かお名前をお確かめのうえ、"
                "なければ予約なしで受け付けてください。",
            )
    return _reception(request, site, at=at, check_in_form=form, named=named)


@requires(Verb.RECEIVE_VISITS)
@require_POST
def walk_in(request: StaffRequest, code: str) -> HttpResponse:
    """予約していますか？ — no: for what, and why not."""
    site = get_object_or_404(Site, code=code)
    at = timezone.now()
    form = WalkInForm(request.POST, site=site)
    if form.is_valid():
        visit = actions.walk_in(site=site, by=request.user, at=at, **form.cleaned_data)
        return _received(request, visit)
    return _reception(request, site, at=at, walk_in_form=form)


def _received(request: HttpRequest, visit: Visit) -> HttpResponse:
    messages.success(request, f"受付番号 {visit.ticket} 番で受け付けました。")
    answer = redirect("reception:reception", visit.site.code)
    answer["Location"] += f"?ticket={visit.pk}"
    return answer


@requires(Verb.RECEIVE_VISITS)
@require_safe
def ticket(request: StaffRequest, code: str, pk: int) -> HttpResponse:
    site = get_object_or_404(Site, code=code)
    visit = access.visit_at_reception(pk, site=site)
    at = timezone.now()
    ahead = queries.people_ahead(visit, at=at)
    return render(request, "reception/ticket.html", {"visit": visit, "ahead": ahead})


@requires(Verb.RECEIVE_VISITS, Verb.READ_STATISTICS)
@require_safe
def remarks(request: StaffRequest, code: str) -> HttpResponse:
    """How many came without a booking, and why."""
    site = get_object_or_404(Site, code=code)
    today = timezone.localdate()
    form = PeriodForm(request.GET or None)
    first, last = today - timedelta(days=27), today
    if form.is_valid():
        first, last = form.cleaned_data["first"], form.cleaned_data["last"]
    elif not form.is_bound:
        form = PeriodForm(initial={"first": first, "last": last})
    context = {
        "site": site,
        "form": form,
        "first": first,
        "last": last,
        "counted": queries.remarks_counted(site=site, first=first, last=last),
        "visits": queries.visits_counted(site=site, first=first, last=last),
    }
    return render(request, "reception/remarks.html", context)


@requires(Verb.CALL_VISITS)
@require_safe
def calling(request: StaffRequest) -> HttpResponse:
    counters = access.counters_of(request.user)
    boards = queries.counter_boards(counters, at=timezone.now())
    return render(request, "reception/calling.html", {"boards": boards})


@requires(Verb.CALL_VISITS)
@never_cache
@require_safe
def counter(request: StaffRequest, pk: int) -> HttpResponse:
    desk = access.counter_of(request.user, pk)
    at = timezone.now()
    context = {
        "counter": desk,
        "now": at,
        "visit": access.visit_at_counter(request.user, desk, at=at),
        "queue": queries.queue(site=desk.site, at=at, counter=desk),
        "absent": queries.absent_at(desk, at=at),
        "away": rota.absences_to_read(
            request.user, on=timezone.localdate(at), division=desk.division
        ),
    }
    is_partial = "HX-Request" in request.headers
    return render(request, f"reception/{'_' if is_partial else ''}counter.html", context)


@requires(Verb.CALL_VISITS)
@require_POST
def call_next(request: StaffRequest, pk: int) -> HttpResponse:
    desk = access.counter_of(request.user, pk)
    try:
        visit = actions.call_next(counter=desk, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        if visit is None:
            messages.info(request, "この窓口でお待ちの方はいません。")
    return redirect("reception:counter", pk)


@requires(Verb.CALL_VISITS)
@require_POST
def call(request: StaffRequest, pk: int, visit: int) -> HttpResponse:
    """Call one person out of turn: who is urgent, who cannot wait, whom a colleague knows."""
    desk = access.counter_of(request.user, pk)
    wanted = access.visit_to_call(desk, visit)
    try:
        actions.call(visit=wanted, counter=desk, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    return redirect("reception:counter", pk)


def _moved(request: StaffRequest, pk: int, step: Callable[..., Visit]) -> HttpResponse:
    visit = access.visit_to_move(request.user, pk)
    try:
        step(visit=visit, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    return redirect("reception:counter", visit.counter_id)


@requires(Verb.CALL_VISITS)
@require_POST
def recall(request: StaffRequest, pk: int) -> HttpResponse:
    return _moved(request, pk, actions.recall)


@requires(Verb.CALL_VISITS)
@require_POST
def mark_absent(request: StaffRequest, pk: int) -> HttpResponse:
    return _moved(request, pk, actions.mark_absent)


@requires(Verb.CALL_VISITS)
@require_POST
def return_to_queue(request: StaffRequest, pk: int) -> HttpResponse:
    return _moved(request, pk, actions.return_to_queue)


@requires(Verb.CALL_VISITS)
@require_POST
def start(request: StaffRequest, pk: int) -> HttpResponse:
    return _moved(request, pk, actions.start)


@requires(Verb.CALL_VISITS)
@require_POST
def finish(request: StaffRequest, pk: int) -> HttpResponse:
    return _moved(request, pk, actions.finish)
