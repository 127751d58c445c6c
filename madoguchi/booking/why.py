"""
Why a place is offered or not (なぜこの枠は出ないのか), now or at a past moment.

Nothing is decided here: `rules.answers` decides, as for the search, and this module puts its
answers into words, with the rule, the closure or the booking behind each.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from madoguchi.audit.models import AuditEvent
from madoguchi.booking import queries, rules
from madoguchi.booking.models import (
    SETTINGS,
    AppointmentPlace,
    Errand,
    Hold,
    OpeningRule,
    Service,
)
from madoguchi.booking.rules import Question, Source
from madoguchi.foundation.dates import wareki
from madoguchi.offices import rules as calendar
from madoguchi.offices.models import Counter, Site
from madoguchi.offices.queries import office_days, regular_hours


@dataclass(frozen=True)
class Line:
    """One question, its answer, and what stands behind it."""

    question: str
    is_passed: bool
    reasons: list[str]


@dataclass(frozen=True)
class Explanation:
    lines: list[Line]

    @property
    def is_offered(self) -> bool:
        return all(line.is_passed for line in self.lines)


QUESTIONS = {
    Question.HOURS: "受付時間の中か",
    Question.TAKEN: "ほかの予約がないか",
    Question.TOO_SOON: "締め切りの前か",
    Question.NOT_RELEASED: "もう予約を始めている日か",
    Question.BOOKING_SHARE: "予約全体の枠が残っているか",
    Question.ONLINE_SHARE: "オンライン予約の枠が残っているか",
}


def explain(
    service: Service,
    *,
    counter: Counter,
    start: datetime,
    at: datetime,
    source: Source = Source.WEB,
    is_past: bool = False,
) -> Explanation:
    """
    Say question by question whether the service is offered at the counter from `start`.

    `at` is the moment of the look; with `is_past` everything is as it was then. Holds last
    minutes and leave no record, so only a look at the present knows of them.

    :raises NotBookable: no place of the grid begins at `start`.
    """
    day, cell = start.astimezone(rules.JST).date(), rules.cell_of(start)
    set_up = _as_it_was(service, at=at) if is_past else _as_it_is(service)
    if set_up is None:
        return Explanation([Line("手続きの設定", False, ["この時点の設定は記録にありません。"])])
    errand = Errand((set_up.service,))
    refusal = rules.service_refusal(
        is_active=set_up.service.is_active,
        stage=rules.Stage(set_up.service.stage),
        is_online=source == Source.WEB,
    )
    receives = counter.is_active and counter.pk in set_up.counters
    lines = [
        Line("この方法で予約できるか", not refusal, [refusal or "予約できる手続きです。"]),
        Line(
            "窓口が受け付けているか",
            receives,
            [
                f"{counter.site} {counter}は、この手続きを"
                f"受け付けて{'います' if receives else 'いません'}。"
            ],
        ),
    ]
    day_then = _day_as_it_was(errand, counter, day, at=at, is_past=is_past)
    window = queries.window_of(errand, at=at, source=source)
    for question, starts in rules.answers(day_then.cells, day, span=errand.span, window=window):
        reasons = list(_reasons(question, day_then, errand, day, cell, window, at=at))
        lines.append(Line(QUESTIONS[question], bool(starts >> cell & 1), reasons))
    return Explanation([*lines, *_set_up_line(set_up)])


@dataclass(frozen=True)
class SetUp:
    """A service as it was set up at a moment, and by whom."""

    service: Service
    counters: list[int]
    words: str = ""


def _as_it_is(service: Service) -> SetUp:
    return SetUp(service, list(service.counters.values_list("pk", flat=True)))


def _as_it_was(service: Service, *, at: datetime) -> SetUp | None:
    version = service.versions.filter(made_at__lte=at).first()
    if version is None:
        return None
    then = Service(pk=service.pk, code=service.code, division_id=service.division_id)
    for name in SETTINGS:
        value = version.settings.get(name, getattr(then, name))
        is_time = name in ("closes_at", "releases_at") and isinstance(value, str)
        setattr(then, name, time.fromisoformat(value) if is_time else value)
    by = version.made_by or "導入時の設定"
    words = f"この時点の設定は、{_when(version.made_at)}のものです（{by}）。"
    return SetUp(then, version.counters, words)


def _set_up_line(set_up: SetUp) -> list[Line]:
    return [Line("手続きの設定", True, [set_up.words])] if set_up.words else []


@dataclass(frozen=True)
class DayThen:
    """A counter's day with everything that made it what it was."""

    cells: rules.Cells
    openings: list[OpeningRule]
    office: calendar.OfficeDay
    taken: list[tuple[int, str]]  # cells, words


def _day_as_it_was(
    errand: Errand, counter: Counter, day: date, *, at: datetime, is_past: bool
) -> DayThen:
    in_force = OpeningRule.objects.filter(counter=counter).select_related("service")
    if not is_past:
        openings = list(in_force.in_force())
        [office] = office_days(site=counter.site, first=day, last=day)
        return DayThen(
            queries.cells_of(errand, counter, day), openings, office, _taken_now(counter, day)
        )
    openings = list(in_force.in_force_at(at))
    office = _office_day_at(counter.site, day, at=at)
    opened = 0
    if office.hours is not None:
        opened = rules.opening_mask(
            [rule.opening for rule in openings],
            day,
            hours=office.hours,
            service=errand.main.pk,
        )
    busy = online = 0
    places = _places_at(counter, day, at=at)
    for place in places:
        busy |= place.mask
        online |= place.mask if place.is_online else 0
    return DayThen(rules.Cells(opened, busy, online), openings, office, _words_of(places))


def _places_at(counter: Counter, day: date, *, at: datetime) -> list[AppointmentPlace]:
    stood = AppointmentPlace.objects.filter(counter=counter, day=day, taken_at__lte=at)
    gone = stood.filter(left_at__lte=at).values("pk")
    return list(stood.exclude(pk__in=gone).select_related("appointment"))


def _taken_now(counter: Counter, day: date) -> list[tuple[int, str]]:
    standing = AppointmentPlace.objects.filter(counter=counter, day=day, left_at=None)
    first = rules.start_of(day, 0)
    holds = Hold.objects.filter(counter=counter, start__range=(first, first + timedelta(days=1)))
    return [
        *_words_of(standing.select_related("appointment")),
        *((hold.mask, f"入力中の方が{_when(hold.until)}まで押さえています。") for hold in holds),
    ]


def _words_of(places: Iterable[AppointmentPlace]) -> list[tuple[int, str]]:
    return [
        (
            place.mask,
            f"予約 {place.appointment.shown_number} が入っています"
            f"（{_when(place.taken_at)}に受け付け）。",
        )
        for place in places
    ]


def _office_day_at(site: Site, day: date, *, at: datetime) -> calendar.OfficeDay:
    """
    Return the site's day as it stood then: the trail keeps every change of hours.

    Later changes of the site are undone one by one; of the day's exceptions the last one
    entered by then counts.
    """
    changes = AuditEvent.objects.filter(
        verb="site.change", target_label="offices.Site", target_key=str(site.pk), at__gt=at
    )
    then = Site(pk=site.pk)
    for name in HOURS:
        setattr(then, name, getattr(site, name))
    for event in changes.order_by("-id"):
        for name, (before, _) in event.detail.get("changes", {}).items():
            if name in HOURS:
                is_time = isinstance(before, str)
                setattr(then, name, time.fromisoformat(before) if is_time else before)
    return calendar.office_day(
        day, regular=regular_hours(then), exceptions=_exceptions_at(site, day, at=at)
    )


HOURS = (
    "opens_at",
    "closes_at",
    "closed_day_opens_at",
    "closed_day_closes_at",
    "is_open_at_year_end",
)


def _exceptions_at(site: Site, day: date, *, at: datetime) -> dict[date, calendar.SingleDay]:
    entered = AuditEvent.objects.filter(verb__in=("opening_day.set", "opening_day.clear"))
    of_day = [
        event
        for event in entered.order_by("id")
        if (event.detail["site"], event.detail["on"]) == (site.pk, str(day))
    ]
    until_then = [event for event in of_day if event.at <= at]
    if not of_day:  # entered without the trail, at the set-up: it has always been there
        row = site.opening_days.filter(on=day).first()
        if row is None:
            return {}
        pair = (
            None
            if row.opens_at is None or row.closes_at is None
            else (row.opens_at, row.closes_at)
        )
        return {day: calendar.SingleDay(pair, row.reason)}
    if not until_then or until_then[-1].verb == "opening_day.clear":
        return {}
    event = until_then[-1]
    opens, closes = event.detail["hours"]
    hours = (time.fromisoformat(opens), time.fromisoformat(closes)) if opens else None
    reason = event.detail.get("reason", "開庁日の例外")
    return {day: calendar.SingleDay(hours, f"{reason}。{_when(event.at)}に{event.actor}が登録")}


def _reasons(
    question: Question,
    day_then: DayThen,
    errand: Errand,
    day: date,
    cell: int,
    window: rules.Window,
    *,
    at: datetime,
) -> Iterator[str]:
    wanted, cells = errand.span.at(cell), day_then.cells
    match question:
        case Question.HOURS:
            yield from _hours_in_words(day_then, errand, day, wanted)
        case Question.TAKEN:
            found = [words for mask, words in day_then.taken if mask & wanted]
            yield from found or ["この時間に、予約も仮押さえもありません。"]
        case Question.TOO_SOON:
            yield f"{_when(window.earliest)}以後の枠を受け付けます（{_when(at)}の時点）。"
        case Question.NOT_RELEASED:
            last_day = wareki(window.last_day, weekday=True)
            yield f"{last_day}までの日を受け付けます（{_when(at)}の時点）。"
        case Question.BOOKING_SHARE:
            yield _share_in_words(cells.busy & cells.open, cells, errand, window.booking_share)
        case Question.ONLINE_SHARE:
            yield _share_in_words(cells.online & cells.open, cells, errand, window.online_share)


def _hours_in_words(day_then: DayThen, errand: Errand, day: date, wanted: int) -> Iterator[str]:
    office = day_then.office
    if office.hours is None:
        yield f"{wareki(day, weekday=True)}は庁舎が閉まっています（{office.words}）。"
    else:
        inside = wanted & ~rules.period_mask(*office.hours) == 0
        yield (
            f"庁舎は{_span(*office.hours)}に開いています（{office.words}）。"
            f"{'' if wanted and inside else '用件の全部が、この中に入りません。'}"
        )
    openings = [rule.opening for rule in day_then.openings]
    decided = rules.ruling(openings, day, service=errand.main.pk)
    for rule in day_then.openings:
        yield f"{_rule_in_words(rule)}：{_say_of(rule, decided, errand, day, wanted)}"
    if not day_then.openings:
        yield "この窓口には、受付時間の決まりがありません。"


def _rule_in_words(rule: OpeningRule) -> str:
    kind = "休止" if rule.is_closure else "特別な受付時間" if rule.is_exception else "受付時間"
    note = f"「{rule.note}」" if rule.note else ""
    return f"{kind}{note} {rule}（{_when(rule.made_at)}に{rule.made_by}が登録）"


def _say_of(
    rule: OpeningRule, decided: rules.Ruling, errand: Errand, day: date, wanted: int
) -> str:
    opening = rule.opening
    if opening.service not in (None, errand.main.pk):
        return "ほかの手続きだけの決まりです。"
    absence = opening.absence(day)
    if absence is not None:
        return f"{rules.ABSENCE_LABELS[absence]}。"
    if opening in decided.overruled:
        return "この日は例外の決まりがあるため、使われません。"
    if opening.is_closure:
        return (
            "この時間を休みにしています。"
            if opening.mask & wanted
            else "この時間は休みではありません。"
        )
    if wanted and opening.mask & wanted == wanted:
        return "この時間を開けています。"
    lunch = rules.touched_mask(*opening.lunch) if opening.lunch else 0
    return "昼休みにかかります。" if lunch & wanted else "この時間の全部は開けていません。"


def _share_in_words(taken: int, cells: rules.Cells, errand: Errand, share: int) -> str:
    if share == 100:
        return "枠の制限はありません。"
    minutes = rules.CELL_MINUTES
    capacity = cells.open.bit_count() * minutes * share // 100
    return (
        f"1日の受付時間の{share}％（{capacity}分）まで。すでに{taken.bit_count() * minutes}分が"
        f"予約済みで、この用件には{errand.span.total * minutes}分が要ります。"
    )


def _when(moment: datetime) -> str:
    local = moment.astimezone(rules.JST)
    return f"{wareki(local.date())} {local.hour}:{local:%M}"


def _span(opens: time, closes: time) -> str:
    return f"{opens.hour}:{opens:%M}–{closes.hour}:{closes:%M}"
