"""What the planner starts from: needs, members, the divisions' turns."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from madoguchi.foundation.errors import RuleBroken
from madoguchi.offices.models import Site
from madoguchi.rota import access, actions, queries
from madoguchi.rota.forms import MemberForm, NeedsForm, SkillForm, TurnOrderForm
from madoguchi.rota.rules import duties
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb


def _site(request: StaffRequest) -> Site:
    access.check_editor(request.user)
    return access.site_to_show(request.user, request.GET.get("site", ""))


def _back(name: str, site: Site) -> HttpResponse:
    return redirect(f"{reverse(name)}?site={site.code}")


@require_http_methods(["GET", "POST"])
@requires(Verb.EDIT_ROTA)
def set_needs(request: StaffRequest) -> HttpResponse:
    """Say how many people of each skill are needed on weekdays and on closed days."""
    site = _site(request)
    form = NeedsForm(request.POST or None, site=site)
    if form.is_valid():
        for day_kind, shift, skill, count in form.changes():
            actions.set_need(
                site=site,
                day_kind=day_kind,
                shift=shift,
                skill=skill,
                count=count,
                by=request.user,
                at=timezone.now(),
            )
        messages.success(request, "必要人数を保存しました。次に作る当番表から使います。")
        return _back("rota:set_needs", site)
    return render(
        request,
        "rota/set_needs.html",
        {
            "form": form,
            "site": site,
            "sites": queries.sites(),
            "is_empty": not site.needs.exists(),
            "day_kinds": duties.DAY_KIND_LABELS.values(),
            "shifts": duties.SHIFT_LABELS.values(),
            "skill_form": SkillForm(),
        },
    )


@require_POST
@requires(Verb.EDIT_ROTA)
def set_up(request: StaffRequest) -> HttpResponse:
    site = _site(request)
    try:
        actions.set_up(site=site, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, "標準の必要人数を入れました。必要に応じて直してください。")
    return _back("rota:set_needs", site)


@require_POST
@requires(Verb.EDIT_ROTA)
def add_skill(request: StaffRequest) -> HttpResponse:
    site = _site(request)
    form = SkillForm(request.POST)
    if form.is_valid():
        actions.add_skill(by=request.user, at=timezone.now(), **form.cleaned_data)
        messages.success(request, "役割を加えました。")
    else:
        messages.error(request, " ".join(str(error) for error in form.errors["name"]))
    return _back("rota:set_needs", site)


@require_GET
@requires(Verb.EDIT_ROTA)
def members(request: StaffRequest) -> HttpResponse:
    site = _site(request)
    rows = site.rota_members.select_related("user__division").prefetch_related("skills")
    return render(
        request,
        "rota/members.html",
        {
            "site": site,
            "sites": queries.sites(),
            "members": rows.order_by("user__division__name", "user__kana", "id"),
        },
    )


@require_http_methods(["GET", "POST"])
@requires(Verb.EDIT_ROTA)
def save_member(request: StaffRequest, pk: int = 0) -> HttpResponse:
    """Enter a member of the rota, or change what they serve."""
    site = _site(request)
    member = access.member_to_change(request.user, pk) if pk else None
    form = MemberForm(request.POST or None, member=member)
    if form.is_valid():
        saved = actions.save_member(
            site=member.site if member else site,
            by=request.user,
            at=timezone.now(),
            **form.cleaned_data,
        )
        messages.success(request, f"{saved}さんを保存しました。")
        return _back("rota:members", saved.site)
    return render(request, "rota/save_member.html", {"form": form, "member": member, "site": site})


@require_http_methods(["GET", "POST"])
@requires(Verb.EDIT_ROTA)
def set_turn_order(request: StaffRequest) -> HttpResponse:
    """Set in which order divisions staff the closed days."""
    site = _site(request)
    form = TurnOrderForm(request.POST or None, site=site)
    if form.is_valid():
        actions.set_turn_order(
            site=site, divisions=form.ordered(), by=request.user, at=timezone.now()
        )
        messages.success(request, "持ち回りの順を保存しました。次に作る当番表から使います。")
        return _back("rota:set_turn_order", site)
    return render(
        request,
        "rota/set_turn_order.html",
        {"form": form, "site": site, "sites": queries.sites()},
    )
