"""One's own duties, leave and wishes, and swaps with colleagues."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from madoguchi.foundation.errors import RuleBroken
from madoguchi.rota import access, actions, calendars, queries
from madoguchi.rota.forms import LeaveForm, SwapForm, WishForm
from madoguchi.rota.models import Member
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb

AHEAD = timedelta(days=92)


@require_GET
@requires(Verb.READ_ROTA)
def mine(request: StaffRequest) -> HttpResponse:
    """Show the reader's coming duties, their leave and wishes, and the swaps they are part of."""
    member = access.own_member(request.user)
    if member is None:
        return render(request, "rota/mine.html", {"member": None})
    return _wishes_page(request, member)


@require_GET
@requires(Verb.READ_ROTA)
def wishes(request: StaffRequest, pk: int) -> HttpResponse:
    """Show leave and wishes of one member: one's own, or for the editor anyone's."""
    return _wishes_page(request, access.member_to_change(request.user, pk))


def _wishes_page(request: StaffRequest, member: Member, **forms: Any) -> HttpResponse:
    on = timezone.localdate()
    is_own = member.user_id == request.user.pk
    rows = list(queries.duties_of(member, first=on))
    hours = {
        duty: (begins, ends) for duty, begins, ends in queries.duty_hours(rows, site=member.site)
    }
    page = {
        "member": member,
        "is_own": is_own,
        "duties": [(row, hours.get(row)) for row in rows],
        "leaves": member.leaves.filter(last__gte=on),
        "wishes": member.wishes.filter(on__gte=on),
        "leave_form": LeaveForm(auto_id="leave_%s"),
        "wish_form": _wish_form(request, member),
        "today": on,
        "may_edit": access.may_edit(request.user),
    }
    return render(request, "rota/mine.html", page | forms)


def _wish_form(request: StaffRequest, member: Member, data: QueryDict | None = None) -> WishForm:
    kinds = access.wishes_open_to(request.user)
    return WishForm(data, auto_id="wish_%s", member=member, kinds=kinds)


@require_POST
@requires(Verb.READ_ROTA)
def take_leave(request: StaffRequest, pk: int) -> HttpResponse:
    member = access.member_to_change(request.user, pk)
    form = LeaveForm(request.POST, auto_id="leave_%s")
    if not form.is_valid():
        return _wishes_page(request, member, leave_form=form)
    leave = actions.take_leave(
        member=member, by=request.user, at=timezone.now(), **form.cleaned_data
    )
    hit = queries.duties_hit(member.user, first=leave.first, last=leave.last).count()
    if hit:
        messages.warning(
            request,
            f"入れない期間を登録しました。この期間に公開済みの当番が{hit}回あります。"
            "交代を申し出るか、センターに組み直しを頼んでください。",
        )
    else:
        messages.success(request, "入れない期間を登録しました。")
    return redirect("rota:wishes", pk)


@require_POST
@requires(Verb.READ_ROTA)
def cancel_leave(request: StaffRequest, pk: int) -> HttpResponse:
    leave = access.leave_to_change(request.user, pk)
    member = leave.member_id
    actions.cancel_leave(leave=leave, by=request.user, at=timezone.now())
    messages.success(request, "入れない期間を取り消しました。")
    return redirect("rota:wishes", member)


@require_POST
@requires(Verb.READ_ROTA)
def wish(request: StaffRequest, pk: int) -> HttpResponse:
    member = access.member_to_change(request.user, pk)
    form = _wish_form(request, member, request.POST)
    if not form.is_valid():
        return _wishes_page(request, member, wish_form=form)
    actions.wish(member=member, by=request.user, at=timezone.now(), **form.cleaned_data)
    messages.success(request, "希望を登録しました。")
    return redirect("rota:wishes", pk)


@require_POST
@requires(Verb.READ_ROTA)
def unwish(request: StaffRequest, pk: int) -> HttpResponse:
    found = access.wish_to_change(request.user, pk)
    member = found.member_id
    actions.unwish(wish=found, by=request.user, at=timezone.now())
    messages.success(request, "希望を取り消しました。")
    return redirect("rota:wishes", member)


@require_GET
@requires(Verb.READ_ROTA)
def calendar(request: StaffRequest, pk: int) -> HttpResponse:
    """Give out a member's duties of the last month and all to come as an ICS file."""
    member = access.member_to_change(request.user, pk)
    rows = queries.duties_of(member, first=timezone.localdate() - timedelta(days=31))
    body = calendars.calendar(
        queries.duty_hours(rows, site=member.site),
        host=request.get_host().partition(":")[0],
        at=timezone.now(),
    )
    return HttpResponse(
        body,
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="duties.ics"'},
    )


@require_GET
@requires(Verb.READ_ROTA)
def swaps(request: StaffRequest) -> HttpResponse:
    """Show the swaps that concern the reader, and those that wait for their decision."""
    may_decide = request.user.may(Verb.APPROVE_SWAPS)
    page = {
        "swaps": queries.swaps(request.user)[:50],
        "to_decide": queries.swaps_to_decide(request.user) if may_decide else [],
        "may_decide": may_decide,
        "site": access.site_to_show(request.user, ""),
    }
    return render(
        request, "rota/_swaps.html" if "HX-Request" in request.headers else "rota/swaps.html", page
    )


@require_http_methods(["GET", "POST"])
@requires(Verb.READ_ROTA)
def ask_swap(request: StaffRequest, pk: int) -> HttpResponse:
    """Ask a colleague to take one of the reader's duties; who could is listed first."""
    duty = access.duty_to_swap(request.user, pk)
    candidates = [
        each for each in queries.candidates(duty) if each.member.user_id != request.user.pk
    ]
    free = [each for each in candidates if each.is_free]
    form = SwapForm(
        request.POST or None,
        members=queries.members_in([each.member.pk for each in candidates]),
        exchanges=queries.exchanges(duty, first=timezone.localdate(), last=duty.on + AHEAD),
    )
    if form.is_valid():
        try:
            actions.ask_swap(duty=duty, by=request.user, at=timezone.now(), **form.cleaned_data)
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, "交代を申し出ました。相手の返事をお待ちください。")
            return redirect("rota:swaps")
    return render(request, "rota/ask_swap.html", {"form": form, "duty": duty, "free": free[:8]})


@require_POST
@requires(Verb.READ_ROTA)
def answer_swap(request: StaffRequest, pk: int) -> HttpResponse:
    swap = access.swap_to_answer(request.user, pk)
    agrees = request.POST.get("answer") == "agree"
    try:
        actions.answer_swap(swap=swap, agrees=agrees, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(
            request,
            "引き受けました。上司の承認を待っています。" if agrees else "辞退しました。",
        )
    return redirect("rota:swaps")


@require_POST
@requires(Verb.APPROVE_SWAPS)
def decide_swap(request: StaffRequest, pk: int) -> HttpResponse:
    swap = access.swap_to_decide(request.user, pk)
    approves = request.POST.get("answer") == "approve"
    try:
        actions.decide_swap(swap=swap, approves=approves, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(
            request, "承認しました。当番表が変わりました。" if approves else "不承認にしました。"
        )
    return redirect("rota:swaps")


@require_POST
@requires(Verb.READ_ROTA)
def withdraw_swap(request: StaffRequest, pk: int) -> HttpResponse:
    swap = access.swap_to_withdraw(request.user, pk)
    try:
        actions.withdraw_swap(swap=swap, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, "申し出を取り下げました。")
    return redirect("rota:swaps")
