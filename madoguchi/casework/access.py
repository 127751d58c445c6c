"""
Who reaches which case.

The centre sees every case, a division its own and those it was asked about, an outside body
only the request itself. A restricted case (限定案件) is seen by the people who work on it and
by the head of the centre. Whoever may not see a case is told that there is none (404); whoever
may only read it, that it is not theirs to change (403). A closed case is read, not changed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.shortcuts import get_object_or_404

from madoguchi.audit import actions as audit
from madoguchi.casework import index, queries, rules
from madoguchi.casework.models import (
    Case,
    CaseQuerySet,
    Closure,
    Contact,
    Handover,
    HandoverQuerySet,
    Involvement,
    JointMeeting,
    SurveyReply,
)
from madoguchi.foundation.limits import Limit
from madoguchi.residents import queries as residents
from madoguchi.residents.models import Resident
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role, Verb

# From one address. Twelve digits with a check digit are not guessed in twenty; a library's
# visitors each type theirs once.
SURVEY_CODE = Limit(name="survey_code", times=20, span=timedelta(minutes=10))
# One program: a busy mail intake writes some a second, a report reads page after page.
API_WRITES = Limit(name="api_writes", times=6_000, span=timedelta(minutes=1))
API_READS = Limit(name="api_reads", times=1_200, span=timedelta(minutes=1))
WRONG_TOKENS = Limit(name="wrong_tokens", times=30, span=timedelta(minutes=10))
MOST_PAGES = 1_000_000
MOST_OPEN = 10_000  # cases one person works on at the same time
SHOWN = (
    *("number", "received_at", "title", "kind", "channel", "status", "due_on", "is_sensitive"),
    *("resident__name", "category__name", "category__code", "owner__name", "owner__code"),
)


class CasePage:
    """One page of a case list; the rows are asked for once more under `visible_cases`."""

    def __init__(self, found: index.Found, visible: CaseQuerySet, *, page: Any, size: int) -> None:
        self.count, self.is_counted = found.count()
        self.size = size
        wanted = int(page) if str(page).isascii() and str(page).isdigit() else 1
        wanted = min(max(wanted, 1), MOST_PAGES)
        if self.is_counted:
            wanted = min(wanted, self.pages)
        ids = found.ids((wanted - 1) * size, wanted * size + 1)
        self.has_next = len(ids) > size
        self.number = wanted
        rows = visible.select_related("resident", "category", "owner").only(*SHOWN)
        listed = rows.in_bulk(ids[:size])
        self.object_list = [listed[pk] for pk in ids[:size] if pk in listed]
        if not self.is_counted:
            self.count = max(self.count, len(found.checked))
            self.is_counted = found.is_read

    def __iter__(self) -> Iterator[Case]:
        return iter(self.object_list)

    def __len__(self) -> int:
        return len(self.object_list)

    @property
    def pages(self) -> int:
        return max(1, -(-self.count // self.size))

    @property
    def count_shown(self) -> str:
        return f"{self.count:,}"

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def previous(self) -> int:
        return self.number - 1

    @property
    def next(self) -> int:
        return self.number + 1

    @property
    def start(self) -> int:
        return (self.number - 1) * self.size + 1

    @property
    def end(self) -> int:
        return self.start + len(self.object_list) - 1


def visible_cases(user: User) -> CaseQuerySet:
    """Return the cases the user may know of."""
    cases: CaseQuerySet = Case.objects.all()
    if not user.may(Verb.READ_CASES) or user.division.is_outside:
        return cases.none()
    return cases.filter(_within_reach(user))


def _within_reach(user: User, *, case: str = "") -> Q:
    """
    Return the condition on a case, or on what belongs to one (`case` "case__").

    Written along the row, never as a list of cases: such a list may be a million long.
    """
    pk = case.removesuffix("__") or "pk"
    seen = Q(**{f"{pk}__isnull": False})  # to begin with, all: an empty Q would vanish in an OR
    if not user.is_centre:
        asked = Handover.objects.filter(case=OuterRef(pk), to=user.division)
        asked = asked.exclude(state__in=rules.REFUSED)
        seen &= Q(**{f"{case}owner": user.division_id}) | Q(Exists(asked))
    if not (user.role == Role.CENTRE_HEAD and user.is_centre):
        seen &= Q(**{f"{case}is_sensitive": False}) | Q(_involves(user, pk))
    return seen


def reach(user: User) -> tuple[frozenset[str], ...]:
    """Return `visible_cases` in the marks of the index: of each set the case has one at least."""
    if not user.may(Verb.READ_CASES) or user.division.is_outside:
        return (frozenset(),)
    asked = () if user.is_centre else (frozenset({f"m:v:{user.division_id}"}),)
    if user.role == Role.CENTRE_HEAD and user.is_centre:
        return asked
    return (*asked, frozenset({"m:p", f"m:u:{user.pk}"}))


def cases_found(user: User, wanted: Mapping[str, Any]) -> CaseQuerySet:
    """Return all the cases of a list, by its definition: for a file, not for a page."""
    names = user.may(Verb.REVEAL_ADDRESS)
    index.waiting()
    return queries.cases_found(visible_cases(user), wanted, finds_hidden_names=names)


def cases_page(user: User, wanted: Mapping[str, Any], *, page: Any, size: int) -> CasePage:
    """Return one page of the cases the user may know of, narrowed to what is wanted."""
    names = user.may(Verb.REVEAL_ADDRESS)
    visible = visible_cases(user)

    def found_waiting(ids: Sequence[int]) -> Iterable[int]:
        defined = queries.cases_found(visible, wanted, finds_hidden_names=names).order_by()
        for start in range(0, len(ids), 10_000):
            part = ids[start : start + 10_000]
            yield from defined.filter(pk__in=part).values_list("pk", flat=True)

    asked = queries.sought(wanted, reach=reach(user), finds_hidden_names=names)
    found = index.find(asked, found_waiting=found_waiting)
    return CasePage(found, visible, page=page, size=size)


def own_open_cases(user: User) -> CaseQuerySet:
    """Return the open cases the user works on, the most urgent first."""
    marks = (*reach(user), frozenset({f"m:u:{user.pk}"}), queries.OPEN_MARKS)
    own = queries.open_cases_of(visible_cases(user), user)
    found = index.find(
        index.Sought(marks=marks),
        found_waiting=lambda ids: own.filter(pk__in=ids).values_list("pk", flat=True),
    )
    return own.filter(pk__in=found.ids(0, MOST_OPEN))


def case_to_read(user: User, number: str, *, at: datetime) -> Case:
    """Return the case, or 404, and note in the trail that it was read."""
    case = _case(user, number)
    note_reading(user, case, at=at)
    return case


def case_to_change(user: User, number: str) -> Case:
    """
    Return an open case of the user's to change; 404 unknown, 403 somebody else's or closed.

    A page that shows it notes so itself (`note_reading`): opened, or sent back with an error.
    """
    case = _case(user, number)
    if not is_in_charge(user, case) or case.is_closed:
        raise PermissionDenied
    return case


def case_after_closing(user: User, number: str) -> Case:
    """Return a closed case of the user's: to reopen it, print its survey or learn from it."""
    case = _case(user, number)
    if not is_in_charge(user, case) or not case.is_closed:
        raise PermissionDenied
    return case


def is_in_charge(user: User, case: Case) -> bool:
    """Say whether the user may write to the case while it is open."""
    return user.may(Verb.WRITE_CASES) and (user.is_centre or case.owner_id == user.division_id)


def was_just_closed(user: User, number: str, *, key: str) -> bool:
    """Say whether this very form of the user's has closed the case already: a second press."""
    try:
        form = UUID(key)
    except ValueError:
        return False
    return Closure.objects.filter(case__number=number, closed_by=user, key=form).exists()


def contact_to_correct(case: Case, contact_id: int) -> Contact:
    return get_object_or_404(case.contacts.select_related("case", "by"), pk=contact_id)


def meeting_to_end(case: Case, meeting_id: int) -> JointMeeting:
    return get_object_or_404(case.meetings.select_related("case"), pk=meeting_id)


def visible_handovers(user: User) -> HandoverQuerySet:
    """Return the requests the user may know of: asked by the centre, or asked of the division."""
    handovers: HandoverQuerySet = Handover.objects.select_related(
        "case__resident", "case__category", "to", "room", "asked_by__division", "accepted_by"
    )
    if not user.may(Verb.READ_CASES):
        return handovers.none()
    asked = Q(to=user.division) & (Q(case__is_sensitive=False) | _involves(user, "case"))
    if user.division.is_outside:
        return handovers.filter(asked)
    return handovers.filter(asked | _within_reach(user, case="case__"))


def requests_asked(user: User) -> HandoverQuerySet:
    """Return the requests that wait for the user's own division."""
    return visible_handovers(user).filter(to=user.division)


def handover_to_read(user: User, handover_id: int, *, at: datetime) -> Handover:
    """Return the request, or 404, and note in the trail that its case was read."""
    handover = get_object_or_404(visible_handovers(user), pk=handover_id)
    note_reading(user, handover.case, at=at, handover=handover.pk)
    return handover


def handover_to_answer(user: User, handover_id: int) -> Handover:
    """
    Return a request the user may accept, decline or report on; 404 unknown, 403 not theirs.

    An outside body without a screen of its own answers by telephone: the centre enters it.
    """
    handover = get_object_or_404(visible_handovers(user), pk=handover_id)
    if not may_answer(user, handover) or handover.case.is_closed:
        raise PermissionDenied
    return handover


def may_answer(user: User, handover: Handover) -> bool:
    own = handover.to_id == user.division_id and user.may(Verb.ANSWER_REQUESTS)
    for_outside = handover.to.is_outside and user.is_centre and user.may(Verb.ASK_DIVISIONS)
    return own or for_outside


def handover_to_withdraw(user: User, handover_id: int) -> Handover:
    """Return a request of a case in the user's charge; 404 unknown, 403 not theirs or closed."""
    handover = get_object_or_404(visible_handovers(user), pk=handover_id)
    if not may_withdraw(user, handover):
        raise PermissionDenied
    return handover


def may_withdraw(user: User, handover: Handover) -> bool:
    is_theirs = is_in_charge(user, handover.case) and user.may(Verb.ASK_DIVISIONS)
    return is_theirs and handover.is_outstanding and not handover.case.is_closed


def overdue_handovers(user: User, *, on: date) -> QuerySet[Handover]:
    """Return the requests whose record is late, as far as the user may know of them."""
    return visible_handovers(user).overdue(on=on).order_by("due_on", "pk")


def survey_by_token(token: str) -> Closure:
    """Return the closure whose survey the link opens, or 404."""
    return get_object_or_404(Closure, survey_token=token)


def check_survey_open(closure: Closure, *, at: datetime) -> None:
    """:raises SurveyClosed: it was answered, or the time is over."""
    is_answered = SurveyReply.objects.filter(closure=closure).exists()
    rules.check_survey(closed_at=closure.closed_at, is_answered=is_answered, at=at)


def survey_by_code(code: str) -> Closure | None:
    return Closure.objects.filter(survey_code=code).first()


def candidates(
    user: User, wanted: Mapping[str, str], *, at: datetime, limit: int = 10
) -> list[Resident]:
    """
    Return who this may be, whatever the spelling; the trail keeps whose names were shown.

    `wanted` holds what is known of name, kana and phone.
    """
    if not user.may(Verb.READ_RESIDENTS):
        return []
    found = residents.find_matches(**wanted)
    people = list(found.prefetch_related("accommodations")[:limit])
    if people:
        note_list("resident.list", user, (person.pk for person in people), at=at)
    return people


def note_list(verb: str, user: User, ids: Iterable[int], *, at: datetime) -> None:
    """Note in the trail which rows a list showed."""
    audit.record(verb=verb, actor=user.get_username(), at=at, detail={"ids": sorted(ids)})


def may_follow_case(user: User, number: str) -> bool:
    """Say whether an open screen may be told that something changed in the case."""
    return visible_cases(user).filter(number=number).exists()


def _case(user: User, number: str) -> Case:
    cases = visible_cases(user).select_related(
        "resident",
        "category",
        "owner",
        "received_by",
        "changed_by",
        "closed_by",
        "visit__appointment",
    )
    return get_object_or_404(cases, number=number)


def _involves(user: User, case: str) -> Exists:
    return Exists(Involvement.objects.filter(case=OuterRef(case), user=user))


def note_reading(user: User, case: Case, *, at: datetime, **detail: int) -> None:
    """Note in the trail that a page shows the case; `detail` says as part of what."""
    audit.record(
        verb="case.read",
        target=case,
        key=case.number,
        person=case.resident_id,
        actor=user.get_username(),
        at=at,
        detail=detail,
    )
