"""A counter: calling, serving, sending on, closing, and calling for help."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from madoguchi.booking.models import Service
from madoguchi.foundation.errors import RuleBroken
from madoguchi.reception import access, actions, queries
from madoguchi.reception.forms import TransferForm
from madoguchi.reception.models import Alert, Support, Visit
from madoguchi.rota import access as rota
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb

require_get_or_post = require_http_methods(["GET", "HEAD", "POST"])


@requires(Verb.CALL_VISITS)
@require_safe
def calling(request: StaffRequest) -> HttpResponse:
    counters = access.counters_of(request.user)
    boards = queries.counter_boards(counters, at=timezone.now())
    sites = {board.counter.site: None for board in boards}
    return render(request, "reception/calling.html", {"boards": boards, "sites": list(sites)})


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
        "parked": [v for v in queries.parked_at(desk.site, at=at) if v.counter_id == desk.pk],
        "alerts": queries.open_alerts(desk.site),
        "board": queries.counter_boards([desk], at=at)[0],
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
    at = timezone.now()
    wanted = access.visit_to_call(desk, visit, at=at)
    try:
        actions.call(visit=wanted, counter=desk, by=request.user, at=at)
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
def park(request: StaffRequest, pk: int) -> HttpResponse:
    return _moved(request, pk, actions.park)


@requires(Verb.CALL_VISITS)
@require_get_or_post
def transfer(request: StaffRequest, pk: int) -> HttpResponse:
    """Send the visitor to another counter with a note, now or when this one is done."""
    visit = access.visit_to_move(request.user, pk)
    form = TransferForm(request.POST or None, site=visit.site, initial={"when": "now"})
    if request.method == "POST" and form.is_valid():
        fields = dict(form.cleaned_data)
        step = actions.transfer if fields.pop("when") == "now" else actions.add_stop
        try:
            step(visit=visit, by=request.user, at=timezone.now(), **fields)
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(
                request, f"{visit.ticket}番の方を「{fields['service']}」へ引き継ぎます。"
            )
            return redirect("reception:counter", visit.counter_id)
    return render(request, "reception/transfer.html", {"visit": visit, "form": form})


@requires(Verb.CALL_VISITS)
@require_POST
def start(request: StaffRequest, pk: int) -> HttpResponse:
    return _moved(request, pk, actions.start)


@requires(Verb.CALL_VISITS)
@require_POST
def finish(request: StaffRequest, pk: int) -> HttpResponse:
    return _moved(request, pk, actions.finish)


def _changed(
    request: StaffRequest, pk: int, verb: Callable[..., object], **more: object
) -> HttpResponse:
    """Do something with a counter of ours, and go back to where the button was."""
    desk = access.counter_of(request.user, pk)
    try:
        verb(counter=desk, by=request.user, at=timezone.now(), **more)
    except RuleBroken as reason:
        messages.error(request, str(reason))
    if request.POST.get("from") == "panel":
        return redirect("reception:panel", desk.site.code)
    return redirect("reception:counter", pk)


@requires(Verb.CALL_VISITS)
@require_POST
def close_counter(request: StaffRequest, pk: int) -> HttpResponse:
    return _changed(request, pk, actions.close_counter)


@requires(Verb.CALL_VISITS)
@require_POST
def open_counter(request: StaffRequest, pk: int) -> HttpResponse:
    return _changed(request, pk, actions.open_counter)


@requires(Verb.CALL_VISITS)
@require_POST
def begin_support(request: StaffRequest, pk: int) -> HttpResponse:
    service = get_object_or_404(Service, code=request.POST.get("service", ""))
    return _changed(request, pk, actions.begin_support, service=service)


@requires(Verb.CALL_VISITS)
@require_POST
def end_support(request: StaffRequest, pk: int) -> HttpResponse:
    support = get_object_or_404(
        Support.objects.select_related("counter__site"),
        pk=pk,
        counter__in=access.counters_of(request.user),
    )
    actions.end_support(support=support, by=request.user, at=timezone.now())
    return redirect("reception:panel", support.counter.site.code)


@requires(Verb.CALL_VISITS)
@require_POST
def raise_alert(request: StaffRequest, pk: int) -> HttpResponse:
    """Call colleagues to this counter; no question is asked before."""
    return _changed(request, pk, actions.raise_alert)


@requires(Verb.CALL_VISITS)
@require_POST
def acknowledge_alert(request: StaffRequest, pk: int) -> HttpResponse:
    alert = get_object_or_404(Alert.objects.select_related("counter__site"), pk=pk)
    actions.acknowledge_alert(alert=alert, by=request.user, at=timezone.now())
    return redirect("reception:panel", alert.counter.site.code)
