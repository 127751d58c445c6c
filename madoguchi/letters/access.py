"""
Who reads letters to the mayor: the centre. A division reads its item, as a case, without the rest.

A letter with a restricted case in it is the head's and of those who work on that case.
"""

from datetime import datetime

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from madoguchi.audit import actions as audit
from madoguchi.casework import access as casework
from madoguchi.letters.models import LetterItem, MayorLetter
from madoguchi.staff.models import User
from madoguchi.staff.rules import Verb


def visible_letters(user: User) -> QuerySet[MayorLetter]:
    if not user.is_centre or not user.may(Verb.HANDLE_LETTERS):
        return MayorLetter.objects.none()
    hidden = LetterItem.objects.exclude(case__in=casework.visible_cases(user))
    return MayorLetter.objects.exclude(pk__in=hidden.values("letter"))


def letter_to_read(user: User, pk: int, *, at: datetime) -> MayorLetter:
    """Return the letter, or 404, and note in the trail that it was read."""
    letter = letter_to_change(user, pk)
    audit.record(
        verb="mayor_letter.read",
        target=letter,
        key=letter.number,
        person=letter.resident_id,
        actor=user.get_username(),
        at=at,
    )
    return letter


def letter_to_change(user: User, pk: int) -> MayorLetter:
    rows = visible_letters(user).select_related("resident", "received_by", "answered_by")
    return get_object_or_404(rows, pk=pk)


def item_to_change(letter: MayorLetter, position: int) -> LetterItem:
    return get_object_or_404(letter.items.select_related("letter"), position=position)
