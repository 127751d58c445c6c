from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from madoguchi.foundation.spreadsheets import Column, xlsx_response
from madoguchi.offices.models import Division
from madoguchi.reception.rules import REMARK_LABELS, Remark
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb
from madoguchi.statistics import access, queries, rules

PER_PAGE = 50
STANDINGS = {
    "in_time": "期限内に提出",
    "late": "期限後に提出",
    "overdue": "期限を過ぎて未提出",
    "waiting": "期限前で未提出",
    "without": "辞退・取り下げ",
}


@require_GET
@requires(Verb.READ_STATISTICS)
def month(request: StaffRequest) -> HttpResponse:
    """Show a month (or a 年度) beside the same one last year; every number opens its list."""
    shown = _report(request)
    earlier, later = rules.neighbours(shown.period)
    return render(
        request,
        "statistics/month.html",
        {
            "report": shown,
            "earlier": earlier,
            "later": later,
            "year": rules.year_of(shown.period),
            "is_year": shown.period.key == rules.year_of(shown.period).key,
            "is_running": shown.period.first <= timezone.localdate() <= shown.period.last,
            "today": timezone.localdate(),
        },
    )


@require_GET
@requires(Verb.READ_STATISTICS)
def month_excel(request: StaffRequest) -> HttpResponse:
    """Give the numbers of the page as an Excel file."""
    shown = _report(request)
    return xlsx_response(
        filename=f"統計 {shown.period.words}.xlsx",
        columns=[
            Column("表", 12),
            Column("項目", 44),
            Column(shown.period.words, 16),
            Column(shown.before.words, 16),
            Column("増減", 10),
        ],
        rows=queries.sheet_rows(shown),
    )


@require_GET
@requires(Verb.READ_STATISTICS)
def visits(request: StaffRequest) -> HttpResponse:
    """List the visits behind a number: day, ticket, what for, booked or why not."""
    period = _period(request)
    reason = request.GET.get("reason", "")
    if reason != queries.BOOKED and reason not in set(Remark):
        reason = ""
    words = {queries.BOOKED: "予約あり", "": "すべて"} | {
        remark.value: f"予約なし: {label}" for remark, label in REMARK_LABELS.items()
    }
    found = queries.visits_in(period=period, reason=reason)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "statistics/visits.html",
        {"period": period, "page": page, "words": words[reason]},
    )


@require_GET
@requires(Verb.READ_STATISTICS)
def records(request: StaffRequest) -> HttpResponse:
    """List the requests behind a number: to whom, due when, returned when."""
    period = _period(request)
    today = timezone.localdate()
    division = request.GET.get("division", "")
    standing = request.GET.get("standing", "")
    found = queries.handovers_asked(cases=access.countable_cases(request.user), period=period)
    if division.isdecimal():
        found = found.filter(to=int(division))
    if standing in STANDINGS:
        found = found.filter(queries.standing(today)[standing])
    page = Paginator(found.order_by("due_on", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "statistics/records.html",
        {
            "period": period,
            "page": page,
            "today": today,
            "division": Division.objects.filter(pk=division).first()
            if division.isdecimal()
            else None,
            "words": STANDINGS.get(standing, ""),
        },
    )


def _period(request: StaffRequest) -> rules.Period:
    return rules.read_period(request.GET.get("period", ""), today=timezone.localdate())


def _report(request: StaffRequest) -> queries.Report:
    return queries.report(
        cases=access.countable_cases(request.user),
        everything=access.all_cases(request.user),
        period=_period(request),
        today=timezone.localdate(),
    )
