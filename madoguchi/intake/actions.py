from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from madoguchi.audit import actions as audit
from madoguchi.casework import actions as casework
from madoguchi.casework.models import Case, Category
from madoguchi.casework.rules import Channel
from madoguchi.foundation import live
from madoguchi.foundation.dates import fiscal_year
from madoguchi.foundation.numbering import next_number
from madoguchi.intake import rules
from madoguchi.intake.models import Attachment, Message, Submission
from madoguchi.messaging import actions as messaging
from madoguchi.offices.models import City, Division
from madoguchi.staff.models import User


@transaction.atomic
def submit(
    *,
    kind: str,
    category: Category,
    text: str,
    name: str,
    phone: str,
    email: str,
    wants_reply: bool,
    key: UUID,
    at: datetime,
    files: Iterable[rules.File] = (),
) -> Submission:
    """
    Keep what a resident wrote; its code follows from the key, and is kept as a digest.

    The same `key` again returns what it kept the first time: a form sent twice is one matter.
    """
    if found := Submission.objects.filter(key=key).first():
        return found
    try:
        with transaction.atomic():  # a lost race gives its number back
            on = timezone.localdate(at)
            year = fiscal_year(on)
            number = rules.submission_number(
                on=on, number=next_number(series="submission", year=year)
            )
            code = rules.make_code(key=str(key), secret=settings.SECRET_KEY)
            submission = Submission.objects.create(
                number=number,
                code_digest=rules.code_digest(number=number, code=code),
                key=key,
                kind=kind,
                category=category,
                name=name,
                phone=phone,
                email=email,
                wants_reply=wants_reply,
                received_at=at,
            )
            message = Message.objects.create(submission=submission, key=key, text=text, at=at)
            _attach(message, files)
    except IntegrityError:
        if found := Submission.objects.filter(key=key).first():
            return found
        raise

    _tell(submission, "submission.submit", at=at)
    _note("submission.submit", submission, actor="resident", at=at)
    return submission


@transaction.atomic
def write_again(
    *,
    submission: Submission,
    text: str,
    key: UUID,
    at: datetime,
    files: Iterable[rules.File] = (),
) -> Message:
    """Add what the resident writes on the own page; after the end too, and staff hear of it."""
    submission = _lock(submission)
    if found := Message.objects.filter(key=key, submission=submission, by=None).first():
        return found
    message = Message.objects.create(submission=submission, key=key, text=text, at=at)
    _attach(message, files)

    _tell(submission, "submission.write_again", at=at)
    _note("submission.write_again", submission, actor="resident", at=at, message=message.pk)
    return message


@transaction.atomic
def take_up(
    *,
    submission: Submission,
    kind: str,
    category: Category,
    title: str,
    owner: Division,
    by: User,
    at: datetime,
) -> Case:
    """Open the case of a submission; once, however often asked."""
    submission = _lock(submission)
    if submission.case is not None:
        return submission.case
    case = casework.receive(
        kind=kind,
        channel=Channel.FORM.value,
        category=category,
        title=title,
        summary=_joined(submission.messages.all()),
        resident=None,
        owner=owner,
        by=by,
        at=at,
    )
    submission.case, submission.taken_at, submission.taken_by = case, at, by
    submission.save(update_fields=["case", "taken_at", "taken_by"])

    _tell(submission, "submission.take_up", at=at)
    _note("submission.take_up", submission, actor=by.get_username(), at=at)
    return case


@transaction.atomic
def reply(*, submission: Submission, text: str, key: UUID, by: User, at: datetime) -> Message:
    """
    Answer on the resident's page, and keep in the case what was asked since and answered.

    Whoever left an address is told by mail that there is news, and nothing of what about.

    :raises NotTakenUp: nobody has opened its case yet.
    :raises CaseClosed: the case is closed.
    """
    submission = _lock(submission)
    case = submission.case
    if case is None:
        raise rules.NotTakenUp("先に案件として受理してください。")
    if found := Message.objects.filter(key=key, submission=submission, by=by).first():
        return found
    asked = _unanswered(submission)
    message = Message.objects.create(submission=submission, key=key, text=text, at=at, by=by)
    casework.write_contact(
        case=case,
        channel=Channel.FORM.value,
        text=f"【市民から】\n{_joined(asked)}\n\n【返事】\n{text}"
        if asked
        else f"【返事】\n{text}",
        minutes=0,
        by=by,
        at=at,
        key=key,
    )
    if submission.email and submission.wants_reply:
        city = City.objects.first()
        messaging.post(
            channel="mail",
            to=submission.email,
            subject=f"{city.name if city else '窓口'}からのお知らせ",
            body="お知らせがあります。控えの番号と合言葉で、次のページを開いてください。\n"
            f"{settings.SITE_URL}{reverse('intake:open_page')}\n",
            at=at,
            about=case.number,
        )

    _tell(submission, "submission.reply", at=at)
    _note("submission.reply", submission, actor=by.get_username(), at=at, message=message.pk)
    return message


def _attach(message: Message, files: Iterable[rules.File]) -> None:
    Attachment.objects.bulk_create(
        Attachment(
            message=message,
            name=file.name,
            media_type=file.media_type,
            size=len(file.content),
            content=file.content,
        )
        for file in files
    )


def _lock(submission: Submission) -> Submission:
    return Submission.objects.select_for_update(of=("self",)).get(pk=submission.pk)


def _unanswered(submission: Submission) -> list[Message]:
    """Return what the resident wrote since the case's summary or the last answer was written."""
    ours = submission.messages.exclude(by=None).last()
    since = max(filter(None, (submission.taken_at, ours.at if ours else None)))
    return list(submission.messages.filter(by=None, at__gt=since))


def _joined(messages: Iterable[Message]) -> str:
    return "\n\n".join(message.text for message in messages)


def _tell(submission: Submission, kind: str, *, at: datetime) -> None:
    """Let the screens of the centre and of the case ask for their news."""
    for centre in Division.objects.filter(is_centre=True):
        live.publish(topic=f"division.{centre.pk}", kind=kind, at=at, submission=submission.number)
    if submission.case is not None:
        live.publish(
            topic=f"case.{submission.case.number}", kind=kind, at=at, submission=submission.number
        )


def _note(verb: str, submission: Submission, *, actor: str, at: datetime, **detail: int) -> None:
    audit.record(
        verb=verb,
        target=submission,
        key=submission.number,
        actor=actor,
        at=at,
        detail=detail,
    )
