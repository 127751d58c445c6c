from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from madoguchi.booking import access as booking_access
from madoguchi.booking import actions as booking
from madoguchi.foundation.dates import wareki
from madoguchi.foundation.errors import RuleBroken
from madoguchi.offices import actions as offices
from madoguchi.offices import queries as offices_queries
from madoguchi.offices.models import City, Counter, Division, OpeningDay, Room, Site
from madoguchi.offices.rules import OfficeDay
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb
from madoguchi.staffsite.offices import actions, queries
from madoguchi.staffsite.offices.forms import (
    CityForm,
    CounterForm,
    DivisionForm,
    DivisionsForm,
    OfficeForm,
    OpeningDayForm,
    RoomForm,
    SiteForm,
)

FORM_PAGE = "staffsite/offices/form.html"


@dataclass(frozen=True)
class Kind:
    """One kind of office row: its table, its form, its word on the screen."""

    model: type[Site] | type[Division] | type[Counter] | type[Room]
    form: type[OfficeForm]
    word: str


KINDS = {
    "site": Kind(Site, SiteForm, "庁舎"),
    "division": Kind(Division, DivisionForm, "部署"),
    "counter": Kind(Counter, CounterForm, "窓口"),
    "room": Kind(Room, RoomForm, "相談室"),
}


@require_GET
@requires(Verb.EDIT_OFFICES)
def index(request: StaffRequest) -> HttpResponse:
    """Show the whole organisation: city, sites with their places, divisions, outside bodies."""
    steps = queries.set_up_steps()
    return render(
        request,
        "staffsite/offices/index.html",
        {
            "city": City.objects.first(),
            "sites": queries.sites_with_places(),
            "divisions": queries.divisions_listed(),
            "is_set_up": all(step.is_done for step in steps),
        },
    )


@require_GET
@requires(Verb.EDIT_OFFICES)
def set_up(request: StaffRequest) -> HttpResponse:
    """Lead the first administrator from an empty city to the first visitor."""
    steps = queries.set_up_steps()
    following = next((step for step in steps if not step.is_done), None)
    return render(
        request, "staffsite/offices/set_up.html", {"steps": steps, "following": following}
    )


@require_http_methods(["GET", "POST"])
@requires(Verb.EDIT_OFFICES)
def name_city(request: StaffRequest) -> HttpResponse:
    form = CityForm(request.POST or None, row=City.objects.first())
    if form.is_valid():
        offices.name_city(by=request.user, at=timezone.now(), **form.cleaned_data)
        messages.success(request, "自治体の名称を保存しました。")
        return _back(request)
    return render(request, FORM_PAGE, _page(request, "自治体の名称", form))


@require_http_methods(["GET", "POST"])
@requires(Verb.EDIT_OFFICES)
def add(request: StaffRequest, kind: str) -> HttpResponse:
    what = KINDS[kind]
    form = what.form(request.POST or None, initial=_initial(request, what))
    if form.is_valid():
        row = offices.add(row=what.model(**form.cleaned_data), by=request.user, at=timezone.now())
        messages.success(request, f"{what.word}「{row}」を登録しました。")
        return _back(request)
    return render(request, FORM_PAGE, _page(request, f"{what.word}の登録", form))


@require_http_methods(["GET", "POST"])
@requires(Verb.EDIT_OFFICES)
def change(request: StaffRequest, kind: str, pk: int) -> HttpResponse:
    what = KINDS[kind]
    row = _row(kind, pk)
    form = what.form(request.POST or None, row=row)
    if form.is_valid():
        try:
            _save(row, form.cleaned_data, request=request)
        except booking.WouldOrphan as refused:
            return _ask_first(request, refused, heading=f"{what.word}「{row}」の変更")
        messages.success(request, f"{what.word}「{form.cleaned_data['name']}」を保存しました。")
        return _back(request)
    page = _page(request, f"{what.word}「{row}」", form)
    return render(
        request,
        FORM_PAGE,
        page
        | {"row": row, "kind": kind, "word": what.word, "switch_name": f"offices:switch_{kind}"},
    )


@require_POST
@requires(Verb.EDIT_OFFICES)
def switch(request: StaffRequest, kind: str, pk: int) -> HttpResponse:
    """Take an office out of use, or into use again."""
    row = _row(kind, pk)
    try:
        if row.is_active:
            actions.deactivate(row=row, by=request.user, at=timezone.now())
            messages.success(request, f"「{row}」の使用をやめました。記録は残ります。")
        else:
            actions.reactivate(row=row, by=request.user, at=timezone.now())
            messages.success(request, f"「{row}」をまた使えるようにしました。")
    except RuleBroken as reason:
        messages.error(request, str(reason))
        return redirect(f"offices:change_{kind}", pk)
    return redirect("offices:index")


@require_http_methods(["GET", "POST"])
@requires(Verb.EDIT_OFFICES)
def add_divisions(request: StaffRequest) -> HttpResponse:
    """Add many divisions from a pasted list, or from the list most cities begin with."""
    sample = queries.SAMPLE_DIVISIONS if "sample" in request.GET else ""
    form = DivisionsForm(request.POST or None, initial={"text": sample})
    if form.is_valid():
        added = offices.add_divisions(rows=form.rows, by=request.user, at=timezone.now())
        known = f"すでにある{form.skipped}部署は飛ばしました。" if form.skipped else ""
        messages.success(request, f"{len(added)}部署を登録しました。{known}")
        return _back(request)
    return render(
        request,
        "staffsite/offices/add_divisions.html",
        _page(request, "部署をまとめて登録", form),
    )


@require_GET
@requires(Verb.EDIT_OFFICES)
def calendar(request: StaffRequest, pk: int) -> HttpResponse:
    """Show a month of a site: each day open or shut, and why."""
    site = get_object_or_404(Site, pk=pk)
    first = _month(request.GET.get("month", "")) or timezone.localdate().replace(day=1)
    return render(
        request,
        "staffsite/offices/calendar.html",
        {
            "site": site,
            "first": first,
            "month_words": wareki(first).removesuffix("1日"),
            "weeks": queries.month_of(site=site, first=first),
            "today": timezone.localdate(),
            "before": (first - timedelta(days=1)).replace(day=1),
            "after": (first + timedelta(days=32)).replace(day=1),
        },
    )


@require_http_methods(["GET", "POST"])
@requires(Verb.EDIT_OFFICES)
def set_opening_day(request: StaffRequest, pk: int, on: date) -> HttpResponse:
    """Give one day of a site other hours, or some days in a row."""
    site = get_object_or_404(Site, pk=pk)
    existing = OpeningDay.objects.filter(site=site, on=on).first()
    [day] = offices_queries.office_days(site=site, first=on, last=on)
    form = OpeningDayForm(request.POST or None, on=on, initial=_day_as_is(day, existing))
    month = f"{reverse('offices:calendar', args=[pk])}?month={on:%Y-%m}"
    if form.is_valid():
        try:
            actions.set_opening_days(
                site=site,
                days=form.days,
                hours=form.hours,
                reason=form.cleaned_data["reason"],
                moves=booking_access.approved_moves(request.POST),
                by=request.user,
                at=timezone.now(),
            )
        except booking.WouldOrphan as refused:
            return _ask_first(request, refused, heading=f"{site}　{wareki(on)}の例外")
        messages.success(request, "開庁日の例外を保存しました。")
        return redirect(month)
    return render(
        request,
        "staffsite/offices/set_opening_day.html",
        {
            "site": site,
            "day": day,
            "form": form,
            "existing": existing,
            "month": month,
            "booked": queries.booked_on(site=site, on=on),
        },
    )


@require_POST
@requires(Verb.EDIT_OFFICES)
def clear_opening_day(request: StaffRequest, pk: int, on: date) -> HttpResponse:
    site = get_object_or_404(Site, pk=pk)
    moves = booking_access.approved_moves(request.POST)
    try:
        actions.clear_opening_day(
            site=site, on=on, moves=moves, by=request.user, at=timezone.now()
        )
    except booking.WouldOrphan as refused:
        return _ask_first(request, refused, heading=f"{site}　{wareki(on)}の例外を取り消す")
    messages.success(request, "例外を取り消し、いつもの開庁時間に戻しました。")
    return redirect(f"{reverse('offices:calendar', args=[pk])}?month={on:%Y-%m}")


def _row(kind: str, pk: int) -> Any:
    return get_object_or_404(KINDS[kind].model, pk=pk)


def _save(row: Any, fields: dict[str, Any], *, request: StaffRequest) -> None:
    if isinstance(row, Site):
        moves = booking_access.approved_moves(request.POST)
        actions.change_site(
            site=row, fields=fields, moves=moves, by=request.user, at=timezone.now()
        )
    else:
        offices.change(row=row, fields=fields, by=request.user, at=timezone.now())


def _ask_first(
    request: StaffRequest, refused: booking.WouldOrphan, *, heading: str
) -> HttpResponse:
    """Show whom the change would leave without a place, and where they could go."""
    context = booking_access.moves_to_approve(request.POST, refused.proposals)
    context |= {"heading": heading, "back": reverse("offices:index")}
    return render(request, "booking/approve_moves.html", context, status=409)


def _initial(request: StaffRequest, what: Kind) -> dict[str, Any]:
    """Begin with the site one came from, and with what the form itself proposes."""
    fields = what.form.base_fields
    initial = {name: field.initial for name, field in fields.items() if field.initial}
    if "kind" in fields:
        initial["kind"] = "desk"
    if "site" in fields:
        site = request.GET.get("site", "")
        initial["site"] = site if site.isdigit() else Site.objects.values_list("pk").first()
    return initial


def _day_as_is(day: OfficeDay, existing: OpeningDay | None) -> dict[str, Any]:
    opens, closes = day.hours or (None, None)
    return {
        "is_open": "open" if day.hours and existing else "shut",
        "opens_at": opens,
        "closes_at": closes,
        "reason": existing.reason if existing else "",
    }


def _month(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None


def _page(request: StaffRequest, heading: str, form: Any) -> dict[str, Any]:
    is_first_time = "set-up" in request.GET
    return {
        "heading": heading,
        "form": form,
        "is_first_time": is_first_time,
        "back": reverse("offices:set_up" if is_first_time else "offices:index"),
    }


def _back(request: StaffRequest) -> HttpResponse:
    return redirect("offices:set_up" if "set-up" in request.GET else "offices:index")
