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
LONGEST_ID = 10  # digits: a longer number is no id, and more than the database can compare
NTH = {1: "1回目", 2: "2回目", rules.FURTHER: "3回目以降"}
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


@require_GET
@requires(Verb.READ_STATISTICS)
def transfers(request: StaffRequest) -> HttpResponse:
    """Show who passes matters on to whom, and how often a matter is passed on again."""
    period = _period(request)
    earlier, later = rules.neighbours(period)
    return render(
        request,
        "statistics/transfers.html",
        {
            "period": period,
            "earlier": earlier,
            "later": later,
            "year": rules.year_of(period),
            "is_year": period.key == rules.year_of(period).key,
            "today": timezone.localdate(),
            "matrix": _matrix(request, period),
        },
    )


@require_GET
@requires(Verb.READ_STATISTICS)
def transfers_excel(request: StaffRequest) -> HttpResponse:
    """Give the matrix as an Excel file."""
    period = _period(request)
    matrix = _matrix(request, period)
    figures = ("引き継ぎの合計", "うち辞退", "うち2回目", "うち3回目以降")
    return xlsx_response(
        filename=f"引き継ぎの流れ {period.words}.xlsx",
        columns=[
            Column("引き継ぎ先", 24),
            *(Column(f"{sender}から", 20) for sender in matrix.senders),
            *(Column(title, 16) for title in figures),
        ],
        rows=(
            [row.division]
            + [one.count for one in (*row.sent, row.total, row.declined, row.second, row.further)]
            for row in (*matrix.receivers, matrix.everybody)
        ),
    )


@require_GET
@requires(Verb.READ_STATISTICS)
def transfers_listed(request: StaffRequest) -> HttpResponse:
    """List the 引き継ぎ behind a number of the matrix."""
    period = _period(request)
    asked = {
        name: int(request.GET[name])
        for name in ("to", "sender", "nth")
        if request.GET.get(name, "").isdecimal() and len(request.GET[name]) < LONGEST_ID
    }
    found = queries.transfers_asked(cases=access.countable_cases(request.user), period=period)
    found = found.filter(**asked)
    is_declined = request.GET.get("declined") == "1"
    if is_declined:
        found = found.filter(state=queries.DECLINED)
    names = dict(Division.objects.values_list("pk", "name"))
    page = Paginator(found.order_by("-asked_at", "-pk"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    return render(
        request,
        "statistics/transfers_listed.html",
        {
            "period": period,
            "page": page,
            "rows": [(row, names[row.sender]) for row in page],
            "today": timezone.localdate(),
            "sender": names.get(asked.get("sender", 0), ""),
            "to": names.get(asked.get("to", 0), ""),
            "nth": NTH.get(asked.get("nth", 0), ""),
            "is_declined": is_declined,
        },
    )


def _matrix(request: StaffRequest, period: rules.Period) -> queries.Matrix:
    return queries.transfer_matrix(cases=access.countable_cases(request.user), period=period)


def _period(request: StaffRequest) -> rules.Period:
    return rules.read_period(request.GET.get("period", ""), today=timezone.localdate())


def _report(request: StaffRequest) -> queries.Report:
    return queries.report(
        cases=access.countable_cases(request.user),
        everything=access.all_cases(request.user),
        period=_period(request),
        today=timezone.localdate(),
    )
