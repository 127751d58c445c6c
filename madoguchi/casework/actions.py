import secrets
from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from madoguchi.audit import actions as audit
from madoguchi.casework import index, queries, rules
from madoguchi.casework.models import (
    Case,
    Category,
    Closure,
    Contact,
    Handover,
    Involvement,
    JointMeeting,
    RecordTerm,
    Revision,
    SurveyReply,
    SurveyScore,
    Worry,
)
from madoguchi.foundation import live
from madoguchi.foundation.dates import fiscal_year
from madoguchi.foundation.numbering import next_number
from madoguchi.knowledge import actions as knowledge
from madoguchi.knowledge.models import Faq
from madoguchi.messaging import actions as messaging
from madoguchi.messaging.models import OutboundMessage
from madoguchi.offices.models import Division, Room
from madoguchi.offices.rules import closed_day_reason
from madoguchi.reception import actions as reception
from madoguchi.reception.models import Visit
from madoguchi.residents import actions as residents
from madoguchi.residents.models import Resident
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role


@transaction.atomic
def receive(
    *,
    kind: str,
    channel: str,
    category: Category,
    title: str,
    summary: str,
    resident: Resident | None,
    owner: Division,
    by: User,
    at: datetime,
    visit: Visit | None = None,
    key: UUID | None = None,
    newcomer: Mapping[str, str] | None = None,
    tells_division: bool = False,
) -> Case:
    """
    Open a case under the next number of the fiscal year.

    A `newcomer` (name, kana, phone) is entered into the register as the one it is about. Nobody
    sits before the screen when a program opens it: `tells_division` by mail, without the matter.

    The same `key` again, by the same person, returns the case it opened the first time: a form
    sent twice opens one case. A category that is confidential by nature (DV) restricts the case.
    """
    if found := Case.objects.filter(key=key, received_by=by).first() if key else None:
        return found
    try:
        with transaction.atomic():  # a lost race gives its number back
            on = timezone.localdate(at)
            number = next_number(series="case", year=fiscal_year(on))
            if newcomer is not None and resident is None:
                resident = _register(newcomer, by=by, at=at)
            case = Case.objects.create(
                number=rules.case_number(on=on, number=number),
                key=key,
                kind=kind,
                channel=channel,
                category=category,
                title=title,
                summary=summary,
                resident=resident,
                owner=owner,
                is_sensitive=category.code in rules.SENSITIVE_CATEGORIES,
                received_at=at,
                received_by=by,
                changed_at=at,
                changed_by=by,
                visit=visit,
                due_on=rules.answer_due_on(on),
            )
    except IntegrityError:
        if found := Case.objects.filter(key=key, received_by=by).first() if key else None:
            return found
        raise
    Involvement.objects.create(case=case, user=by, since_at=at, added_by=by)

    index.note_new(case, involved=by.pk)
    _tell_screens(case, "case.receive", at=at)
    if tells_division and owner.email:
        messaging.post(
            channel="mail",
            to=owner.email,
            subject=f"新しい案件 {case.number}",
            body="新しい案件が届きました。内容は、まどぐちの「案件」の画面で確認してください。",
            at=at,
            about=case.number,
        )
    audit.record(
        verb="case.receive",
        target=case,
        key=case.number,
        person=case.resident_id,
        actor=by.get_username(),
        at=at,
    )
    return case


@transaction.atomic
def receive_person(
    *,
    person: Resident | None,
    newcomer: Mapping[str, str] | None,
    kind: str,
    channel: str,
    category: Category,
    title: str,
    summary: str,
    owner: Division,
    by: User,
    at: datetime,
    key: UUID | None = None,
    tells_division: bool = False,
) -> Case:
    """
    Open a case and say whose it is: somebody known, a newcomer (name, kana, phone), or nobody.

    A form sent twice registers one person: the register's row comes and goes with the case's.
    """
    return receive(
        kind=kind,
        channel=channel,
        category=category,
        title=title,
        summary=summary,
        resident=person,
        owner=owner,
        by=by,
        at=at,
        key=key,
        newcomer=newcomer,
        tells_division=tells_division,
    )


@transaction.atomic
def open_from_visit(*, visit: Visit, by: User, at: datetime) -> Case:
    """Open the case of a visit, titled by what the visitor came for; once, however often asked."""
    visit = Visit.objects.select_for_update().get(pk=visit.pk)
    if found := Case.objects.filter(visit=visit).order_by("pk").first():
        return found
    category = Category.objects.filter(code="OTHER").first() or Category.objects.earliest("pk")
    return receive(
        kind=rules.Kind.CONSULTATION.value,
        channel=rules.Channel.COUNTER.value,
        category=category,
        title=visit.service.name,
        summary="",
        resident=visit.resident,
        owner=by.division,
        by=by,
        at=at,
        visit=visit,
    )


@transaction.atomic
def write_record(
    *,
    case: Case,
    version: int,
    kind: str,
    category: Category,
    title: str,
    summary: str,
    worries: Mapping[str, bool],
    channel: str,
    text: str,
    minutes: int,
    by: User,
    at: datetime,
    key: UUID | None = None,
) -> Case:
    """
    Save the whole consultation record sheet: the matter, and (if any) what was said and done.

    `worries` maps the code of a worry to whether it is the worst one.

    :raises EditConflict: somebody saved another text since the sheet was opened.
    :raises CaseClosed: the case is closed.
    """
    case = _lock(case)
    if key and Contact.objects.filter(key=key, by=by).exists():
        return case
    _describe(
        case,
        version=version,
        kind=kind,
        category=category,
        title=title,
        summary=summary,
        worries=worries,
        by=by,
        at=at,
    )
    if text:
        _add_contact(case, channel=channel, text=text, minutes=minutes, key=key, by=by, at=at)

    _tell(case, "case.write_record", at=at)
    _note("case.write_record", case, by=by, at=at)
    return case


@transaction.atomic
def write_contact(
    *,
    case: Case,
    channel: str,
    text: str,
    minutes: int,
    by: User,
    at: datetime,
    key: UUID | None = None,
) -> Contact:
    """
    Add one exchange with the resident to the case.

    :raises CaseClosed: the case is closed.
    """
    case = _lock(case)
    if found := Contact.objects.filter(key=key, by=by).first() if key else None:
        return found
    contact = _add_contact(
        case, channel=channel, text=text, minutes=minutes, key=key, by=by, at=at
    )

    _tell(case, "case.write_contact", at=at)
    _note("case.write_contact", case, by=by, at=at, contact=contact.pk)
    return contact


@transaction.atomic
def correct_contact(
    *, contact: Contact, text: str, minutes: int, reason: str, by: User, at: datetime
) -> Contact:
    """
    Put a corrected text beside the first one; both stay to be read.

    :raises CaseClosed: the case is closed.
    :raises StepNotAllowed: it was corrected already; correct the correction.
    """
    case = _lock(contact.case)
    _check_open(case)
    if Contact.objects.filter(corrects=contact).exists():
        raise rules.StepNotAllowed(
            "この記録は、ほかの人がすでに訂正しています。新しいほうの記録を訂正してください。"
        )
    correction = Contact.objects.create(
        case=case,
        channel=contact.channel,
        text=text,
        minutes=minutes,
        at=at,
        by=by,
        corrects=contact,
        correction_reason=reason,
    )
    _involve(case, by, by=by, at=at)

    _tell(case, "case.correct_contact", at=at)
    _note("case.correct_contact", case, by=by, at=at, contact=contact.pk)
    return correction


@transaction.atomic
def identify(*, case: Case, resident: Resident | None, by: User, at: datetime) -> Case:
    """
    Say whose case it is; None makes it anonymous again.

    :raises CaseClosed: the case is closed.
    """
    case = _lock(case)
    _check_open(case)
    case.resident = resident
    case.save(update_fields=["resident"])
    if case.visit is not None:
        reception.identify(visit=case.visit, resident=resident, by=by, at=at)

    _tell(case, "case.identify", at=at)
    _note("case.identify", case, by=by, at=at)
    return case


@transaction.atomic
def identify_person(
    *,
    case: Case,
    person: Resident | None,
    newcomer: Mapping[str, str] | None,
    by: User,
    at: datetime,
) -> Case:
    """
    Say whose case it is: somebody known, a newcomer (name, kana, phone), or nobody.

    :raises CaseClosed: the case is closed.
    """
    _check_open(_lock(case))
    if person is None and newcomer is not None:
        person = _register(newcomer, by=by, at=at)
    return identify(case=case, resident=person, by=by, at=at)


@transaction.atomic
def restrict(*, case: Case, is_sensitive: bool, reason: str, by: User, at: datetime) -> Case:
    """Restrict the case to the people who work on it, or open it to the centre again."""
    case = _lock(case)
    case.is_sensitive = is_sensitive
    case.save(update_fields=["is_sensitive"])
    _involve(case, by, by=by, at=at)

    _tell(case, "case.restrict", at=at)
    _note("case.restrict", case, by=by, at=at, reason=reason, is_sensitive=is_sensitive)
    return case


@transaction.atomic
def involve(*, case: Case, user: User, by: User, at: datetime) -> None:
    """Let one more colleague see and work on a restricted case."""
    case = _lock(case)
    _involve(case, user, by=by, at=at)

    _tell(case, "case.involve", at=at)
    _note("case.involve", case, by=by, at=at, user=user.pk)


@transaction.atomic
def pass_on(*, leaver: User, successor: User, by: User, at: datetime) -> tuple[int, int]:
    """
    Give the open matters of somebody who leaves the division to the successor.

    Return how many cases and how many requests changed hands. The leaver stays in the history
    of each case; whether they still see it is a matter of their new place.
    """
    cases = list(queries.to_pass_on(leaver).order_by("pk").only("pk", "number", "resident_id"))
    Involvement.objects.bulk_create(
        [Involvement(case=case, user=successor, since_at=at, added_by=by) for case in cases],
        ignore_conflicts=True,
    )
    requests = Handover.objects.outstanding().filter(officer=leaver).update(officer=successor)
    index.note(*(case.pk for case in cases))
    detail = {"from": leaver.pk, "to": successor.pk}
    audit.record_all(
        entries=[
            audit.Entry(
                verb="case.pass_on",
                actor=by.get_username(),
                at=at,
                target_label=Case._meta.label,
                key=case.number,
                person=case.resident_id,
                detail=detail,
            )
            for case in cases
        ]
    )
    return len(cases), requests


@transaction.atomic
def ask_division(
    *,
    case: Case,
    kind: str,
    to: Division,
    note: str,
    due_on: date,
    room: Room | None,
    by: User,
    at: datetime,
    officer: User | None = None,
    key: UUID | None = None,
) -> Handover:
    """
    Ask a division to come to the room, or to take the matter on, and tell it by mail.

    The mail says only that there is a request: the matter itself never leaves the house.

    :raises CaseClosed: the case is closed.
    :raises OfficerMissing: the case is restricted and nobody is named.
    :raises StepNotAllowed: the division was asked the same and has not finished.
    """
    case = _lock(case)
    if found := Handover.objects.filter(key=key, asked_by=by).first() if key else None:
        return found
    rules.check_step(rules.Status(case.status), rules.Status.HANDED_OVER)
    if case.is_sensitive and officer is None:
        raise rules.OfficerMissing(
            "限定案件です。部署全体には知らせません。担当する職員を一人、指定してください。"
        )
    if case.handovers.outstanding().filter(to=to, kind=kind).exists():
        raise rules.StepNotAllowed(f"{to.name}には、すでに同じ依頼をしています。")

    handover = case.handovers.create(
        key=key,
        kind=kind,
        to=to,
        officer=officer,
        note=note,
        due_on=due_on,
        room=room,
        asked_at=at,
        asked_by=by,
    )
    _move(case, rules.Status.HANDED_OVER)
    _involve(case, by, by=by, at=at)
    if officer is not None:
        _involve(case, officer, by=by, at=at)

    _tell(case, "handover.ask_division", at=at, handover=handover)
    if to.email:
        messaging.post(
            channel="mail",
            to=to.email,
            subject=f"{handover.get_kind_display()} {case.number}",
            body="新しい依頼があります。内容は、まどぐちの「依頼」の画面で確認してください。",
            at=at,
            about=case.number,
        )
    _note("case.ask_division", case, by=by, at=at, handover=handover.pk, to=to.pk)
    return handover


@transaction.atomic
def accept(
    *, handover: Handover, expected_at: datetime | None, by: User, at: datetime
) -> Handover:
    """
    Promise to come, or to take the matter on; `expected_at` is when the officer will be there.

    :raises StepNotAllowed: the request is not waiting for an answer.
    """
    case, handover = _lock_request(handover)
    _step(handover, rules.HandoverState.ACCEPTED)
    handover.accepted_at, handover.accepted_by = at, by
    handover.expected_at = expected_at
    handover.save(update_fields=["state", "accepted_at", "accepted_by", "expected_at"])
    _involve(case, by, by=by, at=at)

    _tell(case, "handover.accept", at=at, handover=handover)
    _note("case.accept", case, by=by, at=at, handover=handover.pk)
    return handover


@transaction.atomic
def decline(*, handover: Handover, reason: str, by: User, at: datetime) -> Handover:
    """
    Say that the division cannot come or is not in charge, and why.

    :raises StepNotAllowed: it has come, returned its record, or the request is withdrawn.
    """
    case, handover = _lock_request(handover)
    _step(handover, rules.HandoverState.DECLINED)
    handover.declined_at, handover.declined_by, handover.declined_reason = at, by, reason
    handover.save(update_fields=["state", "declined_at", "declined_by", "declined_reason"])
    _settle(case)

    _tell(case, "handover.decline", at=at, handover=handover)
    _note("case.decline", case, by=by, at=at, handover=handover.pk)
    return handover


@transaction.atomic
def withdraw(*, handover: Handover, reason: str, by: User, at: datetime) -> Handover:
    """
    Take the request back, and say why.

    :raises StepNotAllowed: it is answered, declined or withdrawn already.
    """
    case, handover = _lock_request(handover)
    _withdraw(handover, reason=reason, by=by, at=at)
    _settle(case)

    _tell(case, "handover.withdraw", at=at, handover=handover)
    _note("case.withdraw", case, by=by, at=at, handover=handover.pk)
    return handover


@transaction.atomic
def arrive(*, handover: Handover, by: User, at: datetime) -> JointMeeting:
    """
    The officer is in the room: the joint meeting begins, or one more sits down.

    :raises StepNotAllowed: the request is no 出向依頼, or not waiting for anybody.
    """
    case, handover = _lock_request(handover)
    _step(handover, rules.HandoverState.ARRIVED)
    handover.arrived_at, handover.arrived_by = at, by
    if handover.accepted_at is None:
        handover.accepted_at, handover.accepted_by = at, by
    handover.save(
        update_fields=["state", "arrived_at", "arrived_by", "accepted_at", "accepted_by"]
    )
    _involve(case, by, by=by, at=at)

    meeting = case.meetings.filter(ended_at=None).first() or case.meetings.create(
        room=handover.room, started_at=at, started_by=by
    )
    meeting.attendees.add(handover.asked_by, by)

    _tell(case, "handover.arrive", at=at, handover=handover)
    _note("case.arrive", case, by=by, at=at, handover=handover.pk, meeting=meeting.pk)
    return meeting


@transaction.atomic
def end_meeting(*, meeting: JointMeeting, by: User, at: datetime) -> JointMeeting:
    """
    Everybody gets up from the table.

    :raises StepNotAllowed: the meeting is over.
    """
    case = _lock(meeting.case)
    meeting = JointMeeting.objects.select_for_update().get(pk=meeting.pk)
    if meeting.ended_at is not None:
        raise rules.StepNotAllowed("この同席は、すでに終わっています。")
    meeting.ended_at, meeting.ended_by = max(at, meeting.started_at), by
    meeting.save(update_fields=["ended_at", "ended_by"])

    _tell(case, "case.end_meeting", at=at)
    _note("case.end_meeting", case, by=by, at=at, meeting=meeting.pk)
    return meeting


@transaction.atomic
def return_record(*, handover: Handover, outcome: str, by: User, at: datetime) -> Handover:
    """
    Bring the division's record back to the centre; with the last one the joint meeting is over.

    :raises StepNotAllowed: the request was not accepted, or is finished.
    """
    case, handover = _lock_request(handover)
    _step(handover, rules.HandoverState.RETURNED)
    handover.returned_at, handover.returned_by, handover.outcome = at, by, outcome
    handover.save(update_fields=["state", "returned_at", "returned_by", "outcome"])
    _involve(case, by, by=by, at=at)
    if not case.handovers.filter(state=rules.HandoverState.ARRIVED.value).exists():
        _end_meetings(case, by=by, at=at)
    _settle(case)

    _tell(case, "handover.return_record", at=at, handover=handover)
    _note("case.return_record", case, by=by, at=at, handover=handover.pk)
    return handover


def remind_missing_records(*, at: datetime) -> None:
    """
    督促: tell each division that records are past their date, once each ordinary weekday.

    The mail goes to the division and to its supervisors, and says how many, nothing more.
    """
    on = timezone.localdate(at)
    if closed_day_reason(on) is not None:
        return
    owing = Handover.objects.overdue(on=on).values("to")
    for division in Division.objects.filter(pk__in=owing).order_by("pk"):
        _remind(division, on=on, at=at)


@transaction.atomic
def _remind(division: Division, *, on: date, at: datetime) -> None:
    division = Division.objects.select_for_update().get(pk=division.pk)
    about = f"overdue.{division.pk}.{on:%Y%m%d}"
    late = list(division.handovers.overdue(on=on).order_by("pk").values_list("pk", flat=True))
    if not late or OutboundMessage.objects.filter(about=about).exists():
        return
    supervisors = division.staff.filter(role=Role.SUPERVISOR, is_active=True)
    addresses = {division.email, *supervisors.values_list("email", flat=True)} - {""}
    for address in sorted(addresses):
        messaging.post(
            channel="mail",
            to=address,
            subject=f"期限を過ぎた対応記録 {len(late)}件",
            body=f"{division.name}の対応記録のうち、{len(late)}件が提出期限を過ぎています。"
            "内容は、まどぐちの「期限を過ぎたもの」の画面で確認してください。",
            at=at,
            about=about,
        )
    if addresses:
        audit.record(
            verb="case.remind_missing_records",
            target=division,
            actor="system",
            at=at,
            detail={"handovers": late},
        )


@transaction.atomic
def close(
    *,
    case: Case,
    conclusion: str,
    result: str,
    reason: str,
    understanding: str,
    by: User,
    at: datetime,
    without_record_reason: str = "",
    key: UUID | None = None,
) -> Closure:
    """
    End the case, and make the invitation to the survey.

    A record still outstanding holds the case open, unless a reason is given: then the requests
    are withdrawn with that reason, so that nobody keeps waiting.

    :raises CaseClosed: it is closed already.
    :raises RecordOutstanding: a division owes its record and no reason was given.
    """
    case = _lock(case)
    if found := Closure.objects.filter(key=key, closed_by=by).first() if key else None:
        return found
    rules.check_step(rules.Status(case.status), rules.Status.CLOSED)
    outstanding = list(case.handovers.outstanding().select_related("to").select_for_update())
    if outstanding and not without_record_reason:
        names = "、".join(handover.to.name for handover in outstanding)
        raise rules.RecordOutstanding(
            f"{names}の対応記録がまだ返っていません。"
            "待たずに終了するときは、その理由を書いてください。"
        )

    for handover in outstanding:
        _withdraw(handover, reason=without_record_reason, by=by, at=at)
    _end_meetings(case, by=by, at=at)
    closure = case.closures.create(
        key=key,
        conclusion=conclusion,
        result=result,
        reason=reason,
        understanding=understanding,
        without_record_reason=without_record_reason if outstanding else "",
        closed_at=at,
        closed_by=by,
        survey_token=secrets.token_urlsafe(32),
        survey_code=_new_survey_code(),
    )
    case.status = rules.Status.CLOSED.value
    case.closed_at, case.closed_by = at, by
    case.save(update_fields=["status", "closed_at", "closed_by"])
    _involve(case, by, by=by, at=at)

    _tell(case, "case.close", at=at)
    for handover in outstanding:
        _tell_division(case, "handover.withdraw", handover, at=at)
    _note("case.close", case, by=by, at=at, closure=closure.pk)
    return closure


@transaction.atomic
def reopen(*, case: Case, reason: str, by: User, at: datetime) -> Case:
    """
    Take a closed case up again, and say why; how it was closed stays to be read.

    :raises StepNotAllowed: it is not closed.
    """
    case = _lock(case)
    if not case.is_closed:
        raise rules.StepNotAllowed("この案件は終了していません。")
    case.closures.filter(reopened_at=None).update(
        reopened_at=at, reopened_by=by, reopened_reason=reason
    )
    case.status = rules.Status.IN_PROGRESS.value
    case.closed_at, case.closed_by = None, None
    case.save(update_fields=["status", "closed_at", "closed_by"])
    _involve(case, by, by=by, at=at)

    _tell(case, "case.reopen", at=at)
    _note("case.reopen", case, by=by, at=at)
    return case


@transaction.atomic
def answer_survey(
    *,
    closure: Closure,
    scores: Mapping[str, int],
    comment: str,
    is_from_paper: bool,
    at: datetime,
) -> SurveyReply:
    """
    Keep what the resident says of us; once for each closure.

    :raises SurveyClosed: it was answered, or its ninety days are over.
    """
    closure = Closure.objects.select_for_update().get(pk=closure.pk)
    is_answered = SurveyReply.objects.filter(closure=closure).exists()
    rules.check_survey(closed_at=closure.closed_at, is_answered=is_answered, at=at)
    reply = SurveyReply.objects.create(
        closure=closure, comment=comment, is_from_paper=is_from_paper, at=at
    )
    SurveyScore.objects.bulk_create(
        SurveyScore(reply=reply, item=item, score=score) for item, score in scores.items()
    )

    audit.record(verb="survey.answer", target=reply, actor="resident", at=at)
    return reply


@transaction.atomic
def draft_faq(
    *, case: Case, question: str, answer: str, category: str, by: User, at: datetime
) -> Faq:
    """
    Make the draft of a FAQ from a closed case; the texts come masked and confirmed.

    :raises StepNotAllowed: the case is still open.
    """
    case = _lock(case)
    if not case.is_closed:
        raise rules.StepNotAllowed("FAQの下書きは、案件を終了してから作ります。")
    return knowledge.draft(
        question=question,
        answer=answer,
        category=category,
        division=case.owner,
        origin=case.number,
        by=by,
        at=at,
    )


@transaction.atomic
def save_category(
    *, category: Category | None, code: str, name: str, is_active: bool, by: User, at: datetime
) -> Category:
    """Name a field of consultation as the city does, or add one; the code stays comparable."""
    if category is None:
        category = Category(position=Category.objects.count() + 1)
    category.code, category.name, category.is_active = code, name, is_active
    category.save()

    audit.record(verb="category.save", target=category, actor=by.get_username(), at=at)
    return category


@transaction.atomic
def set_record_term(*, days: int, counts_closed_days: bool, by: User, at: datetime) -> RecordTerm:
    """Set how long divisions have for their records; requests already made keep their date."""
    term, _ = RecordTerm.objects.update_or_create(
        pk=1, defaults={"days": days, "counts_closed_days": counts_closed_days}
    )

    audit.record(verb="record_term.set", target=term, actor=by.get_username(), at=at)
    return term


def _register(newcomer: Mapping[str, str], *, by: User, at: datetime) -> Resident:
    return residents.register(
        name=newcomer["name"], kana=newcomer["kana"], phone=newcomer["phone"], by=by, at=at
    )


def _lock(case: Case) -> Case:
    return Case.objects.select_for_update().get(pk=case.pk)


def _lock_request(handover: Handover) -> tuple[Case, Handover]:
    """Lock the case, then the request: everybody in this order."""
    case = Case.objects.select_for_update().get(pk=handover.case_id)
    return case, Handover.objects.select_for_update().get(pk=handover.pk)


def _check_open(case: Case) -> None:
    rules.check_step(rules.Status(case.status), rules.Status.CLOSED)


def _move(case: Case, then: rules.Status) -> None:
    now = rules.Status(case.status)
    rules.check_step(now, then)
    if now is not then:
        case.status = then.value
        case.save(update_fields=["status"])


def _settle(case: Case) -> None:
    """Bring the status of the case in line with its requests; a closed case stays closed."""
    if case.is_closed:
        return
    states = case.handovers.values_list("state", flat=True)
    _move(case, rules.status_of(rules.HandoverState(state) for state in states))


def _step(handover: Handover, then: rules.HandoverState) -> None:
    rules.check_handover_step(
        rules.HandoverState(handover.state), then, kind=rules.HandoverKind(handover.kind)
    )
    handover.state = then.value


def _withdraw(handover: Handover, *, reason: str, by: User, at: datetime) -> None:
    _step(handover, rules.HandoverState.WITHDRAWN)
    handover.withdrawn_at, handover.withdrawn_by, handover.withdrawn_reason = at, by, reason
    handover.save(update_fields=["state", "withdrawn_at", "withdrawn_by", "withdrawn_reason"])


def _end_meetings(case: Case, *, by: User, at: datetime) -> None:
    for meeting in case.meetings.filter(ended_at=None):
        meeting.ended_at, meeting.ended_by = max(at, meeting.started_at), by
        meeting.save(update_fields=["ended_at", "ended_by"])


def _describe(
    case: Case,
    *,
    version: int,
    kind: str,
    category: Category,
    title: str,
    summary: str,
    worries: Mapping[str, bool],
    by: User,
    at: datetime,
) -> None:
    """Write down what the case is about; the former text is kept as a revision."""
    _check_open(case)
    written = (case.kind, case.category_id, case.title, case.summary, _worries(case))
    if written == (kind, category.pk, title, summary, dict(worries)):
        return
    if case.version != version:
        raise rules.EditConflict(
            "ほかの人が、先にこの記録を保存しました。下の「保存されている内容」と見比べて、"
            "もう一度「保存する」を押してください。あなたの入力は残っています。"
        )
    if (case.title, case.summary) != (title, summary):
        Revision.objects.create(
            case=case,
            version=case.version,
            title=case.title,
            summary=case.summary,
            at=at,
            by=by,
        )
    case.kind, case.category, case.title, case.summary = kind, category, title, summary
    if category.code in rules.SENSITIVE_CATEGORIES:
        case.is_sensitive = True
    case.version += 1
    case.changed_at, case.changed_by = at, by
    case.save()
    case.worries.all().delete()
    Worry.objects.bulk_create(
        Worry(case=case, code=code, is_worst=is_worst) for code, is_worst in worries.items()
    )
    _involve(case, by, by=by, at=at)


def _worries(case: Case) -> dict[str, bool]:
    return dict(case.worries.values_list("code", "is_worst"))


def _add_contact(
    case: Case,
    *,
    channel: str,
    text: str,
    minutes: int,
    key: UUID | None,
    by: User,
    at: datetime,
) -> Contact:
    _check_open(case)
    contact = Contact.objects.create(
        case=case, key=key, channel=channel, text=text, minutes=minutes, at=at, by=by
    )
    if case.status == rules.Status.RECEIVED:
        _move(case, rules.Status.IN_PROGRESS)
    _involve(case, by, by=by, at=at)
    return contact


def _involve(case: Case, user: User, *, by: User, at: datetime) -> None:
    Involvement.objects.get_or_create(
        case=case, user=user, defaults={"since_at": at, "added_by": by}
    )


def _new_survey_code() -> str:
    digits = f"{secrets.randbelow(10 ** (rules.SURVEY_CODE_DIGITS - 1)):011d}"
    return digits + rules.check_digit(digits)


def _tell(case: Case, kind: str, *, at: datetime, handover: Handover | None = None) -> None:
    """
    Bring the index up to date, and let every open screen that shows the case ask for its news.

    Every action on a case ends here, so that no list and no search is ever behind.
    """
    index.note(case.pk)
    _tell_screens(case, kind, at=at, handover=handover)


def _tell_screens(
    case: Case, kind: str, *, at: datetime, handover: Handover | None = None
) -> None:
    live.publish(topic=f"case.{case.number}", kind=kind, at=at, case=case.number)
    live.publish(topic=f"division.{case.owner_id}", kind=kind, at=at, case=case.number)
    if handover is not None:
        _tell_division(case, kind, handover, at=at)


def _tell_division(case: Case, kind: str, handover: Handover, *, at: datetime) -> None:
    topics = {f"division.{handover.to_id}", f"user.{handover.asked_by_id}"}
    for topic in sorted(topics - {f"division.{case.owner_id}"}):
        live.publish(topic=topic, kind=kind, at=at, case=case.number, handover=handover.pk)


def _note(
    verb: str, case: Case, *, by: User, at: datetime, reason: str = "", **detail: int | bool
) -> None:
    audit.record(
        verb=verb,
        target=case,
        key=case.number,
        person=case.resident_id,
        actor=by.get_username(),
        at=at,
        reason=reason,
        detail=detail,
    )
