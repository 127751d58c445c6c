"""Making a rota: plan, look, change by hand, publish, and plan again when someone is sick."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from madoguchi.foundation.errors import RuleBroken
from madoguchi.rota import access, actions, queries
from madoguchi.rota.forms import AssignForm, MakeForm, PublishForm, ReplanForm
from madoguchi.rota.models import Rota
from madoguchi.rota.rules import duties, solve, steps
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb


@require_GET
@requires(Verb.EDIT_ROTA)
def rotas(request: StaffRequest) -> HttpResponse:
    access.check_editor(request.user)
    site = access.site_to_show(request.user, request.GET.get("site", ""))
    return render(
        request,
        "rota/rotas.html",
        {
            "site": site,
            "sites": queries.sites(),
            "rotas": queries.rotas(site),
            "is_ready": site.needs.exists() and site.rota_members.exists(),
        },
    )


@require_http_methods(["GET", "POST"])
@requires(Verb.EDIT_ROTA)
def make(request: StaffRequest) -> HttpResponse:
    access.check_editor(request.user)
    site = access.site_to_show(request.user, request.GET.get("site", ""))
    form = MakeForm(request.POST or None, today=timezone.localdate())
    if form.is_valid():
        try:
            rota = actions.make(site=site, by=request.user, at=timezone.now(), **form.cleaned_data)
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(
                request, "当番表の枠を作りました。次に「自動で組む」を押してください。"
            )
            return redirect("rota:rota", rota.pk)
    return render(request, "rota/make.html", {"form": form, "site": site})


@require_GET
@requires(Verb.EDIT_ROTA)
def rota(request: StaffRequest, pk: int) -> HttpResponse:
    """Show how far the plan is, how good it is, and what is left to do."""
    found = access.rota_to_change(request.user, pk)
    page = _rota_page(found)
    name = "rota/_rota.html" if "HX-Request" in request.headers else "rota/rota.html"
    return render(request, name, page)


def _rota_page(found: Rota, **forms: Any) -> dict[str, Any]:
    run = found.runs.select_related("asked_by").first()
    changes = queries.proposed(run) if run else []
    is_draft = found.status == steps.Status.DRAFT.value
    return {
        "rota": found,
        "run": run,
        "stage": steps.STAGE_LABELS.get(run.stage, "") if run else "",
        "limit": round(solve.LIMIT),
        "changes": changes,
        "result": queries.result(found) if found.duties.exclude(member=None).exists() else None,
        "burdens": duties.BURDEN_LABELS.values(),
        "weights": [
            (queries.SOFT_LABELS[soft], weight) for soft, weight in duties.WEIGHTS.items()
        ],
        "is_draft": is_draft,
        "publish_form": PublishForm(),
        "replan_form": ReplanForm(initial={"changes_from": timezone.localdate()}),
    } | forms


@require_POST
@requires(Verb.EDIT_ROTA)
def ask_plan(request: StaffRequest, pk: int) -> HttpResponse:
    """Start the planner on a draft."""
    found = access.rota_to_change(request.user, pk)
    try:
        actions.ask_plan(rota=found, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    return redirect("rota:rota", pk)


@require_POST
@requires(Verb.EDIT_ROTA)
def replan(request: StaffRequest, pk: int) -> HttpResponse:
    """Start the planner on a published rota, from a day on, changing as little as possible."""
    found = access.rota_to_change(request.user, pk)
    form = ReplanForm(request.POST)
    if form.is_valid():
        try:
            actions.ask_plan(rota=found, by=request.user, at=timezone.now(), **form.cleaned_data)
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            return redirect("rota:rota", pk)
    return render(request, "rota/rota.html", _rota_page(found, replan_form=form))


@require_POST
@requires(Verb.EDIT_ROTA)
def stop_run(request: StaffRequest, pk: int) -> HttpResponse:
    run = access.run_to_change(request.user, pk)
    try:
        actions.stop_run(run=run, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, "中止しました。当番表は元のままです。")
    return redirect("rota:rota", run.rota_id)


@require_POST
@requires(Verb.EDIT_ROTA)
def apply_run(request: StaffRequest, pk: int) -> HttpResponse:
    run = access.run_to_change(request.user, pk)
    try:
        count = actions.apply_run(run=run, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, f"{count}か所の当番を変え、関係する人に知らせました。")
    return redirect("rota:rota", run.rota_id)


@require_POST
@requires(Verb.EDIT_ROTA)
def publish(request: StaffRequest, pk: int) -> HttpResponse:
    found = access.rota_to_change(request.user, pk)
    form = PublishForm(request.POST)
    if form.is_valid():
        try:
            actions.publish(rota=found, by=request.user, at=timezone.now(), **form.cleaned_data)
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, "公開しました。当番に入る人に知らせました。")
            return redirect("rota:rota", pk)
    return render(request, "rota/rota.html", _rota_page(found, publish_form=form))


@require_POST
@requires(Verb.EDIT_ROTA)
def discard(request: StaffRequest, pk: int) -> HttpResponse:
    found = access.rota_to_change(request.user, pk)
    try:
        actions.discard(rota=found, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
        return redirect("rota:rota", pk)
    messages.success(request, "当番表の案を削除しました。")
    return redirect("rota:rotas")


@require_http_methods(["GET", "POST"])
@requires(Verb.EDIT_ROTA)
def assign(request: StaffRequest, pk: int) -> HttpResponse:
    """Change one duty by hand; everyone is listed with what speaks against them."""
    duty = access.duty_to_change(request.user, pk)
    candidates = queries.candidates(duty)
    form = AssignForm(request.POST or None, duty=duty, candidates=candidates)
    if form.is_valid():
        try:
            actions.assign(duty=duty, by=request.user, at=timezone.now(), **form.cleaned_data)
        except RuleBroken as reason:
            form.add_error("member", str(reason))
        else:
            messages.success(request, "当番を変えました。")
            address = reverse("rota:month", args=(duty.on.year, duty.on.month))
            is_draft = duty.rota.status == steps.Status.DRAFT.value
            return redirect(f"{address}?rota={duty.rota_id}" if is_draft else address)
    return render(
        request,
        "rota/assign.html",
        {"form": form, "duty": duty, "candidates": candidates},
    )
