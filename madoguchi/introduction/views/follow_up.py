"""The weeks after the change: with and without booking, reasons, complaints; as a report."""

from pathlib import Path

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from madoguchi.booking.models import Service
from madoguchi.foundation import paper
from madoguchi.foundation.dates import wareki
from madoguchi.foundation.spreadsheets import Column, xlsx_response
from madoguchi.introduction import access, queries
from madoguchi.introduction.models import StageChange
from madoguchi.offices.models import City
from madoguchi.reception.rules import REMARK_LABELS, Remark
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb

REPORT = Path(__file__).resolve().parent.parent / "typst" / "report.typ"


@requires(Verb.EDIT_SERVICES)
@require_safe
def follow_up(request: StaffRequest, code: str) -> HttpResponse:
    service = access.service_of(request.user, code)
    found = queries.follow_up(service, today=timezone.localdate())
    context = {"service": service, "found": found, "bars": queries.week_bars(found)}
    return render(request, "introduction/follow_up.html", context)


@requires(Verb.EDIT_SERVICES)
@require_safe
def follow_up_excel(request: StaffRequest, code: str) -> HttpResponse:
    """Give the weeks as an Excel file, one line for each, the sum last."""
    service = access.service_of(request.user, code)
    found = queries.follow_up(service, today=timezone.localdate())
    names = ["来庁", "予約あり", "予約なし", "お帰りいただいた", "予約制への苦情"]
    waits = ["待ち・予約あり（分・中央）", "待ち・予約なし（分・中央）"]
    return xlsx_response(
        filename=f"予約制のふりかえり {service}.xlsx",
        columns=[
            Column("週の初め", 12),
            Column("週の終わり", 12),
            *names,
            *(f"理由: {REMARK_LABELS[remark]}" for remark in Remark),
            *waits,
        ],
        rows=[_row(week) for week in [*found.weeks, found.total]],
    )


def _row(week: queries.Week) -> list[object]:
    waits = (week.wait_booked, week.wait_walk_in)
    return [
        week.first,
        week.last,
        week.came,
        week.booked,
        week.walk_in,
        week.sent_home,
        week.complaints,
        *(week.reasons.get(remark, 0) for remark in Remark),
        *(None if wait is None else round(wait.middle) for wait in waits),
    ]


@requires(Verb.EDIT_SERVICES)
@require_safe
def report(request: StaffRequest, code: str) -> HttpResponse:
    """Give one page of A4 with which a superior can be persuaded."""
    service = access.service_of(request.user, code)
    try:
        content = paper.pdf(REPORT, _report(service, request))
    except paper.NotPrintable as reason:
        messages.error(request, str(reason))
        return redirect("introduction:follow_up", code)
    return paper.pdf_response(filename=f"予約制の報告 {service}.pdf", content=content)


def _report(service: Service, request: StaffRequest) -> dict[str, object]:
    today = timezone.localdate()
    found = queries.follow_up(service, today=today)
    city = City.objects.first()
    return {
        "title": f"「{service}」の予約制について（報告）",
        "city": city.name if city else "",
        "division": service.division.name,
        "made": f"{wareki(today)}　{request.user.division} {request.user.name}",
        "stage": service.get_stage_display(),
        "history": [_history(change) for change in queries.standing(service).changes],
        "sentences": found.sentences,
        "weeks": [_cells(week) for week in found.weeks],
        "total": _cells(found.total),
        "most": max((week.came for week in found.weeks), default=0),
        "reasons": [list(reason) for reason in found.reasons],
        "trial": queries.trial_lines(service, today=today),
    }


def _history(change: StageChange) -> list[str]:
    who = f"承認 {change.approved_by.name}" if change.approved_by else "即日"
    return [
        wareki(change.on),
        change.get_stage_display(),
        change.get_status_display(),
        f"計画 {change.proposed_by.name}、{who}" if not change.waits_for_go else "承認待ち",
        change.stop_reason or change.reason,
    ]


def _cells(week: queries.Week) -> dict[str, object]:
    return {
        "first": f"{week.first.month}/{week.first.day}〜",
        "booked": week.booked,
        "walk_in": week.walk_in,
        "share": "－" if week.share_booked is None else f"{week.share_booked}％",
        "no_smartphone": week.no_smartphone,
        "did_not_know": week.did_not_know,
        "sent_home": week.sent_home,
        "complaints": week.complaints,
        "wait_booked": week.wait_booked.words if week.wait_booked else "－",
        "wait_walk_in": week.wait_walk_in.words if week.wait_walk_in else "－",
    }
