"""Setting up what can be booked, where and when."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from madoguchi.booking import access, actions, queries
from madoguchi.booking.forms import OpeningRuleForm, ServiceForm
from madoguchi.booking.models import OpeningRule
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
    divisions = access.divisions_for_services(request.user)
    form.offer(divisions=divisions)
    if request.method == "POST" and form.is_valid():
        fields = dict(form.cleaned_data)
        saved = actions.save_service(
            service=access.service_to_change(request.user, code) if code else None,
            counters=fields.pop("counters"),
            fields=fields,
            by=request.user,
            at=timezone.now(),
        )
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
        "opens_at": "08:30",
        "closes_at": "17:15",
        "valid_from": timezone.localdate(at),
    }
    form = OpeningRuleForm(request.POST or None, service=service, initial=initial)
    if request.method == "POST" and form.is_valid():
        actions.add_opening_rule(by=request.user, at=at, **form.rule())
        messages.success(request, "受付時間を追加しました。予約はすべて残っています。")
        return redirect("booking:opening_rules", code)
    context = {
        "service": service,
        "form": form,
        "rules": queries.rules_of(service),
        "outside": queries.appointments_outside_hours(service=service, at=at),
    }
    return render(request, "booking/opening_rules.html", context)


@requires(Verb.EDIT_SERVICES)
@require_POST
def withdraw_opening_rule(request: StaffRequest, pk: int) -> HttpResponse:
    rule = get_object_or_404(OpeningRule.objects.select_related("counter__site"), pk=pk)
    service = access.service_to_change(request.user, request.POST.get("service", ""))
    if not service.counters.filter(pk=rule.counter_id).exists():
        return HttpResponse(status=404)
    actions.withdraw_opening_rule(rule=rule, by=request.user, at=timezone.now())
    messages.success(request, "受付時間を取り下げました。予約はすべて残っています。")
    return redirect("booking:opening_rules", service.code)
