"""The transfers of staff: the list, its preview and approval; and one's own, for everybody."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from madoguchi.casework import access as casework
from madoguchi.casework import queries as cases
from madoguchi.foundation.errors import RuleBroken
from madoguchi.foundation.spreadsheets import Column, xlsx_response
from madoguchi.personnel import access, actions, queries, rules
from madoguchi.personnel.forms import LinesForm, ListForm
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.models import User
from madoguchi.staff.rules import Verb

MANAGE = (Verb.PLAN_MOVES, Verb.APPROVE_MOVES)


@require_safe
@requires(*MANAGE)
def lists(request: StaffRequest) -> HttpResponse:
    found = access.visible_lists(request.user).order_by("-effective_on", "-pk")
    return render(
        request,
        "personnel/lists.html",
        {"lists": found, "may_plan": request.user.may(Verb.PLAN_MOVES)},
    )


@requires(Verb.PLAN_MOVES)
def plan(request: StaffRequest) -> HttpResponse:
    form = ListForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        try:
            each = actions.plan(by=request.user, at=timezone.now(), **form.planned())
        except RuleBroken as reason:
            form.add_error("effective_on", str(reason))
        else:
            messages.success(request, "一覧を作りました。内容を確かめ、別の人が承認します。")
            return redirect("personnel:move_list", each.pk)
    return render(request, "personnel/plan.html", {"form": form})


@require_safe
@requires(Verb.PLAN_MOVES)
def template(request: StaffRequest) -> HttpResponse:
    """Everybody who works here, with empty columns for where they go."""
    staff = User.objects.filter(is_active=True).select_related("division")
    rows = (
        (each.username, each.name, each.division.name, each.get_role_display(), "", "", "", "")
        for each in staff.order_by("division__name", "username")
    )
    return xlsx_response(filename="人事異動一覧.xlsx", columns=rules.COLUMNS, rows=rows)


@require_safe
@requires(*MANAGE)
def move_list(request: StaffRequest, pk: int) -> HttpResponse:
    each = access.list_to_read(request.user, pk)
    done, total = queries.progress(each)
    context: dict[str, Any] = {
        "list": each,
        "prospects": queries.prospects(each),
        "weaknesses": queries.weaknesses(each) if each.is_draft else [],
        "done": done,
        "total": total,
        "is_own": each.made_by_id == request.user.pk,
        "may_plan": request.user.may(Verb.PLAN_MOVES),
        "may_approve": request.user.may(Verb.APPROVE_MOVES),
    }
    return render(request, "personnel/move_list.html", context)


@require_safe
@requires(*MANAGE)
def progress(request: StaffRequest, pk: int) -> HttpResponse:
    each = access.list_to_read(request.user, pk)
    done, total = queries.progress(each)
    context = {"list": each, "done": done, "total": total}
    return render(request, "personnel/_progress.html", context)


@requires(Verb.PLAN_MOVES)
def replace(request: StaffRequest, pk: int) -> HttpResponse:
    each = access.list_to_read(request.user, pk)
    form = LinesForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        try:
            actions.replace(
                each=each, wanted=form.cleaned_data["file"], by=request.user, at=timezone.now()
            )
        except RuleBroken as reason:
            form.add_error("file", str(reason))
        else:
            messages.success(request, "一覧を入れ替えました。")
            return redirect("personnel:move_list", each.pk)
    return render(request, "personnel/replace.html", {"form": form, "list": each})


@require_safe
@requires(*MANAGE)
def move_list_excel(request: StaffRequest, pk: int) -> HttpResponse:
    each = access.list_to_read(request.user, pk)
    return xlsx_response(
        filename=f"人事異動_{each.effective_on:%Y%m%d}.xlsx",
        columns=[
            *("職員ID", "氏名", "今の部署", "異動先", "新しい役割", "退職", "後任"),
            Column("案件", 8),
            Column("うち限定", 10),
            Column("依頼", 8),
            Column("実施日時", 18),
        ],
        rows=(_excel_row(prospect) for prospect in queries.prospects(each)),
    )


def _excel_row(prospect: queries.Prospect) -> tuple[Any, ...]:
    move, held = prospect.move, prospect.held
    return (
        move.user.username,
        move.user.name,
        move.user.division.name,
        move.division.name if move.division else "",
        move.get_role_display(),
        "○" if move.leaves else "",
        prospect.heir.name if prospect.heir else "",
        move.cases if move.done_at else held.cases,
        held.restricted,
        move.requests if move.done_at else held.requests,
        move.done_at,
    )


@require_POST
@requires(Verb.APPROVE_MOVES)
def approve(request: StaffRequest, pk: int) -> HttpResponse:
    each = access.list_to_read(request.user, pk)
    try:
        actions.approve(each=each, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(
            request, "承認しました。異動日の0時に、元の権限が終わり、案件は後任に移ります。"
        )
    return redirect("personnel:move_list", each.pk)


@require_POST
@requires(*MANAGE)
def stop(request: StaffRequest, pk: int) -> HttpResponse:
    each = access.list_to_read(request.user, pk)
    try:
        actions.stop(each=each, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, "異動を取りやめました。")
    return redirect("personnel:move_list", each.pk)


@require_safe
@requires()
def mine(request: StaffRequest) -> HttpResponse:
    """One's own transfer: to whom the open matters go, so that their notes are written in time."""
    move = access.own_move(request.user)
    context: dict[str, Any] = {"move": move, "cases": []}
    if move is not None:
        heir = queries.heirs_of(list(move.list.moves.all()))[request.user.pk]
        held = cases.to_pass_on(request.user)
        seen = casework.visible_cases(request.user).filter(pk__in=held.values("pk"))
        rows = list(seen.select_related("category").order_by("due_on", "pk"))
        context |= {"cases": rows, "heir": User.objects.filter(pk=heir or 0).first()}
        if rows:
            casework.note_list(
                "case.list", request.user, (case.pk for case in rows), at=timezone.now()
            )
    return render(request, "personnel/mine.html", context)
