"""Who may see and change which FAQ."""

from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.shortcuts import get_object_or_404

from madoguchi.foundation.limits import Limit
from madoguchi.knowledge.models import Faq, FaqQuerySet
from madoguchi.staff.models import User
from madoguchi.staff.rules import Verb

# Searching by program: more than any reader types, less than what slows the others down.
SEARCHES = Limit(name="faq_search", times=3_000, span=timedelta(minutes=1))


def public_faq(key: str) -> Faq:
    """Return the FAQ as the public reads it, or 404: drafts and retired ones do not exist."""
    faqs = Faq.objects.public().select_related("live", "division")
    return get_object_or_404(faqs, key=key)


def visible_faqs(user: User) -> FaqQuerySet:
    """
    Return the FAQs this person may know of.

    What is public, everybody; what is being written, the centre, the division in charge and the
    author: a draft may still hold words of a case.
    """
    if user.is_centre:
        return Faq.objects.all()
    mine = Q(live__isnull=False) | Q(division=user.division_id) | Q(author=user.pk)
    return Faq.objects.filter(mine)


def faq_to_read(user: User, key: str) -> Faq:
    faqs = visible_faqs(user).select_related("live", "division", "author")
    return get_object_or_404(faqs, key=key)


def may_change(user: User, faq: Faq) -> bool:
    """Say whether one may write this FAQ: the centre any, others their division's or own."""
    mine = user.is_centre or user.pk == faq.author_id or user.division_id == faq.division_id
    return user.may(Verb.WRITE_FAQ) and mine


def may_approve(user: User, faq: Faq) -> bool:
    """Say whether one may approve this FAQ: the centre any, others their division's."""
    return user.may(Verb.APPROVE_FAQ) and (user.is_centre or user.division_id == faq.division_id)


def faq_to_change(user: User, key: str) -> Faq:
    faq = faq_to_read(user, key)
    if not may_change(user, faq):
        raise PermissionDenied
    return faq


def faq_to_approve(user: User, key: str) -> Faq:
    faq = faq_to_read(user, key)
    if not may_approve(user, faq):
        raise PermissionDenied
    return faq
