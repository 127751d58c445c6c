"""The waiting list of full days: joining, answering an offer, and the list for the telephone."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from madoguchi.booking import access, actions, queries
from madoguchi.booking.forms import ErrandForm, WaitingForm
from madoguchi.booking.models import Errand, Service
from madoguchi.foundation import limits
from madoguchi.foundation.errors import RuleBroken
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join_waiting(request: HttpRequest, code: str) -> HttpResponse:
    service = get_object_or_404(Service.objects.bookable_online(), code=code)
    at = timezone.now()
    errand = Errand((service,), ErrandForm(request.GET, service=service).errand.people)
    days = queries.full_days(errand, at=at)
    form = WaitingForm(request.POST or None, days=days)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            limits.spend(access.BOOKING, request, at=at)
            made = actions.join_waiting(
                service=service, people=errand.people, at=at, **form.cleaned_data
            )
        except limits.TooMany as refused:
            form.add_error(None, refused.words)
            status = 429
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            return redirect(made.address)
    context = {"errand": errand, "service": service, "form": form, "days": days}
    return render(request, "booking/join_waiting.html", context, status=status)


@never_cache
@require_safe
def waiting(request: HttpRequest, token: str) -> HttpResponse:
    found = access.waiting_by_token(token)
    hold = queries.offered(found, at=timezone.now())
    return render(request, "booking/waiting.html", {"waiting": found, "hold": hold})


@require_POST
def take_offer(request: HttpRequest, token: str) -> HttpResponse:
    found = access.waiting_by_token(token)
    try:
        made = actions.take_offer(waiting=found, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
        return redirect(found.address)
    return redirect(f"{made.address}?new=1")


@require_POST
def leave_waiting(request: HttpRequest, token: str) -> HttpResponse:
    found = access.waiting_by_token(token)
    actions.leave_waiting(waiting=found, at=timezone.now())
    return redirect(found.address)


@requires(Verb.BOOK_FOR_RESIDENT)
@never_cache
@require_safe
def waiting_list(request: StaffRequest) -> HttpResponse:
    """Who waits, and whom to ring because a place is kept for them."""
    rows = access.waiting_list(request.user, at=timezone.now())
    return render(request, "booking/waiting_list.html", {"rows": rows})


@requires(Verb.BOOK_FOR_RESIDENT)
@require_POST
def take_offer_for_resident(request: StaffRequest, token: str) -> HttpResponse:
    found = access.waiting_by_token(token)
    try:
        made = actions.take_offer(waiting=found, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
        return redirect("booking:waiting_list")
    messages.success(request, f"予約できました。予約番号は {made.shown_number} です。")
    return redirect("booking:appointment_for_resident", made.number)


@requires(Verb.BOOK_FOR_RESIDENT)
@require_POST
def leave_waiting_for_resident(request: StaffRequest, token: str) -> HttpResponse:
    found = access.waiting_by_token(token)
    actions.leave_waiting(waiting=found, by=request.user, at=timezone.now())
    messages.success(request, "キャンセル待ちから外しました。")
    return redirect("booking:waiting_list")
