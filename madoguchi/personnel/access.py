"""Who sees the lists of transfers: who plans and who approves; everybody sees their own move."""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from madoguchi.personnel.models import Move, MoveList
from madoguchi.personnel.rules import Status
from madoguchi.staff.models import User
from madoguchi.staff.rules import Verb


def visible_lists(user: User) -> QuerySet[MoveList]:
    """Return the lists for who plans or approves them; nobody else knows of a transfer."""
    if not (user.may(Verb.PLAN_MOVES) or user.may(Verb.APPROVE_MOVES)):
        return MoveList.objects.none()
    return MoveList.objects.select_related("made_by", "approved_by")


def list_to_read(user: User, pk: int) -> MoveList:
    return get_object_or_404(visible_lists(user), pk=pk)


def own_move(user: User) -> Move | None:
    """Return the coming move of this very person, once it is approved."""
    moves = Move.objects.select_related("list", "division", "successor")
    coming = moves.filter(user=user, list__status=Status.APPROVED.value, done_at=None)
    return coming.order_by("list__effective_on").first()
