"""
The verbs of a transfer of staff.

The rights of everybody on an approved list end at the first minute of its day, whether or not
the work behind it has run (`User.rights_end_at`). The list itself is carried out person by
person, each in a transaction of its own: a stopped server goes on where it was.
"""

from collections.abc import Sequence
from datetime import date, datetime, time

from django.db import transaction
from django.utils import timezone

from madoguchi.audit import actions as audit
from madoguchi.casework import actions as casework
from madoguchi.foundation import live
from madoguchi.personnel import queries, rules
from madoguchi.personnel.models import Move, MoveList
from madoguchi.personnel.rules import Status, Wanted
from madoguchi.staff import actions as staff
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role


@transaction.atomic
def plan(
    *, effective_on: date, wanted: Sequence[Wanted], note: str = "", by: User, at: datetime
) -> MoveList:
    """
    Write the list of one day; nothing changes before somebody else has approved it.

    :raises rules.ListNotReady: the day has come, another list is open for it, or it is empty.
    """
    rules.check_day(effective_on, today=timezone.localdate(at))
    _check_filled(wanted)
    open_lists = MoveList.objects.filter(
        effective_on=effective_on, status__in=[Status.DRAFT.value, Status.APPROVED.value]
    )
    if open_lists.exists():
        raise rules.ListNotReady("この日の一覧は、すでにあります。そちらを直してください。")
    each = MoveList.objects.create(effective_on=effective_on, note=note, made_at=at, made_by=by)
    _fill(each, wanted)
    _record(each, "move_list.plan", by=by, at=at, people=len(wanted))
    return each


@transaction.atomic
def replace(*, each: MoveList, wanted: Sequence[Wanted], by: User, at: datetime) -> MoveList:
    """
    Put a corrected list in the place of the draft.

    :raises rules.StepNotAllowed: it is no draft any more.
    :raises rules.ListNotReady: it is empty.
    """
    each = _locked(each)
    if not each.is_draft:
        raise rules.StepNotAllowed("承認した一覧は直せません。取りやめて、作り直してください。")
    _check_filled(wanted)
    each.moves.all().delete()
    # Who wrote it is who wrote it last: the approval stays somebody else's.
    each.made_at, each.made_by = at, by
    each.save(update_fields=["made_at", "made_by"])
    _fill(each, wanted)
    _record(each, "move_list.replace", by=by, at=at, people=len(wanted))
    return each


@transaction.atomic
def approve(*, each: MoveList, by: User, at: datetime) -> MoveList:
    """
    Approve the list: at 0:00 of its day the old rights end and the matters change hands.

    :raises rules.StepNotAllowed: no draft, or written by the same person.
    :raises rules.ListNotReady: its day has come, or it would leave a matter without anybody.
    """
    each = _locked(each)
    rules.check_step(Status(each.status), Status.APPROVED)
    if each.made_by_id == by.pk:
        raise rules.StepNotAllowed("作成した人とは別の人が承認してください。")
    rules.check_day(each.effective_on, today=timezone.localdate(at))
    if problems := queries.weaknesses(each):
        raise rules.ListNotReady(problems[0].text)
    each.status, each.approved_at, each.approved_by = Status.APPROVED.value, at, by
    each.save(update_fields=["status", "approved_at", "approved_by"])
    ends = timezone.make_aware(datetime.combine(each.effective_on, time.min))
    staff.set_end_of_rights(users=each.moves.values("user"), ends=ends)
    _record(each, "move_list.approve", by=by, at=at)
    return each


@transaction.atomic
def stop(*, each: MoveList, by: User, at: datetime) -> MoveList:
    """
    Call the list off; everybody keeps their place.

    :raises rules.StepNotAllowed: it is carried out, or has begun to be.
    """
    each = _locked(each)
    rules.check_step(Status(each.status), Status.STOPPED)
    if each.moves.filter(done_at__isnull=False).exists():
        raise rules.StepNotAllowed("異動の実施が始まっているので、取りやめられません。")
    if each.is_approved:
        staff.set_end_of_rights(users=each.moves.values("user"), ends=None)
    each.status = Status.STOPPED.value
    each.save(update_fields=["status"])
    _record(each, "move_list.stop", by=by, at=at)
    return each


def carry_out(*, list_id: int, at: datetime) -> int:
    """
    Move everybody of a due list who has not moved yet; return how many moved.

    Each person in a transaction of its own. What one person's row refuses (somebody changed it
    by hand meanwhile) does not hold up the others.
    """
    each = MoveList.objects.due(on=timezone.localdate(at)).filter(pk=list_id).first()
    if each is None:
        return 0
    moves = list(each.moves.filter(done_at=None).order_by("pk"))
    heirs = queries.heirs_of(list(each.moves.all()))
    moved = sum(_carry_out(move.pk, heir=heirs[move.user_id], at=at) for move in moves)
    _finish(each, at=at)
    return moved


@transaction.atomic
def _carry_out(move_id: int, *, heir: int | None, at: datetime) -> bool:
    move = (
        Move.objects.select_for_update(of=("self",)).select_related("user", "list").get(pk=move_id)
    )
    if move.done_at is not None:  # another worker was faster
        return False
    successor = User.objects.filter(pk=heir).first() if heir else None
    if successor is not None:
        move.cases, move.requests = casework.pass_on(
            leaver=move.user, successor=successor, by=move.list.approved_by or successor, at=at
        )
    if move.division is None:
        staff.deactivate(user=move.user, by=None, at=at)
    else:
        staff.move(user=move.user, division=move.division, role=Role(move.role), at=at)
    move.done_at = at
    move.save(update_fields=["done_at", "cases", "requests"])
    live.publish(topic=f"moves.{move.list_id}", kind="move.carry_out", at=at)
    audit.record(
        verb="move.carry_out",
        target=move,
        actor="system",
        at=at,
        detail={"user": move.user_id, "successor": heir, "cases": move.cases},
    )
    return True


@transaction.atomic
def _finish(each: MoveList, *, at: datetime) -> None:
    each = _locked(each)
    if not each.is_approved or each.moves.filter(done_at=None).exists():
        return
    each.status, each.done_at = Status.DONE.value, at
    each.save(update_fields=["status", "done_at"])
    live.publish(topic=f"moves.{each.pk}", kind="move_list.finish", at=at)
    audit.record(verb="move_list.finish", target=each, actor="system", at=at)


def _locked(each: MoveList) -> MoveList:
    return MoveList.objects.select_for_update().get(pk=each.pk)


def _check_filled(wanted: Sequence[Wanted]) -> None:
    if not wanted:
        raise rules.ListNotReady("異動する人が一人もいません。異動先か退職の列に入れてください。")


def _fill(each: MoveList, wanted: Sequence[Wanted]) -> None:
    Move.objects.bulk_create(
        Move(
            list=each,
            user_id=one.user,
            division_id=one.division,
            role=one.role,
            successor_id=one.successor,
        )
        for one in wanted
    )


def _record(each: MoveList, verb: str, *, by: User, at: datetime, **detail: int) -> None:
    audit.record(verb=verb, target=each, actor=by.get_username(), at=at, detail=detail)
