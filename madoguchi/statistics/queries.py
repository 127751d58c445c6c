"""What the pages count. A fixed number of grouped queries over one range, however many rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    Count,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Least, TruncDate
from django.utils import timezone

from madoguchi.casework import rules as casework
from madoguchi.casework.models import Case as Matter
from madoguchi.casework.models import Category, Handover
from madoguchi.offices.models import Division
from madoguchi.reception.models import Visit
from madoguchi.reception.rules import REMARK_LABELS, Remark
from madoguchi.statistics import rules
from madoguchi.statistics.rules import Period

BOOKED = "booked"
DECLINED = casework.HandoverState.DECLINED.value


@dataclass(frozen=True)
class Line:
    """One line of a table: this period, the one before, and the lists behind both."""

    label: str
    now: int
    before: int
    now_url: str = ""
    before_url: str = ""
    bar: int = 0
    bar_before: int = 0

    @property
    def change(self) -> str:
        return rules.change(self.now, self.before)


@dataclass(frozen=True)
class Table:
    """One way to count: by channel, by field, …"""

    name: str
    lines: list[Line]
    total: Line
    note: str = ""


@dataclass
class Punctuality:
    """How the records of one division came back."""

    division: str
    asked: int = 0
    in_time: int = 0
    late: int = 0
    overdue: int = 0
    waiting: int = 0
    without: int = 0
    url: str = ""

    @property
    def rate(self) -> str:
        done = self.in_time + self.late + self.overdue
        return f"{self.in_time * 100 // done}%" if done else "—"


@dataclass(frozen=True)
class Figure:
    """A number and the list behind it."""

    count: int
    url: str


@dataclass(frozen=True)
class Receiver:
    """What one division was sent, by sender, and how much of it had been elsewhere before."""

    division: str
    sent: list[Figure]
    total: Figure
    declined: Figure
    second: Figure
    further: Figure


@dataclass(frozen=True)
class Matrix:
    """Who sends matters to whom; the last line is the sum of all."""

    senders: list[str]
    receivers: list[Receiver]
    everybody: Receiver


@dataclass(frozen=True)
class Report:
    """Everything the statistics page shows of one period."""

    period: Period
    before: Period
    tables: list[Table]
    visits: Table
    records: list[Punctuality]
    hidden: str = ""
    figures: list[Line] = field(default_factory=list)


def report(
    *, cases: QuerySet[Matter], everything: QuerySet[Matter] | None, period: Period, today: date
) -> Report:
    """
    Count the cases the reader may see, received in the period and in the same one a year ago.

    `everything`: where given, restricted cases beyond the reader's sight are told as one
    figure, and as 5件未満 when they are few.
    """
    before = rules.year_before(period)
    tables = case_tables(cases=cases, period=period, before=before)
    hidden = ""
    if everything is not None:
        beyond = _received(everything, period).filter(is_sensitive=True)
        unseen = beyond.exclude(pk__in=cases.values("pk")).count()
        hidden = rules.shown_small(unseen) if unseen else ""
    return Report(
        period=period,
        before=before,
        tables=tables,
        visits=visit_table(period=period, before=before),
        records=punctuality(cases=cases, period=period, today=today),
        hidden=hidden,
    )


def case_tables(*, cases: QuerySet[Matter], period: Period, before: Period) -> list[Table]:
    """Return the tables by channel, field, kind, result and division. Seven queries."""
    found = cases.filter(_within("received_at", period) | _within("received_at", before))
    found = found.order_by().annotate(
        is_now=Case(
            When(_within("received_at", period), then=Value(True)),
            default=Value(False),
            output_field=BooleanField(),
        )
    )
    closed = found.filter(
        status=casework.Status.CLOSED, closures__isnull=False, closures__reopened_at=None
    )
    categories = [(each.pk, each.name) for each in Category.objects.all()]
    owners = Division.objects.order_by("-is_centre", "pk").values_list("pk", "name")
    results = [(value.value, label) for value, label in casework.RESULT_LABELS.items()]
    channels = [(value.value, label) for value, label in casework.CHANNEL_LABELS.items()]
    kinds = [(value.value, label) for value, label in casework.KIND_LABELS.items()]

    def table(name: str, rows: QuerySet[Any], column: str, parameter: str, names: Any) -> Table:
        counted = _counted(rows, column)
        return _table(name, counted, names, parameter, period=period, before=before)

    by_result = table("結果", closed, "closures__result", "result", results)
    by_channel = table("経路", found, "channel", "channel", channels)
    still_open = Line(
        "対応中",
        by_channel.total.now - by_result.total.now,
        by_channel.total.before - by_result.total.before,
        _list("status", "open", period),
        _list("status", "open", before),
    )
    return [
        by_channel,
        table("分野", found, "category", "category", categories),
        Table(
            "結果",
            [*by_result.lines, *([still_open] if still_open.now + still_open.before else [])],
            by_channel.total,
        ),
        table("種別", found, "kind", "kind", kinds),
        table("担当課", found, "owner", "owner", owners),
    ]


def visit_table(*, period: Period, before: Period) -> Table:
    """Count the visits with a booking, and those without by their reason. One query."""
    visits = Visit.objects.filter(_on(period) | _on(before)).order_by()
    found: QuerySet[Any] = visits.annotate(
        is_now=Case(
            When(_on(period), then=Value(True)),
            default=Value(False),
            output_field=BooleanField(),
        )
    )
    counted: dict[tuple[Any, bool], int] = {}
    rows = found.values_list("reason_without_booking", "is_now").annotate(n=Count("pk"))
    for reason, is_now, count in rows:
        counted[reason or BOOKED, is_now] = count
    names = [(BOOKED, "予約あり")] + [
        (remark.value, f"予約なし: {REMARK_LABELS[remark]}") for remark in Remark
    ]
    return _table(
        "来庁",
        counted,
        names,
        "reason",
        period=period,
        before=before,
        page="visits",
    )


def punctuality(*, cases: QuerySet[Matter], period: Period, today: date) -> list[Punctuality]:
    """Count how the records asked for in the period came back, by division. One query."""
    asked: QuerySet[Any] = handovers_asked(cases=cases, period=period)
    rows: Iterable[dict[str, Any]] = (
        asked.order_by()
        .values("to", "to__name")
        .annotate(
            asked=Count("pk"),
            **{name: Count("pk", filter=test) for name, test in standing(today).items()},
        )
        .order_by("-asked", "to__name")
    )
    return [
        Punctuality(
            division=row["to__name"],
            asked=row["asked"],
            in_time=row["in_time"],
            late=row["late"],
            overdue=row["overdue"],
            waiting=row["waiting"],
            without=row["without"],
            url=f"records/?{urlencode({'period': period.key, 'division': row['to']})}",
        )
        for row in rows
    ]


def standing(today: date) -> dict[str, Q]:
    """Return the five ways in which a request for a record can stand today."""
    outstanding = Q(state__in=sorted(casework.OUTSTANDING))
    returned = Q(state=casework.HandoverState.RETURNED)
    return {
        "in_time": returned & Q(returned_day__lte=F("due_on")),
        "late": returned & Q(returned_day__gt=F("due_on")),
        "overdue": outstanding & Q(due_on__lt=today),
        "waiting": outstanding & Q(due_on__gte=today),
        "without": Q(
            state__in=[casework.HandoverState.DECLINED, casework.HandoverState.WITHDRAWN]
        ),
    }


def handovers_asked(*, cases: QuerySet[Matter], period: Period) -> QuerySet[Handover]:
    """Return the requests to divisions made in the period, in cases the reader may see."""
    asked = Handover.objects.filter(_within("asked_at", period), case__in=cases.order_by())
    return asked.annotate(returned_day=TruncDate("returned_at")).select_related("case", "to")


def transfers_asked(*, cases: QuerySet[Matter], period: Period) -> QuerySet[Any]:
    """
    Return the 引き継ぎ of the period with where each came from and the how-manieth it was.

    `sender`: the division that was asked before it, for the first one that of who asked. `nth`:
    1, 2, or 3 for the third and any later. What was taken back moved no matter and does not
    count; what was declined does, for the resident was sent there.
    """
    transfers = Handover.objects.filter(kind=casework.HandoverKind.TAKE).exclude(
        state=casework.HandoverState.WITHDRAWN
    )
    earlier = transfers.filter(
        Q(asked_at__lt=OuterRef("asked_at"))
        | Q(asked_at=OuterRef("asked_at"), pk__lt=OuterRef("pk")),
        case=OuterRef("case"),
    )
    number = earlier.order_by().values("case").annotate(n=Count("pk")).values("n")
    before = earlier.order_by("-asked_at", "-pk").values("to")[:1]
    return (
        handovers_asked(cases=cases, period=period)
        .filter(pk__in=transfers.values("pk"))
        .annotate(
            sender=Coalesce(
                Subquery(before), F("asked_by__division"), output_field=BigIntegerField()
            ),
            nth=Least(
                Coalesce(Subquery(number, output_field=IntegerField()), 0) + 1, rules.FURTHER
            ),
        )
    )


def transfer_matrix(*, cases: QuerySet[Matter], period: Period) -> Matrix:
    """Count the 引き継ぎ of the period by receiver and sender. Two queries."""
    groups = (
        transfers_asked(cases=cases, period=period)
        .order_by()
        .values_list("to", "sender", "nth", "state")
        .annotate(n=Count("pk"))
    )
    counted = [
        ({"to": to, "sender": sender, "nth": nth, "declined": state == DECLINED}, n)
        for to, sender, nth, state, n in groups
    ]
    names = dict(Division.objects.values_list("pk", "name"))
    senders = sorted({one["sender"] for one, _ in counted}, key=lambda pk: names[pk])
    receivers = sorted({one["to"] for one, _ in counted}, key=lambda pk: names[pk])

    def figure(**asked: Any) -> Figure:
        count = sum(n for one, n in counted if asked.items() <= one.items())
        query = {name: int(value) for name, value in asked.items()}
        return Figure(count, f"list/?{urlencode({'period': period.key} | query)}")

    def line(name: str, **to: Any) -> Receiver:
        return Receiver(
            division=name,
            sent=[figure(**to, sender=sender) for sender in senders],
            total=figure(**to),
            declined=figure(**to, declined=True),
            second=figure(**to, nth=2),
            further=figure(**to, nth=rules.FURTHER),
        )

    return Matrix(
        senders=[names[pk] for pk in senders],
        receivers=[line(names[pk], to=pk) for pk in receivers],
        everybody=line("合計"),
    )


def visits_in(*, period: Period, reason: str) -> QuerySet[Visit]:
    """Return the visits of the period: all, the booked ones, or those with one reason."""
    found = Visit.objects.filter(_on(period)).select_related("site", "service", "counter")
    if reason == BOOKED:
        found = found.filter(booked_for__isnull=False)
    elif reason:
        found = found.filter(reason_without_booking=reason)
    return found.order_by("-on", "-arrived_at", "-pk")


def sheet_rows(shown: Report) -> Iterable[list[Any]]:
    """Return the report as rows of a spreadsheet."""
    for table in (*shown.tables, shown.visits):
        for line in (*table.lines, table.total):
            yield [table.name, line.label, line.now, line.before, line.now - line.before]
    for record in shown.records:
        for words, count in (
            ("期限内", record.in_time),
            ("期限後", record.late),
            ("期限を過ぎて未提出", record.overdue),
            ("期限前で未提出", record.waiting),
            ("辞退・取り下げ", record.without),
        ):
            yield ["対応記録", f"{record.division} {words}", count, None, None]


def _received(cases: QuerySet[Matter], period: Period) -> QuerySet[Matter]:
    return cases.filter(_within("received_at", period))


def _within(column: str, period: Period) -> Q:
    """The column falls on a day of the period, in Japan; as a range, so that an index serves."""
    first = timezone.make_aware(datetime.combine(period.first, time()))
    end = timezone.make_aware(datetime.combine(period.last + timedelta(days=1), time()))
    return Q(**{f"{column}__gte": first, f"{column}__lt": end})


def _on(period: Period) -> Q:
    return Q(on__gte=period.first, on__lte=period.last)


def _counted(rows: QuerySet[Any], column: str) -> dict[tuple[Any, bool], int]:
    groups = rows.values_list(column, "is_now").annotate(n=Count("pk"))
    return {(value, is_now): count for value, is_now, count in groups}


def _table(
    name: str,
    counted: dict[tuple[Any, bool], int],
    names: Iterable[tuple[Any, str]],
    parameter: str,
    *,
    period: Period,
    before: Period,
    page: str = "",
) -> Table:
    """Make the lines that count anything, in the order of names, and their total."""
    most = max(counted.values(), default=0)
    lines = [
        Line(
            label,
            counted.get((value, True), 0),
            counted.get((value, False), 0),
            _list(parameter, value, period, page=page),
            _list(parameter, value, before, page=page),
            rules.share(counted.get((value, True), 0), of=most),
            rules.share(counted.get((value, False), 0), of=most),
        )
        for value, label in names
        if counted.get((value, True), 0) + counted.get((value, False), 0)
    ]
    total = Line(
        "合計",
        sum(line.now for line in lines),
        sum(line.before for line in lines),
        _list("", "", period, page=page),
        _list("", "", before, page=page),
    )
    return Table(name, lines, total)


def _list(parameter: str, value: Any, period: Period, *, page: str = "") -> str:
    """Return the address of the list behind a number."""
    chosen = {parameter: value} if parameter else {}
    if page:
        return f"{page}/?{urlencode({'period': period.key} | chosen)}"
    days = {"since": period.first.isoformat(), "until": period.last.isoformat()}
    # Without a status the case list leaves out what is closed.
    return f"../cases/?{urlencode({'status': ''} | chosen | days)}"
