"""Setting up what can be booked, where and when."""

from collections.abc import Callable
from datetime import date

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from madoguchi.booking import access, actions, queries
from madoguchi.booking.forms import (
    CloseDayForm,
    OpeningRuleForm,
    ServiceForm,
    WhyForm,
    as_typed,
)
from madoguchi.booking.models import Appointment, CounterFeed, Service
from madoguchi.booking.rules import Source
from madoguchi.booking.why import explain
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb

require_get_or_post = require_http_methods(["GET", "HEAD", "POST"])


@requires(Verb.EDIT_SERVICES)
@require_safe
def service_settings(request: StaffRequest) -> HttpResponse:
    services = access.services_of(request.user).prefetch_related("counters__site")
    return render(request, "booking/service_settings.html", {"services": services})


@requires(Verb.EDIT_SERVICES)
@require_get_or_post
def save_service(request: StaffRequest, code: str = "") -> HttpResponse:
    """Make a service, or change the one with this code."""
    service = access.service_to_change(request.user, code) if code else None
    initial = {} if service else {"division": request.user.division_id}
    form = ServiceForm(request.POST or None, instance=service, initial=initial)
    form.offer(divisions=access.divisions_for_services(request.user))
    if request.method == "POST" and form.is_valid():
        fields = dict(form.cleaned_data)
        try:
            saved = actions.save_service(
                service=access.service_to_change(request.user, code) if code else None,
                counters=fields.pop("counters"),
                fields=fields,
                moves=access.approved_moves(request.POST),
                by=request.user,
                at=timezone.now(),
            )
        except actions.WouldOrphan as refused:
            return _ask_first(request, refused, heading=f"「{service}」の窓口を変える")
        messages.success(request, f"「{saved}」を保存しました。")
        return redirect("booking:opening_rules", saved.code)
    context = {"form": form, "service": service, "code": code}
    return render(request, "booking/save_service.html", context)


@requires(Verb.EDIT_SERVICES)
@require_get_or_post
def opening_rules(request: StaffRequest, code: str) -> HttpResponse:
    """When the counters of a service take bookings; a new rule is added below the list."""
    service = access.service_to_change(request.user, code)
    at = timezone.now()
    initial = {
        "counter": service.counters.first(),
        "weekdays": ["0", "1", "2", "3", "4"],
        "opens_at": "9:00",
        "closes_at": "16:30",
        "lunch_from": "12:00",
        "lunch_until": "13:00",
        "valid_from": timezone.localdate(at),
    }
    form = OpeningRuleForm(request.POST or None, service=service, initial=initial)
    if request.method == "POST" and form.is_valid():
        return _change(
            request,
            service,
            lambda moves: actions.change_hours(
                add=[form.rule()], moves=moves, by=request.user, at=at
            ),
            heading="受付時間を加える",
        )
    context = {
        "service": service,
        "form": form,
        "close_form": CloseDayForm(),
        "rules": queries.rules_of(service),
        "days": queries.coming_days(service, at=at),
        "untold": queries.untold_moves(service),
    }
    return render(request, "booking/opening_rules.html", context)


@requires(Verb.EDIT_SERVICES)
@require_get_or_post
def change_opening_rule(request: StaffRequest, code: str, pk: int) -> HttpResponse:
    """Put another rule in the place of this one."""
    service = access.service_to_change(request.user, code)
    rule = access.opening_rule_of(service, pk)
    form = OpeningRuleForm(request.POST or None, service=service, initial=as_typed(rule))
    if request.method == "POST" and form.is_valid():
        return _change(
            request,
            service,
            lambda moves: actions.change_hours(
                withdraw=[rule],
                add=[form.rule()],
                moves=moves,
                by=request.user,
                at=timezone.now(),
            ),
            heading="受付時間を変える",
        )
    context = {"service": service, "rule": rule, "form": form}
    return render(request, "booking/change_opening_rule.html", context)


@requires(Verb.EDIT_SERVICES)
@require_POST
def withdraw_opening_rule(request: StaffRequest, pk: int) -> HttpResponse:
    service = access.service_to_change(request.user, request.POST.get("service", ""))
    rule = access.opening_rule_of(service, pk)
    return _change(
        request,
        service,
        lambda moves: actions.change_hours(
            withdraw=[rule], moves=moves, by=request.user, at=timezone.now()
        ),
        heading="受付時間を取り下げる",
    )


@requires(Verb.EDIT_SERVICES)
@require_POST
def close_day(request: StaffRequest, code: str) -> HttpResponse:
    """Receive nobody at the counters of the service on one day."""
    service = access.service_to_change(request.user, code)
    form = CloseDayForm(request.POST)
    if not form.is_valid() or form.cleaned_data["day"] < timezone.localdate():
        messages.error(request, "休む日を、今日より後の日付で入力してください。例: R8.12.1")
        return redirect("booking:opening_rules", code)
    day: date = form.cleaned_data["day"]
    return _change(
        request,
        service,
        lambda moves: actions.close_day(
            counters=service.counters.select_related("site"),
            day=day,
            service=service if form.cleaned_data["only_this"] else None,
            note=form.cleaned_data["note"],
            moves=moves,
            by=request.user,
            at=timezone.now(),
        ),
        heading=f"{day.month}月{day.day}日を休みにする",
    )


@requires(Verb.EDIT_SERVICES)
@require_safe
def why(request: StaffRequest, code: str) -> HttpResponse:
    """Say question by question why a place is offered or not, now or at a past moment."""
    service = access.service_to_change(request.user, code)
    at = timezone.now()
    initial = {"counter": service.counters.first(), "source": Source.WEB.value}
    form = WhyForm(request.GET or None, service=service, initial=initial)
    explanation = None
    if form.is_valid():
        moment = form.moment
        is_past = moment is not None and moment < at
        explanation = explain(
            service,
            counter=form.cleaned_data["counter"],
            start=form.place,
            at=moment if moment is not None and is_past else at,
            source=Source(form.cleaned_data["source"]),
            is_past=is_past,
        )
    context = {"service": service, "form": form, "explanation": explanation}
    return render(request, "booking/why.html", context)


@requires(Verb.EDIT_SERVICES)
@require_safe
def service_history(request: StaffRequest, code: str) -> HttpResponse:
    """Who changed what of the service and its hours, newest first."""
    service = access.service_to_change(request.user, code)
    context = {"service": service, "changes": queries.changes_of(service)}
    return render(request, "booking/service_history.html", context)


@requires(Verb.EDIT_SERVICES)
@require_POST
def mark_told(request: StaffRequest, code: str, pk: int) -> HttpResponse:
    """Somebody without a mail address was told of the new time by telephone."""
    service = access.service_to_change(request.user, code)
    place = access.untold_move_of(service, pk)
    actions.mark_told(place=place, by=request.user, at=timezone.now())
    messages.success(request, "お知らせ済みにしました。")
    return redirect("booking:opening_rules", code)


def _change(
    request: StaffRequest,
    service: Service,
    change: Callable[[actions.Moves], list[Appointment]],
    *,
    heading: str,
) -> HttpResponse:
    """Make the change; if it would leave somebody without a place, show whom, and ask."""
    try:
        moved = change(access.approved_moves(request.POST))
    except actions.WouldOrphan as refused:
        return _ask_first(request, refused, heading=heading, service=service)
    by_phone = sum(not row.email for row in moved)
    words = f"{len(moved)}件の予約を移しました。" if moved else "影響を受ける予約はありません。"
    messages.success(request, f"{heading}：保存しました。{words}")
    if by_phone:
        messages.warning(request, f"メールのない方が{by_phone}人います。電話でお知らせください。")
    return redirect("booking:opening_rules", service.code)


def _ask_first(
    request: StaffRequest,
    refused: actions.WouldOrphan,
    *,
    heading: str,
    service: Service | None = None,
) -> HttpResponse:
    back = reverse("booking:opening_rules", args=[service.code]) if service else request.path
    context = access.moves_to_approve(request.POST, refused.proposals)
    return render(
        request,
        "booking/approve_moves.html",
        context | {"heading": heading, "back": back},
        status=409,
    )


@requires(Verb.EDIT_SERVICES)
@require_safe
def counter_feeds(request: StaffRequest) -> HttpResponse:
    """The links with which calendar programs follow the counters."""
    counters = access.counters_to_follow(request.user)
    in_force = {
        feed.counter_id: feed
        for feed in CounterFeed.objects.filter(counter__in=counters, withdrawn_at=None)
    }
    rows = [(counter, in_force.get(counter.pk)) for counter in counters]
    context = {"rows": rows, "site_url": settings.SITE_URL}
    return render(request, "booking/counter_feeds.html", context)


@requires(Verb.EDIT_SERVICES)
@require_POST
def make_feed(request: StaffRequest) -> HttpResponse:
    counter = access.counter_to_follow(request.user, request.POST.get("counter", ""))
    actions.make_feed(counter=counter, by=request.user, at=timezone.now())
    messages.success(request, f"{counter}のカレンダーのリンクを作りました。")
    return redirect("booking:counter_feeds")


@requires(Verb.EDIT_SERVICES)
@require_POST
def withdraw_feed(request: StaffRequest, pk: int) -> HttpResponse:
    feed = access.feed_of(request.user, pk)
    actions.withdraw_feed(feed=feed, by=request.user, at=timezone.now())
    messages.success(request, "カレンダーのリンクを止めました。")
    return redirect("booking:counter_feeds")
