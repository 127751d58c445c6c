"""The verbs of a letter to the mayor. Each item is received as a case, in the same transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from madoguchi.audit import actions as audit
from madoguchi.casework import actions as casework
from madoguchi.casework.models import Category
from madoguchi.casework.rules import answer_due_on
from madoguchi.foundation.dates import era_year, fiscal_year
from madoguchi.foundation.numbering import next_number
from madoguchi.letters import rules
from madoguchi.letters.models import LetterItem, MayorLetter
from madoguchi.letters.rules import Outcome
from madoguchi.offices.models import Division
from madoguchi.residents.models import Resident
from madoguchi.staff.models import User


@dataclass(frozen=True)
class Said:
    """One thing a letter says."""

    title: str
    text: str
    kind: str
    category: Category
    owner: Division


@transaction.atomic
def receive(
    *,
    channel: str,
    text: str,
    items: Sequence[Said],
    received_on: date,
    wants_reply: bool = True,
    sender: dict[str, str] | None = None,
    key: UUID | None = None,
    by: User,
    at: datetime,
) -> MayorLetter:
    """
    Enter a letter and open a case for each thing it says; its divisions are told by mail.

    `sender` (name, kana, phone) is entered into the register once for all items; None is an
    anonymous letter. The same `key` again returns the letter it entered the first time.

    :raises NotReady: nothing is said in it.
    """
    if found := MayorLetter.objects.filter(key=key).first() if key else None:
        return found
    if not items:
        raise rules.NotReady("項目を、少なくとも一つ入力してください。")
    resident: Resident | None = None
    cases = []
    for said in items:
        case = casework.receive(
            kind=said.kind,
            channel=channel,
            category=said.category,
            title=said.title,
            summary=said.text,
            resident=resident,
            newcomer=sender if resident is None else None,
            owner=said.owner,
            tells_division=True,
            by=by,
            at=at,
        )
        resident = case.resident
        cases.append(case)
    year = fiscal_year(received_on)
    _, era, era_number = era_year(year)
    number = next_number(series="mayor_letter", year=year)
    letter = MayorLetter.objects.create(
        number=rules.letter_number(era_letter=era, era_year=era_number, number=number),
        key=key,
        channel=channel,
        resident=resident,
        text=text,
        wants_reply=wants_reply,
        received_on=received_on,
        received_at=at,
        received_by=by,
        due_on=answer_due_on(received_on),
    )
    LetterItem.objects.bulk_create(
        LetterItem(letter=letter, position=position, case=case)
        for position, case in enumerate(cases, start=1)
    )
    _record(letter, "mayor_letter.receive", by=by, at=at, items=len(cases))
    return letter


@transaction.atomic
def set_outcome(*, item: LetterItem, outcome: Outcome, by: User, at: datetime) -> LetterItem:
    """
    Say what came of one item.

    :raises StepNotAllowed: the letter is answered.
    """
    letter = _locked(item.letter)
    if letter.is_answered:
        raise rules.StepNotAllowed("回答済みの手紙の結果は変えられません。")
    item.outcome = outcome.value
    item.save(update_fields=["outcome"])
    _record(letter, "letter_item.set_outcome", by=by, at=at, item=item.position)
    return item


@transaction.atomic
def answer(*, letter: MayorLetter, text: str, by: User, at: datetime) -> MayorLetter:
    """
    Finish the letter with one answer for all its items.

    :raises StepNotAllowed: it is finished already.
    :raises NotReady: an item is open or has no result, or the answer is missing.
    """
    letter = _locked(letter)
    rules.check_answer(
        is_answered=letter.is_answered,
        wants_reply=letter.wants_reply,
        items=[
            (item.position, item.case.is_closed, item.outcome)
            for item in letter.items.select_related("case")
        ],
        text=text,
    )
    letter.answer, letter.answered_at, letter.answered_by = text, at, by
    letter.save(update_fields=["answer", "answered_at", "answered_by"])
    _record(letter, "mayor_letter.answer", by=by, at=at)
    return letter


def _locked(letter: MayorLetter) -> MayorLetter:
    return MayorLetter.objects.select_for_update().get(pk=letter.pk)


def _record(letter: MayorLetter, verb: str, *, by: User, at: datetime, **detail: int) -> None:
    audit.record(
        verb=verb,
        target=letter,
        key=letter.number,
        person=letter.resident_id,
        actor=by.get_username(),
        at=at,
        detail=detail,
    )
