"""What waits for whom: the questions of the today desk."""

import re
from dataclasses import dataclass, field
from datetime import datetime

from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from madoguchi.booking.models import Appointment
from madoguchi.casework import access as casework
from madoguchi.casework import queries as casework_queries
from madoguchi.casework.models import Case, Handover
from madoguchi.casework.rules import HandoverState
from madoguchi.knowledge import access as knowledge
from madoguchi.knowledge.models import Faq
from madoguchi.reception.models import Visit
from madoguchi.reception.rules import VisitStatus
from madoguchi.residents.models import Resident
from madoguchi.rota import access as rota
from madoguchi.rota import queries as rota_queries
from madoguchi.rota.access import AbsenceShown
from madoguchi.rota.models import SwapRequest
from madoguchi.rota.queries import DutyToday
from madoguchi.staff.models import Draft, User
from madoguchi.staff.rules import Verb

SHOWN = 10  # of each kind; the rest is one click away
_DRAFTS = (
    (re.compile(r"^case\.new$"), "案件の受理", "casework:receive"),
    (re.compile(r"^case\.([A-Z]\d+-\d+)\.record$"), "相談記録票 {}", "casework:write_record"),
    (re.compile(r"^case\.([A-Z]\d+-\d+)\.request$"), "所管課への依頼 {}", "casework:ask_division"),
    (re.compile(r"^case\.([A-Z]\d+-\d+)\.closing$"), "案件の終了 {}", "casework:close"),
    (re.compile(r"^handover\.(\d+)\.record$"), "対応記録", "casework:return_record"),
    (re.compile(r"^faq\.new$"), "よくある質問", "knowledge:draft"),
    (re.compile(r"^faq\.([^/]+)$"), "よくある質問 {}", "knowledge:edit"),
)


@dataclass(frozen=True)
class DraftLeft:
    """A form somebody began to fill in and has not sent."""

    label: str
    url: str
    saved_at: datetime


@dataclass
class Today:
    """Everything that waits for one person; what the role does not do stays empty."""

    visits: list[Visit] = field(default_factory=list)
    waiting: int | None = None
    requests: list[Handover] = field(default_factory=list)
    overdue: list[Handover] = field(default_factory=list)
    answered: list[Case] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    faqs: list[Faq] = field(default_factory=list)
    drafts: list[DraftLeft] = field(default_factory=list)
    duty: DutyToday | None = None
    swaps: list[SwapRequest] = field(default_factory=list)
    away: list[AbsenceShown] = field(default_factory=list)

    shown: int = SHOWN  # a list of this length may go on

    @property
    def case_ids(self) -> set[int]:
        shown = {case.pk for case in (*self.cases, *self.answered)}
        return shown | {row.case_id for row in (*self.requests, *self.overdue)}


def today(user: User, *, at: datetime) -> Today:
    """Return what waits for the user now, each list the most urgent first."""
    day = timezone.localdate(at)
    desk = Today(drafts=drafts_left(user))
    if user.may(Verb.CALL_VISITS):
        visits = Visit.objects.filter(on=day).select_related("service", "counter")
        desk.visits = list(visits.at_a_counter().filter(officer=user).order_by("called_at"))
        ours = visits.waiting().filter(service__counters__division=user.division)
        desk.waiting = ours.distinct().count()  # a service may have several of our counters
    if user.may(Verb.RECEIVE_VISITS):
        desk.waiting = Visit.objects.filter(on=day, status=VisitStatus.WAITING).count()
    if user.may(Verb.ANSWER_REQUESTS):
        requests = casework_queries.requests_waiting(casework.requests_asked(user))
        desk.requests = list(requests[:SHOWN])
    if user.may(Verb.ANSWER_REQUESTS) or user.may(Verb.ASK_DIVISIONS):
        desk.overdue = list(casework.overdue_handovers(user, on=day)[:SHOWN])
    if user.may(Verb.WRITE_CASES):
        mine = casework.own_open_cases(user)
        desk.answered = list(
            mine.filter(handovers__state=HandoverState.RETURNED).distinct()[:SHOWN]
        )
        answered = {case.pk for case in desk.answered}
        desk.cases = [case for case in mine[: 2 * SHOWN] if case.pk not in answered][:SHOWN]
    if user.may(Verb.APPROVE_FAQ):
        faqs = knowledge.visible_faqs(user).to_approve().exclude(author=user)
        proposed = faqs.order_by("proposed_at", "pk")
        desk.faqs = [faq for faq in proposed if knowledge.may_approve(user, faq)][:SHOWN]
    if user.may(Verb.READ_ROTA):
        desk.duty = rota_queries.own_today(user, on=day)
        desk.swaps = rota.swaps_waiting(user)
        desk.away = rota.absences_near(user, on=day)
    return desk


def drafts_left(user: User) -> list[DraftLeft]:
    """Return the forms the user began and has not sent, the newest first."""
    found = []
    for draft in Draft.objects.filter(user=user).order_by("-saved_at"):
        for pattern, label, name in _DRAFTS:
            if match := pattern.match(draft.form):
                try:
                    url = reverse(name, args=match.groups())
                except NoReverseMatch:
                    continue
                found.append(DraftLeft(label.format(*match.groups()), url, draft.saved_at))
                break
    return found


@dataclass(frozen=True)
class History:
    """What one person came for, newest first."""

    appointments: list[Appointment]
    visits: list[Visit]
    cases: list[Case]


def history(resident: Resident, user: User) -> History:
    """Return the appointments, visits and cases of one person, as far as the user may know."""
    appointments = Appointment.objects.filter(resident=resident).select_related("service")
    visits = Visit.objects.filter(resident=resident).select_related("service", "site")
    cases = casework.visible_cases(user).filter(resident=resident)
    return History(
        appointments=list(appointments.order_by("-start")),
        visits=list(visits.order_by("-arrived_at")),
        cases=list(cases.select_related("category", "owner").order_by("-received_at")),
    )
