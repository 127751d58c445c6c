"""The measures in force, those that wait for approval, and those to be looked at again."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from madoguchi.audit import actions as audit
from madoguchi.foundation.errors import RuleBroken
from madoguchi.safety import access, actions
from madoguchi.safety.forms import EndForm, ReviewForm
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb


@require_safe
@requires(Verb.HANDLE_INCIDENTS)
def measures(request: StaffRequest) -> HttpResponse:
    today = timezone.localdate()
    open_ones = list(
        access.visible_measures(request.user).filter(ended_at=None).order_by("review_on", "pk")
    )
    if open_ones:
        audit.record(
            verb="measure.list",
            actor=request.user.get_username(),
            at=timezone.now(),
            detail={"measures": sorted(row.pk for row in open_ones)},
        )
    context = {
        "waiting": [row for row in open_ones if row.approved_at is None],
        "in_force": [row for row in open_ones if row.approved_at is not None],
        "today": today,
        "may_approve": request.user.may(Verb.JUDGE_INCIDENTS),
    }
    return render(request, "safety/measures.html", context)


@require_POST
@requires(Verb.JUDGE_INCIDENTS)
def approve_measure(request: StaffRequest, pk: int) -> HttpResponse:
    measure = access.measure_to_change(request.user, pk)
    try:
        actions.approve_measure(measure=measure, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, "承認しました。今日から措置が始まります。")
    return redirect("safety:measures")


@require_POST
@requires(Verb.JUDGE_INCIDENTS)
def review_measure(request: StaffRequest, pk: int) -> HttpResponse:
    measure = access.measure_to_change(request.user, pk)
    form = ReviewForm(request.POST)
    if not form.is_valid():
        messages.error(request, "次に見直す日を、R8.12.1のように入力してください。")
        return redirect("safety:measures")
    try:
        actions.review_measure(
            measure=measure, by=request.user, at=timezone.now(), **form.cleaned_data
        )
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, "措置を続けます。次に見直す日を変えました。")
    return redirect("safety:measures")


@require_POST
@requires(Verb.JUDGE_INCIDENTS)
def end_measure(request: StaffRequest, pk: int) -> HttpResponse:
    measure = access.measure_to_change(request.user, pk)
    form = EndForm(request.POST)
    if not form.is_valid():
        messages.error(request, "終える理由を入力してください。")
        return redirect("safety:measures")
    try:
        actions.end_measure(
            measure=measure, by=request.user, at=timezone.now(), **form.cleaned_data
        )
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, "措置を終えました。")
    return redirect("safety:measures")
