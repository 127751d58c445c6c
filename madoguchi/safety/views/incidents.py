"""Incidents: the list, the live page with its clock and its card, judgement, and the report."""

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from madoguchi.audit import actions as audit
from madoguchi.foundation.dates import wareki_short
from madoguchi.foundation.errors import RuleBroken
from madoguchi.foundation.spreadsheets import Column, xlsx_response
from madoguchi.safety import access, actions, queries
from madoguchi.safety.forms import (
    ComplaintForm,
    DescribeForm,
    FilterForm,
    IncidentForm,
    JudgementForm,
    MeasureForm,
    StepForm,
)
from madoguchi.safety.models import Incident
from madoguchi.safety.rules import judgement, response
from madoguchi.safety.rules.judgement import Result
from madoguchi.safety.rules.response import Stage
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb

PER_PAGE = 50
SEALS = ("所属長", "係長", "担当")
SAME_DAY = 30  # minutes a division gives one matter on one day (鹿屋市)


@require_safe
@requires(Verb.HANDLE_INCIDENTS)
def incidents(request: StaffRequest) -> HttpResponse:
    form, found = _wanted(request)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    listed = list(page)
    _note_list(request, "incident.list", listed)
    results = queries.last_results(listed)
    context = {
        "form": form,
        "page": page,
        "rows": [(row, results.get(row.pk)) for row in listed],
        "now": timezone.now(),
    }
    return render(request, "safety/incidents.html", context)


@require_safe
@requires(Verb.HANDLE_INCIDENTS)
def incidents_excel(request: StaffRequest) -> HttpResponse:
    """Figures and dates; what people said stays in the record."""
    _, found = _wanted(request)
    listed = list(found)
    results = queries.last_results(listed)
    answer = xlsx_response(
        filename=f"事案_{wareki_short(timezone.localdate())}.xlsx",
        columns=(
            Column("事案番号", 16),
            Column("部署", 20),
            Column("経路", 12),
            Column("始まり", 18),
            Column("終わり", 18),
            Column("分", 8),
            Column("段階", 22),
            Column("判定", 28),
            Column("類型", 36),
            Column("市側の不備", 12),
        ),
        rows=(_excel_row(row, results.get(row.pk)) for row in listed),
    )
    _note_list(request, "incident.excel", listed)
    return answer


def _excel_row(row: Incident, last: Any) -> tuple[Any, ...]:
    minutes = int((row.ended_at - row.started_at).total_seconds() // 60) if row.ended_at else ""
    return (
        row.number,
        row.division.name,
        row.get_channel_display(),
        row.started_at,
        row.ended_at,
        minutes,
        row.get_stage_display(),
        last.get_result_display() if last else "",
        last.act_names if last else "",
        last.get_fault_display() if last else "",
    )


def _wanted(request: StaffRequest) -> tuple[FilterForm, QuerySet[Incident]]:
    given = request.GET.copy()
    if "status" not in given:
        given["status"] = ""
    form = FilterForm(given)
    wanted = form.cleaned_data if form.is_valid() else {}
    visible = access.visible_incidents(request.user).values("pk")
    return form, queries.incidents_found(wanted).filter(pk__in=visible)


def _note_list(request: StaffRequest, verb: str, listed: list[Incident]) -> None:
    if listed:
        audit.record(
            verb=verb,
            actor=request.user.get_username(),
            at=timezone.now(),
            detail={"incidents": sorted(row.pk for row in listed)},
        )


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Verb.HANDLE_INCIDENTS)
def open_incident(request: StaffRequest) -> HttpResponse:
    """Begin an incident; from a case (`?case=`), it belongs to it."""
    number = request.GET.get("case", "")
    case = access.case_to_open_from(request.user, number) if number else None
    initial = {"channel": case.channel} if case else {}
    form = IncidentForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            made = actions.open_incident(case=case, by=request.user, at=now, **form.begun(at=now))
        except RuleBroken as reason:
            form.add_error("minutes_ago", str(reason))
        else:
            return redirect("safety:incident", made.pk)
    return render(request, "safety/open_incident.html", {"form": form, "case": case})


@require_safe
@requires(Verb.HANDLE_INCIDENTS)
def incident(request: StaffRequest, pk: int) -> HttpResponse:
    """Everything of one incident; while it goes on, the clock and the card come first."""
    now = timezone.now()
    found = access.incident_to_read(request.user, pk, at=now)
    limits = queries.limits_of(found.way)
    stage = Stage(found.stage)
    clock = response.read_clock(limits, started_at=found.started_at, at=found.ended_at or now)
    taken = queries.taken(found)
    nearest = response.advised(stage, way=found.way, level=clock.level, asked=taken, limits=limits)
    judged = queries.judgements_of(found)
    possible = response.next_stages(stage, way=found.way)
    choices = [_choice(each, taken) for each in possible if each != Stage.EMERGENCY]
    context = {
        "incident": found,
        "now": now,
        "clock": clock,
        "level": response.LEVEL_LABELS[clock.level],
        "limits": limits,
        "words_now": queries.words_of(stage),
        "advised": nearest and _choice(nearest, taken),
        "advised_words": queries.words_of(nearest) if nearest else [],
        "choices": choices,
        "emergency": _choice(Stage.EMERGENCY, taken) if Stage.EMERGENCY in possible else None,
        "has_manager_choice": any(choice["needs_manager"] for choice in choices),
        "again": clock.next_at and int((clock.next_at - now).total_seconds()) + 1,
        "managers": queries.managers(),
        "undoable": queries.undoable(found, at=now),
        "steps": queries.steps_of(found),
        "judgements": judged,
        "measures": queries.measures_of(found),
        "case": access.case_of(request.user, found),
        "may_judge": request.user.may(Verb.JUDGE_INCIDENTS),
        "may_complain": bool(judged)
        and judged[0].result == Result.NONE.value
        and found.case_id is None
        and request.user.may(Verb.RECEIVE_CASES),
        "is_over_same_day": queries.same_day_minutes(found, at=now) + clock.minutes > SAME_DAY
        and found.case_id is not None,
        "key": uuid4(),
        "note_key": uuid4(),
    }
    is_part = request.headers.get("HX-Request") == "true"
    return render(request, "safety/_live.html" if is_part else "safety/incident.html", context)


def _choice(stage: Stage, taken: list[Stage]) -> dict[str, Any]:
    count = taken.count(stage) + 1
    repeats = stage in (Stage.STOP_ACT, Stage.LEAVE)
    return {
        "stage": stage.value,
        "label": response.STAGE_LABELS[stage] + (f"（{count}回目）" if repeats else ""),
        "key": response.STAGE_KEYS.get(stage, ""),
        "needs_manager": stage in response.BUILDING_MANAGER,
        "is_grave": stage in (Stage.EMERGENCY, Stage.POLICE),
    }


@require_POST
@requires(Verb.HANDLE_INCIDENTS)
def take_step(request: StaffRequest, pk: int) -> HttpResponse:
    found = access.incident_to_change(request.user, pk)
    form = StepForm(request.POST)
    if not form.is_valid() or form.cleaned_data["stage"] is None:
        messages.error(request, "次の段階を選んでください。")
        return redirect("safety:incident", pk)
    try:
        actions.take_step(incident=found, by=request.user, at=timezone.now(), **form.cleaned_data)
    except RuleBroken as reason:
        messages.error(request, str(reason))
    return redirect("safety:incident", pk)


@require_POST
@requires(Verb.HANDLE_INCIDENTS)
def undo_step(request: StaffRequest, pk: int) -> HttpResponse:
    found = access.incident_to_change(request.user, pk)
    try:
        actions.undo_step(incident=found, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, "取り消しました。取り消したことも記録に残ります。")
    return redirect("safety:incident", pk)


@require_POST
@requires(Verb.HANDLE_INCIDENTS)
def write_note(request: StaffRequest, pk: int) -> HttpResponse:
    found = access.incident_to_change(request.user, pk)
    form = StepForm(request.POST)
    if not form.is_valid() or not form.cleaned_data["text"]:
        messages.error(request, "言われたこと・見たことを入力してください。")
        return redirect("safety:incident", pk)
    actions.write_note(
        incident=found,
        text=form.cleaned_data["text"],
        key=form.cleaned_data["key"],
        by=request.user,
        at=timezone.now(),
    )
    return redirect("safety:incident", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Verb.HANDLE_INCIDENTS)
def describe(request: StaffRequest, pk: int) -> HttpResponse:
    now = timezone.now()
    if request.method == "POST":
        found = access.incident_to_change(request.user, pk)
    else:
        found = access.incident_to_read(request.user, pk, at=now)
    names = ("place", "counterpart", "people", "demand", "trigger")
    form = DescribeForm(
        request.POST or None, initial={name: getattr(found, name) for name in names}
    )
    if request.method == "POST":
        if form.is_valid():
            actions.describe(incident=found, fields=form.cleaned_data, by=request.user, at=now)
            messages.success(request, "記録を直しました。")
            return redirect("safety:incident", pk)
        access.incident_to_read(request.user, pk, at=now)
    context = {"incident": found, "form": form, "title": "相手方と用件", "button": "保存する"}
    return render(request, "safety/form.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Verb.JUDGE_INCIDENTS)
def judge(request: StaffRequest, pk: int) -> HttpResponse:
    """The facts, what the standard says to them, and the decision of people."""
    now = timezone.now()
    if request.method == "POST":
        found = access.incident_to_change(request.user, pk)
    else:
        found = access.incident_to_read(request.user, pk, at=now)
    form = JudgementForm(request.POST or None, incident=found, by=request.user)
    advice = None
    standard = queries.standard_now()
    if request.method == "POST" and form.is_valid():
        stops = queries.taken(found).count(Stage.STOP_ACT)
        facts = form.facts(stop_requests=stops)
        advice = judgement.advise(facts, queries.lines_of(standard))
        if request.POST.get("do") != "advise" and _judged(request, found, form, facts):
            return redirect("safety:incident", pk)
    if request.method == "POST":
        access.incident_to_read(request.user, pk, at=now)
    context = {
        "incident": found,
        "form": form,
        "advice": advice,
        "advised": advice and judgement.RESULT_LABELS[advice.result],
        "definition": queries.definition_of(standard),
        "standard": standard,
    }
    return render(request, "safety/judge.html", context)


def _judged(
    request: StaffRequest, found: Incident, form: JudgementForm, facts: judgement.Facts
) -> bool:
    if not form.cleaned_data["result"]:
        form.add_error("result", "判定を選んでください。")
        return False
    try:
        actions.judge(
            incident=found,
            facts=facts,
            result=Result(form.cleaned_data["result"]),
            reason=form.cleaned_data["reason"],
            consulted=form.cleaned_data["consulted"],
            by=request.user,
            at=timezone.now(),
        )
    except RuleBroken as reason:
        form.add_error(None, str(reason))
        return False
    messages.success(request, "判定を記録しました。判定は、この時点のものとして残ります。")
    return True


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Verb.RECEIVE_CASES)
def return_to_complaint(request: StaffRequest, pk: int) -> HttpResponse:
    now = timezone.now()
    if request.method == "POST":
        found = access.incident_to_change(request.user, pk)
    else:
        found = access.incident_to_read(request.user, pk, at=now)
    form = ComplaintForm(request.POST or None)
    if request.method == "POST":
        if form.is_valid():
            try:
                case = actions.return_to_complaint(
                    incident=found, by=request.user, at=now, **form.cleaned_data
                )
            except RuleBroken as reason:
                form.add_error(None, str(reason))
            else:
                messages.success(request, f"{case.number}として、通常の苦情を受け付けました。")
                return redirect("casework:case", case.number)
        access.incident_to_read(request.user, pk, at=now)
    context = {
        "incident": found,
        "form": form,
        "title": "通常の苦情として受け付ける",
        "button": "苦情として受け付ける",
        "lead": "該当しないと判定した事案です。求められていることなどは、案件に引き継ぎます。",
    }
    return render(request, "safety/form.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Verb.HANDLE_INCIDENTS)
def propose_measure(request: StaffRequest, pk: int) -> HttpResponse:
    now = timezone.now()
    if request.method == "POST":
        found = access.incident_to_change(request.user, pk)
    else:
        found = access.incident_to_read(request.user, pk, at=now)
    form = MeasureForm(request.POST or None)
    if request.method == "POST":
        if form.is_valid():
            try:
                actions.propose_measure(
                    incident=found, by=request.user, at=now, **form.cleaned_data
                )
            except RuleBroken as reason:
                form.add_error("review_on", str(reason))
            else:
                messages.success(
                    request, "措置を申し出ました。ほかの管理職が承認すると始まります。"
                )
                return redirect("safety:incident", pk)
        access.incident_to_read(request.user, pk, at=now)
    context = {
        "incident": found,
        "form": form,
        "title": "事後の措置を申し出る",
        "button": "申し出る",
        "lead": "市民の権利は、必要なく狭めません。根拠、残る方法、見直す日を必ず決めます。",
    }
    return render(request, "safety/form.html", context)


@require_safe
@requires(Verb.HANDLE_INCIDENTS)
def sheet(request: StaffRequest, pk: int) -> HttpResponse:
    """The 5W1H report on A4, with boxes for the seals."""
    now = timezone.now()
    found = access.incident_to_read(request.user, pk, at=now)
    context = {
        "incident": found,
        "steps": queries.steps_of(found),
        "judgements": queries.judgements_of(found),
        "measures": queries.measures_of(found),
        "seals": SEALS,
        "confidentiality": "3",
        "printed_at": now,
    }
    return render(request, "safety/sheet.html", context)
