"""
Who reaches what was written on the web.

The resident with the number and the code. Of the staff the centre, until it is a case; from
then on whoever may see the case. The trail keeps who read it.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from madoguchi.audit import actions as audit
from madoguchi.casework import access as casework
from madoguchi.foundation.limits import Limit
from madoguchi.intake import rules
from madoguchi.intake.models import Attachment, Message, Submission
from madoguchi.staff.models import User
from madoguchi.staff.rules import Verb

# From one address: a library's visitors write one after the other; nobody guesses 49 bits.
SUBMISSIONS = Limit(name="submissions", times=20, span=timedelta(minutes=10))
CODES = Limit(name="submission_codes", times=20, span=timedelta(minutes=10))
# On one number from everywhere.
CODES_OF_ONE = Limit(name="submission_codes_of_one", times=30, span=timedelta(hours=1))
MESSAGES = Limit(name="submission_messages", times=20, span=timedelta(minutes=10))


@dataclass(frozen=True)
class Memory:
    """What this browser was shown the code of, or opened with it; for so long."""

    cookie: str
    span: timedelta


RECEIPT = Memory("madoguchi_receipt", timedelta(minutes=5))
PAGE = Memory("madoguchi_page", timedelta(minutes=30))


def submission_by_code(number: str, code: str) -> Submission | None:
    """Return what number and code open; an unknown number and a wrong code are not told apart."""
    plain = rules.read(number)
    spelled = f"{plain[:-5]}-{plain[-5:]}"
    found = Submission.objects.filter(number=spelled).first()
    kept = found.code_digest if found else ""
    is_right = hmac.compare_digest(kept, rules.code_digest(number=spelled, code=code))
    return found if is_right else None


def remembered(request: HttpRequest, memory: Memory) -> Submission | None:
    """Return the submission that a signed cookie of this browser names."""
    pk = request.get_signed_cookie(
        memory.cookie, default="", salt=memory.cookie, max_age=memory.span
    )
    return Submission.objects.select_related("case").filter(pk=pk).first() if pk else None


def visible_submissions(user: User) -> QuerySet[Submission]:
    """
    Return what the user may know of, with who wrote last and when.

    `answered_by` is None where the resident wrote last.
    """
    rows = Submission.objects.select_related("category", "case__owner")
    if not user.may(Verb.READ_CASES):
        return rows.none()
    theirs = Q(Exists(casework.visible_cases(user).filter(pk=OuterRef("case"))))
    if user.is_centre:
        theirs |= Q(case=None)
    last = Message.objects.filter(submission=OuterRef("pk")).order_by("-at", "-pk")
    return rows.filter(theirs).annotate(
        answered_by=Subquery(last.values("by")[:1]), last_at=Subquery(last.values("at")[:1])
    )


def waiting(rows: QuerySet[Submission]) -> QuerySet[Submission]:
    """Of `visible_submissions` those that wait: for a case, for an answer, or after the end."""
    unanswered = Q(wants_reply=True, case__closed_at=None) | Q(last_at__gt=F("case__closed_at"))
    return rows.filter(Q(case=None) | (Q(answered_by=None) & unanswered))


def submission_to_read(user: User, number: str, *, at: datetime) -> Submission:
    """Return the submission, or 404, and note in the trail that it was read."""
    submission = get_object_or_404(visible_submissions(user), number=number)
    note_reading(user, submission, at=at)
    return submission


def submission_to_take_up(user: User, number: str) -> Submission:
    """Return a submission the user may make a case of; 404 unknown, 403 not theirs."""
    submission = get_object_or_404(visible_submissions(user), number=number)
    if not (user.is_centre and user.may(Verb.RECEIVE_CASES)):
        raise PermissionDenied
    return submission


def may_take_up(user: User, submission: Submission) -> bool:
    return submission.case is None and user.is_centre and user.may(Verb.RECEIVE_CASES)


def submission_to_answer(user: User, number: str) -> Submission:
    """Return a submission the user may answer; 404 unknown, 403 not theirs, closed or no case."""
    submission = get_object_or_404(visible_submissions(user), number=number)
    if not may_answer(user, submission):
        raise PermissionDenied
    return submission


def attachment_of(submission: Submission, attachment_id: int) -> Attachment:
    """Return a file of this submission, or 404."""
    return get_object_or_404(Attachment, message__submission=submission, pk=attachment_id)


def may_answer(user: User, submission: Submission) -> bool:
    case = submission.case
    return case is not None and casework.is_in_charge(user, case) and not case.is_closed


def note_reading(user: User, submission: Submission, *, at: datetime) -> None:
    """Note in the trail that a page shows what was written."""
    audit.record(
        verb="submission.read",
        target=submission,
        key=submission.number,
        actor=user.get_username(),
        at=at,
    )
