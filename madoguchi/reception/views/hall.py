"""The day of the visit: reception, tickets, the hall as a whole."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from madoguchi.booking import access as booking
from madoguchi.booking import queries as services
from madoguchi.booking.models import Appointment
from madoguchi.foundation.errors import RuleBroken
from madoguchi.offices.models import Site
from madoguchi.reception import access, actions, queries
from madoguchi.reception.forms import (
    CheckInForm,
    PeriodForm,
    QueueRuleForm,
    TerminalForm,
    WalkInForm,
)
from madoguchi.reception.models import QueueRule, Terminal, Visit
from madoguchi.rota import access as rota
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.models import User
from madoguchi.staff.rules import Verb

require_get_or_post = require_http_methods(["GET", "HEAD", "POST"])


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
    congestion = queries.congestion(site, at=at)
    return {
        "site": site,
        "now": at,
        "alerts": queries.open_alerts(site),
        "congestion": congestion,
        "expected": booking.appointments_expected(user, site=site, at=at),
        "queue": [
            (visit, congestion.told.visits.get(visit.pk))
            for visit in queries.queue(site=site, at=at)
        ],
        "parked": queries.parked_at(site, at=at),
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
    return render(request, "reception/ticket.html", _ticket(visit, at=at))


def _ticket(visit: Visit, *, at: datetime) -> dict[str, object]:
    congestion = queries.congestion(visit.site, at=at)
    return {
        "visit": visit,
        "ahead": queries.people_ahead(visit, at=at),
        "range": congestion.told.visits.get(visit.pk),
        "order": congestion.order,
    }


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
@never_cache
@require_safe
def panel(request: StaffRequest, code: str) -> HttpResponse:
    """All counters of a site: who serves whom since when, how long one waits, who could help."""
    site = get_object_or_404(Site, code=code)
    at = timezone.now()
    congestion = queries.congestion(site, at=at)
    queue = queries.queue(site=site, at=at)
    counters = queries.counters_of_site(site, on=timezone.localdate(at))
    context = {
        "site": site,
        "now": at,
        "boards": queries.counter_boards(counters, at=at),
        "may_set": request.user.may(Verb.EDIT_SERVICES),
        "ours": set(access.counters_of(request.user).values_list("pk", flat=True)),
        "alerts": queries.open_alerts(site),
        "congestion": congestion,
        "longest": min(queue, key=lambda visit: visit.arrived_at, default=None),
        "queue": queue,
        "help": queries.suggested_help(site, at=at) if congestion.is_busy else [],
    }
    is_partial = "HX-Request" in request.headers
    return render(request, f"reception/{'_' if is_partial else ''}panel.html", context)


@requires(Verb.EDIT_SERVICES)
@require_get_or_post
def set_queue_rule(request: StaffRequest, code: str) -> HttpResponse:
    """Declare in which order bookings and walk-ins are called."""
    site = get_object_or_404(Site, code=code)
    rule = QueueRule.objects.filter(site=site).first() or QueueRule(site=site)
    initial = {name: getattr(rule, name) for name in QueueRuleForm.base_fields}
    form = QueueRuleForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        actions.set_queue_rule(
            site=site, fields=form.cleaned_data, by=request.user, at=timezone.now()
        )
        messages.success(request, "呼び出す順を決めました。呼出画面と番号票にも出ます。")
        return redirect("reception:set_queue_rule", code)
    context = {
        "site": site,
        "form": form,
        "words": rule.call_order.words,
        "may_see": request.user.may(Verb.CALL_VISITS),
    }
    return render(request, "reception/set_queue_rule.html", context)


@requires(Verb.EDIT_SERVICES)
@require_get_or_post
def terminals(request: StaffRequest, code: str) -> HttpResponse:
    """The screens at which people receive themselves; a new one's key is shown once."""
    site = get_object_or_404(Site, code=code)
    form = TerminalForm(request.POST or None)
    address = ""
    if request.method == "POST" and form.is_valid():
        _, key = actions.add_terminal(
            site=site, by=request.user, at=timezone.now(), **form.cleaned_data
        )
        address = f"{settings.SITE_URL}{reverse('reception:terminal', args=[code])}?key={key}"
        form = TerminalForm()
    used = site.terminals.filter(withdrawn_at=None).order_by("pk")
    context = {
        "site": site,
        "form": form,
        "address": address,
        "terminals": used,
        "may_see": request.user.may(Verb.CALL_VISITS),
    }
    return render(request, "reception/terminals.html", context)


@requires(Verb.EDIT_SERVICES)
@require_POST
def withdraw_terminal(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Terminal.objects.select_related("site"), pk=pk)
    actions.withdraw_terminal(terminal=found, by=request.user, at=timezone.now())
    messages.success(request, f"「{found.name}」を取り外しました。この鍵では、もう開けません。")
    return redirect("reception:terminals", found.site.code)
