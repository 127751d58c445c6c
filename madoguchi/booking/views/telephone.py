"""Booking for somebody on the telephone or at the counter: the same places, the same rules."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from madoguchi.booking import access, actions, queries, rules
from madoguchi.booking.forms import (
    AppointmentNumberForm,
    CallerForm,
    ErrandForm,
    Place,
    SearchForm,
    chosen_day,
    chosen_place,
    new_key,
)
from madoguchi.booking.models import Hold, Service
from madoguchi.booking.queries import Slot
from madoguchi.booking.rules import KeyReused, Source, Stage
from madoguchi.booking.views import holding
from madoguchi.foundation.errors import RuleBroken
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb

require_get_or_post = require_http_methods(["GET", "HEAD", "POST"])


@requires(Verb.BOOK_FOR_RESIDENT)
@require_safe
def book_for_resident(request: StaffRequest) -> HttpResponse:
    """Find the service to book, or an appointment by its number."""
    number_form = AppointmentNumberForm(request.GET if "number" in request.GET else None)
    if number_form.is_valid():
        return redirect("booking:appointment_for_resident", number_form.cleaned_data["number"])
    form = SearchForm(request.GET if "q" in request.GET else None)
    words = form.cleaned_data["q"] if form.is_valid() else ""
    found = queries.services_found(words).exclude(stage=Stage.ANNOUNCED.value)
    found = queries.own_first(found, request.user.division)
    context = {"form": form, "number_form": number_form, "words": words, "services": found}
    return render(request, "booking/book_for_resident.html", context)


def _service(code: str) -> Service:
    bookable = Service.objects.shown().exclude(stage=Stage.ANNOUNCED.value)
    return get_object_or_404(bookable, code=code)


@requires(Verb.BOOK_FOR_RESIDENT)
@require_safe
def choose(request: StaffRequest, code: str) -> HttpResponse:
    service = _service(code)
    at = timezone.now()
    actions.release_lapsed(at=at)
    form = ErrandForm(request.GET, service=service)
    window = queries.window_of(form.errand, at=at, source=Source.PHONE)
    own = access.own_hold(holding.token(request), at=at)
    choice = queries.choice(
        form.errand, window=window, instead_of=own, has_keys=True, **chosen_day(request.GET)
    )
    context = {
        "service": service,
        "errand": form.errand,
        "errand_form": form,
        "choice": choice,
    }
    return render(request, "booking/choose_for_resident.html", context)


@requires(Verb.BOOK_FOR_RESIDENT)
@require_POST
def hold(request: StaffRequest, code: str) -> HttpResponse:
    """Keep the place while the caller says who books."""
    service = _service(code)

    def keep(place: Place) -> Hold:
        mine, at = holding.token(request), timezone.now()
        return actions.hold(
            service=service,
            also=errand.services[1:],
            people=errand.people,
            instead_of=mine,
            by=request.user,
            at=at,
            **place,
        )

    errand = ErrandForm(request.POST, service=service).errand
    return holding.take(
        request,
        keep,
        errand=errand,
        choose="booking:choose_for_resident",
        form="booking:book_by_phone",
    )


@requires(Verb.BOOK_FOR_RESIDENT)
@never_cache
@require_get_or_post
def book(request: StaffRequest, code: str) -> HttpResponse:
    service = _service(code)
    place = chosen_place(request.GET, instead=request.POST.get("instead"))
    if place is None:
        return redirect("booking:choose_for_resident", code)
    at = timezone.now()
    errand = ErrandForm(request.GET, service=service).errand
    form = CallerForm(request.POST or None, initial={"key": new_key()})
    nearest: list[Slot] = []
    if request.method == "POST" and form.is_valid():
        fields = form.cleaned_data | {"key": f"staff:{form.cleaned_data['key']}"}
        try:
            made = actions.book(
                service=service,
                also=errand.services[1:],
                people=errand.people,
                hold=holding.token(request),
                by=request.user,
                at=at,
                **place,
                **fields,
            )
        except KeyReused as reason:
            form.add_error(None, str(reason))
            form.renew_key()
        except RuleBroken as reason:
            form.add_error(None, str(reason))
            window = queries.window_of(errand, at=at, source=Source.PHONE)
            nearest = queries.nearest_slots(errand, window=window, **place)
        else:
            messages.success(request, f"予約できました。予約番号は {made.shown_number} です。")
            return redirect("booking:appointment_for_resident", made.number)
    held = holding.held(request, errand, place, at=at)
    context = {
        "service": service,
        "errand": errand,
        "form": form,
        "nearest": nearest,
        "held": held,
        **place,
    }
    return render(request, "booking/book_by_phone.html", context)


@requires(Verb.BOOK_FOR_RESIDENT)
@never_cache
@require_safe
def appointment(request: StaffRequest, number: str) -> HttpResponse:
    found = access.appointment_to_change(request.user, number, at=timezone.now())
    context = {"appointment": found, "read_aloud": rules.read_aloud(found.number)}
    return render(request, "booking/appointment_for_resident.html", context)


@requires(Verb.BOOK_FOR_RESIDENT)
@require_POST
def confirm(request: StaffRequest, number: str) -> HttpResponse:
    """For whoever calls because the mail did not come."""
    at = timezone.now()
    found = access.appointment_to_change(request.user, number, at=at)
    try:
        actions.confirm(appointment=found, by=request.user, at=at)
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, "予約を確定しました。")
    return redirect("booking:appointment_for_resident", number)


@requires(Verb.BOOK_FOR_RESIDENT)
@never_cache
@require_get_or_post
def reschedule(request: StaffRequest, number: str) -> HttpResponse:
    at = timezone.now()
    found = access.appointment_to_change(request.user, number, at=at)
    place = chosen_place(request.GET)
    refusal = ""
    if request.method == "POST" and place is not None:
        try:
            actions.reschedule(appointment=found, by=request.user, at=at, **place)
        except RuleBroken as reason:
            refusal = f"{reason}前の予約は、そのまま残っています。"
        else:
            messages.success(request, "予約の日時を変更しました。")
            return redirect("booking:appointment_for_resident", number)
    day = {"site": found.site, "on": found.day} | chosen_day(request.GET)
    window = queries.window_of(found.errand, at=at, source=Source.PHONE)
    context = {
        "appointment": found,
        "refusal": refusal,
        "place": None if refusal else place,
        "choice": queries.choice(found.errand, window=window, instead_of=found, **day),
    }
    return render(request, "booking/reschedule_for_resident.html", context)


@requires(Verb.BOOK_FOR_RESIDENT)
@never_cache
@require_get_or_post
def cancel(request: StaffRequest, number: str) -> HttpResponse:
    at = timezone.now()
    found = access.appointment_to_change(request.user, number, at=at)
    if request.method == "POST":
        try:
            actions.cancel(appointment=found, by=request.user, at=at)
        except RuleBroken as reason:
            messages.error(request, str(reason))
        else:
            messages.success(request, "予約を取り消しました。")
        return redirect("booking:appointment_for_resident", number)
    return render(request, "booking/cancel_for_resident.html", {"appointment": found})
