from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import transaction
from django.db.models import F, Max

from madoguchi.audit import actions as audit
from madoguchi.foundation.numbering import next_number
from madoguchi.knowledge import index
from madoguchi.knowledge.models import Faq, FaqVersion
from madoguchi.knowledge.rules import Status, publication, tables
from madoguchi.offices.models import Division
from madoguchi.staff.models import User


@transaction.atomic
def draft(
    *,
    question: str,
    answer: str,
    category: str,
    division: Division | None,
    by: User,
    at: datetime,
    asked: str = "",
    origin: str = "",
    review_on: date | None = None,
) -> Faq:
    """
    Write a new FAQ as a draft. `origin` is the number of the case it came from, "" for none.

    :raises TextMissing: question or answer is blank.
    """
    publication.check_text(question, answer)
    faq = Faq.objects.create(
        key=_free_key(),
        question=question,
        answer=answer,
        asked=asked,
        category=category,
        division=division,
        origin=origin,
        review_on=review_on,
        author=by,
        written_at=at,
    )
    audit.record(verb="faq.draft", target=faq, key=faq.key, actor=by.get_username(), at=at)
    return faq


@transaction.atomic
def edit(
    *,
    faq: Faq,
    question: str,
    answer: str,
    category: str,
    division: Division | None,
    by: User,
    at: datetime,
    asked: str = "",
    review_on: date | None = None,
) -> Faq:
    """
    Write the texts anew. Whoever wrote last is the author; what is public stays until approval.

    :raises StepNotAllowed: another step came first.
    :raises TextMissing: question or answer is blank.
    """
    publication.check_text(question, answer)
    faq = Faq.objects.select_for_update().get(pk=faq.pk)
    publication.check_step(Status(faq.status), Status.DRAFT)
    faq.question, faq.answer, faq.asked = question, answer, asked
    faq.category, faq.division, faq.review_on = category, division, review_on
    faq.status, faq.author, faq.written_at = Status.DRAFT.value, by, at
    faq.proposed_at = None
    faq.save()
    audit.record(verb="faq.edit", target=faq, key=faq.key, actor=by.get_username(), at=at)
    return faq


@transaction.atomic
def propose(*, faq: Faq, by: User, at: datetime) -> Faq:
    """
    Ask for the approval of a draft.

    :raises StepNotAllowed: it is not a draft.
    """
    faq = Faq.objects.select_for_update().get(pk=faq.pk)
    publication.check_step(Status(faq.status), Status.PROPOSED)
    faq.status, faq.proposed_at = Status.PROPOSED.value, at
    faq.save(update_fields=["status", "proposed_at"])
    audit.record(verb="faq.propose", target=faq, key=faq.key, actor=by.get_username(), at=at)
    return faq


@transaction.atomic
def send_back(*, faq: Faq, by: User, at: datetime, reason: str) -> Faq:
    """
    Return a proposed text to its author, who reads why.

    :raises StepNotAllowed: it is not proposed.
    """
    faq = Faq.objects.select_for_update().get(pk=faq.pk)
    publication.check_sending_back(Status(faq.status))
    faq.status, faq.proposed_at, faq.remark = Status.DRAFT.value, None, reason
    faq.save(update_fields=["status", "proposed_at", "remark"])
    audit.record(verb="faq.send_back", target=faq, key=faq.key, actor=by.get_username(), at=at)
    return faq


@transaction.atomic
def approve(*, faq: Faq, by: User, at: datetime) -> FaqVersion:
    """
    Make the proposed text public as a new version, found by search from this moment.

    :raises StepNotAllowed: it is not proposed.
    :raises AuthorMayNotApprove: the approver wrote it.
    """
    faq = Faq.objects.select_for_update().get(pk=faq.pk)
    publication.check_step(Status(faq.status), Status.PUBLISHED)
    publication.check_approver(author=faq.author_id, approver=by.pk)
    version = _publish(faq, author=faq.author, approved_by=by, at=at)
    index.write([faq])
    audit.record(
        verb="faq.approve",
        target=faq,
        key=faq.key,
        actor=by.get_username(),
        at=at,
        detail={"version": version.number},
    )
    return version


@transaction.atomic
def retire(*, faq: Faq, by: User, at: datetime) -> Faq:
    """
    Take a FAQ off the public page; its versions stay.

    :raises StepNotAllowed: it is retired already.
    """
    faq = Faq.objects.select_for_update().get(pk=faq.pk)
    publication.check_step(Status(faq.status), Status.RETIRED)
    faq.status, faq.live, faq.proposed_at = Status.RETIRED.value, None, None
    faq.save(update_fields=["status", "live", "proposed_at"])
    index.erase([faq.pk])
    audit.record(verb="faq.retire", target=faq, key=faq.key, actor=by.get_username(), at=at)
    return faq


def rate(*, faq: Faq, helped: bool) -> None:
    """Count one 「役に立ちましたか」. Nothing about the person is kept, so nothing is audited."""
    field = "helped" if helped else "not_helped"
    Faq.objects.public().filter(pk=faq.pk).update(**{field: F(field) + 1})


def _publish(
    faq: Faq, *, author: User | None, approved_by: User | None, at: datetime
) -> FaqVersion:
    last = faq.versions.aggregate(last=Max("number"))["last"] or 0
    faq.live = faq.versions.create(
        number=last + 1,
        category=faq.category,
        question=faq.question,
        asked=faq.asked,
        answer=faq.answer,
        author=author,
        approved_by=approved_by,
        published_at=at,
    )
    faq.status, faq.remark = Status.PUBLISHED.value, ""
    faq.save(update_fields=["live", "status", "remark"])
    return faq.live


def _free_key() -> str:
    """Return the next F00012; a table read in may have taken some."""
    while True:
        key = f"F{next_number(series='faq', year=0):05}"
        if not Faq.objects.filter(key=key).exists():
            return key


@dataclass
class Taken:
    """What became of the rows of a table: how many, and which were left as they are."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    left: list[tables.Remark] = field(default_factory=list)
    divisions: list[str] = field(default_factory=list)


@transaction.atomic
def take_in(*, rows: Sequence[tables.Row], actor: str, at: datetime) -> Taken:
    """
    Take in rows of a table as public FAQs, by their id; the same rows again change nothing.

    A FAQ that somebody is writing, or that was retired here, stays as it is. An unknown
    division is entered. The operator answers for the approval, so there is no author.
    """
    taken = Taken()
    divisions = _divisions({row.division for row in rows if row.division}, taken)
    there = {
        faq.key: faq
        for faq in Faq.objects.select_for_update(of=("self",))
        .filter(key__in=[row.key for row in rows])
        .select_related("live")
    }
    new: list[Faq] = []
    again: list[Faq] = []
    for row in rows:
        faq = there.get(row.key)
        if faq is not None and faq.status != Status.PUBLISHED:
            label = publication.STATUS_LABELS[Status(faq.status)]
            told = f"id「{row.key}」は{label}のため、変更しません。"
            taken.left.append(tables.Remark(row.line, told, is_error=False))
            continue
        division = divisions.get(row.division)
        if faq is None:
            faq = Faq(key=row.key, written_at=at)
            new.append(faq)
        elif _same(faq, row, division):
            taken.unchanged += 1
            continue
        else:
            again.append(faq)
        faq.question, faq.answer, faq.category = row.question, row.answer, row.category
        faq.division, faq.author, faq.written_at = division, None, at
    taken.created, taken.changed = len(new), len(again)
    Faq.objects.bulk_create(new)
    _publish_all([*new, *again], at=at)
    audit.record(
        verb="faq.take_in",
        actor=actor,
        at=at,
        detail={"created": [faq.key for faq in new], "changed": [faq.key for faq in again]},
    )
    return taken


def _same(faq: Faq, row: tables.Row, division: Division | None) -> bool:
    return (faq.question, faq.answer, faq.category, faq.division_id) == (
        row.question,
        row.answer,
        row.category,
        division.pk if division else None,
    )


def _divisions(names: set[str], taken: Taken) -> dict[str, Division]:
    found = {one.name: one for one in Division.objects.filter(name__in=names)}
    for name in sorted(names - found.keys()):
        code = f"faq-{next_number(series='faq-division', year=0)}"
        found[name] = Division.objects.create(code=code, name=name)
        taken.divisions.append(name)
    return found


def _publish_all(faqs: Sequence[Faq], *, at: datetime) -> None:
    """Publish texts that came by file, in as few queries as their number allows."""
    last = dict(
        FaqVersion.objects.filter(faq__in=faqs).values_list("faq").annotate(last=Max("number"))
    )
    versions = FaqVersion.objects.bulk_create(
        FaqVersion(
            faq=faq,
            number=last.get(faq.pk, 0) + 1,
            category=faq.category,
            question=faq.question,
            asked=faq.asked,
            answer=faq.answer,
            published_at=at,
        )
        for faq in faqs
    )
    for faq, version in zip(faqs, versions, strict=True):
        faq.live, faq.status = version, Status.PUBLISHED.value
    Faq.objects.bulk_update(
        faqs,
        ["question", "answer", "category", "division", "author", "written_at", "live", "status"],
        batch_size=100,
    )
    index.write(faqs)
