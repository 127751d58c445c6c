"""The pages on which residents book, without an account and without JavaScript."""

import io

import segno
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from madoguchi.booking import access, actions, calendars, queries, rules
from madoguchi.booking.forms import (
    ErrandForm,
    FindForm,
    PersonForm,
    Place,
    SearchForm,
    chosen_day,
    chosen_place,
    new_key,
)
from madoguchi.booking.models import Hold, Service
from madoguchi.booking.queries import Slot
from madoguchi.booking.views import holding, proving
from madoguchi.foundation import limits
from madoguchi.foundation.errors import RuleBroken
from madoguchi.foundation.work import Unproven
from madoguchi.offices.models import City

SENT_AGAIN = ("site", "start", "people", "also")
require_get_or_post = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def services(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.GET or None)
    words = form.cleaned_data["q"] if form.is_valid() else ""
    found = queries.services_found(words)
    return render(
        request,
        "booking/services.html",
        {"form": form, "words": words, "groups": queries.by_category(found)},
    )


@require_safe
def service(request: HttpRequest, code: str) -> HttpResponse:
    service = get_object_or_404(Service.objects.shown().select_related("division"), code=code)
    at = timezone.now()
    actions.release_lapsed(at=at)
    form = ErrandForm(request.GET, service=service)
    errand = form.errand
    window = queries.window_of(errand, at=at)
    own = access.own_hold(holding.token(request), at=at)
    choice = queries.choice(errand, window=window, instead_of=own, **chosen_day(request.GET))
    context = {
        "service": service,
        "errand": errand,
        "errand_form": form,
        "choice": choice,
        "sites": choice.sites,
    }
    return render(request, "booking/service.html", context)


@require_POST
def hold(request: HttpRequest, code: str) -> HttpResponse:
    """Keep the place while the form is filled in."""
    service = get_object_or_404(Service.objects.bookable_online(), code=code)
    at = timezone.now()

    def keep(place: Place) -> Hold:
        mine = holding.token(request)
        return actions.hold(
            service=service,
            also=errand.services[1:],
            people=errand.people,
            instead_of=mine,
            at=at,
            **place,
        )

    errand = ErrandForm(request.POST, service=service).errand
    try:
        times = limits.spend(access.HOLDING, request, at=at)
    except limits.TooMany as refused:
        messages.error(request, refused.words)
        return redirect("booking:service", code)
    if asked := proving.asked(request, "hold", times=times, at=at):
        sent = [(name, value) for name, value in request.POST.items() if name in SENT_AGAIN]
        context = {"service": service, "work": asked, "sent": sent}
        return render(request, "booking/prove.html", context, status=429)
    return holding.take(
        request, keep, errand=errand, choose="booking:service", form="booking:book"
    )


@never_cache
@require_get_or_post
def book(request: HttpRequest, code: str) -> HttpResponse:
    service = get_object_or_404(Service.objects.bookable_online(), code=code)
    place = chosen_place(request.GET, instead=request.POST.get("instead"))
    if place is None:
        return redirect("booking:service", code)
    at = timezone.now()
    errand = ErrandForm(request.GET, service=service).errand
    form = PersonForm(request.POST or None, initial={"key": new_key()})
    nearest: list[Slot] = []
    status, wait, work = 200, 0, None
    if request.method == "POST" and form.is_valid():
        fields = form.cleaned_data | {"key": f"web:{form.cleaned_data['key']}"}
        try:
            times = limits.spend(access.BOOKING, request, at=at)
            if work := proving.asked(request, "book", times=times, at=at):
                raise Unproven(
                    "短い間に何件も予約されています。数秒お待ちになってから、"
                    "もう一度「この内容で予約する」を押してください。"
                )
            made = actions.book(
                service=service,
                also=errand.services[1:],
                people=errand.people,
                hold=holding.token(request),
                at=at,
                **place,
                **fields,
            )
        except limits.TooMany as refused:
            form.add_error(None, refused.words)
            status, wait = 429, refused.wait
        except Unproven as reason:
            form.add_error(None, str(reason))
            status = 429
        except rules.KeyReused as reason:
            form.add_error(None, str(reason))
            form.renew_key()
        except RuleBroken as reason:
            field = getattr(reason, "field", "")
            form.add_error(field if field in form.fields else None, str(reason))
            status = 409
            window = queries.window_of(errand, at=at)
            nearest = queries.nearest_slots(errand, window=window, **place)
        else:
            return redirect(f"{made.address}?new=1")
    end = place["start"] + rules.length(errand.minutes)
    held = holding.held(request, errand, place, at=at)
    context = {"service": service, "errand": errand, "end": end, "held": held, "work": work}
    context |= place
    return _form_page(
        request,
        "booking/book.html",
        context | {"form": form, "nearest": nearest},
        status=status,
        wait=wait,
    )


def _form_page(
    request: HttpRequest, template: str, context: dict[str, object], *, status: int, wait: int
) -> HttpResponse:
    answer = render(request, template, context, status=status)
    if wait:
        answer["Retry-After"] = str(wait)
    return answer


@never_cache
@require_safe
def appointment(request: HttpRequest, token: str) -> HttpResponse:
    found = access.appointment_by_token(token)
    context = {
        "appointment": found,
        "is_new": "new" in request.GET and found.is_changeable,
        "is_past": found.start <= timezone.now(),
    }
    return render(request, "booking/appointment.html", context)


@never_cache
@require_get_or_post
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """
    The link of the mail; a button confirms, not the link alone.

    Programs that check mails for harm follow every link, and would confirm for nobody.
    """
    found = access.appointment_by_token(token)
    refusal = ""
    if request.method == "POST":
        try:
            actions.confirm(appointment=found, at=timezone.now())
        except RuleBroken as reason:
            refusal = str(reason)
        else:
            return redirect(f"{found.address}?new=1")
    elif not found.is_pending:
        return redirect(found.address)
    context = {"appointment": found, "refusal": refusal}
    return render(request, "booking/confirm.html", context, status=409 if refusal else 200)


@never_cache
@require_safe
def sheet(request: HttpRequest, token: str) -> HttpResponse:
    found = access.appointment_by_token(token)
    link = f"{settings.SITE_URL}{found.address}"
    return render(request, "booking/sheet.html", {"appointment": found, "link": link})


@never_cache
@require_safe
def slip(request: HttpRequest, token: str) -> HttpResponse:
    """
    The booking on A5 in やさしい日本語: for whoever reads slowly, and reads the number back.

    It bears no name: a slip is lost more easily than a sheet.
    """
    found = access.appointment_by_token(token)
    spoken = rules.read_back(found.number)
    context = {"appointment": found, "number": (spoken[:4], spoken[4:])}
    return render(request, "booking/slip.html", context)


@never_cache
@require_safe
def qr(request: HttpRequest, token: str) -> HttpResponse:
    """The link of the appointment; reception reads the same code."""
    found = access.appointment_by_token(token)
    image = io.BytesIO()
    segno.make(f"{settings.SITE_URL}{found.address}", error="m").save(
        image, kind="svg", scale=4, border=4, light="#fff", xmldecl=False, nl=False
    )
    return HttpResponse(image.getvalue(), content_type="image/svg+xml")


@never_cache
@require_safe
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """An entry for one's own calendar (RFC 5545)."""
    found = access.appointment_by_token(token)
    city = City.objects.first()
    return HttpResponse(
        calendars.of_appointment(found, city=city.name if city else "窓口"),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{found.number}.ics"'},
    )


@never_cache
@require_safe
def counter_calendar(request: HttpRequest, token: str) -> HttpResponse:
    """What a calendar program asks for every hour or so."""
    feed = access.feed_by_token(token)
    rows = queries.followed(feed.counter, on=timezone.localdate())
    return HttpResponse(
        calendars.of_counter(rows, name=f"{feed.counter.site} {feed.counter}"),
        content_type="text/calendar; charset=utf-8",
    )


@never_cache
@require_get_or_post
def reschedule(request: HttpRequest, token: str) -> HttpResponse:
    found = access.appointment_by_token(token)
    at = timezone.now()
    if not found.is_changeable or found.start <= at:
        messages.error(request, "この予約は、もう変更できません。")
        return redirect(found.address)
    place = chosen_place(request.GET)
    refusal = ""
    if request.method == "POST" and place is not None:
        try:
            actions.reschedule(appointment=found, at=at, **place)
        except RuleBroken as reason:
            refusal = f"{reason}前の予約は、そのまま残っています。"
        else:
            messages.success(request, "予約の日時を変更しました。")
            return redirect(found.address)
    day = {"site": found.site, "on": found.day} | chosen_day(request.GET)
    window = queries.window_of(found.errand, at=at)
    context = {
        "appointment": found,
        "refusal": refusal,
        "place": None if refusal else place,
        "choice": queries.choice(found.errand, window=window, instead_of=found, **day),
    }
    return render(request, "booking/reschedule.html", context, status=409 if refusal else 200)


@never_cache
@require_get_or_post
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    found = access.appointment_by_token(token)
    if request.method == "POST":
        try:
            actions.cancel(appointment=found, at=timezone.now())
        except RuleBroken as reason:
            messages.error(request, str(reason))
        else:
            messages.success(request, "予約を取り消しました。")
        return redirect(found.address)
    return render(request, "booking/cancel.html", {"appointment": found})


@never_cache
@require_get_or_post
def find_booking(request: HttpRequest) -> HttpResponse:
    """Back to an appointment by its number, for whoever has no link."""
    form = FindForm(request.POST or None)
    status, wait = 200, 0
    if request.method == "POST" and form.is_valid():
        try:
            limits.spend(access.LOOK_UP, request, at=timezone.now())
            limits.spend_together(access.ALL_LOOK_UPS, at=timezone.now())
        except limits.TooMany as refused:
            form.add_error(None, refused.words)
            status, wait = 429, refused.wait
        else:
            if (found := access.appointment_by_number(**form.cleaned_data)) is not None:
                return redirect(found.address)
            form.add_error(
                None,
                "予約が見つかりません。予約番号と、予約のときの電話番号をお確かめください。",
            )
    return _form_page(
        request, "booking/find_booking.html", {"form": form}, status=status, wait=wait
    )
