"""Each constraint of the tables, violated."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from madoguchi.rota.models import (
    Absence,
    Duty,
    Leave,
    Member,
    Need,
    PlanRun,
    Rota,
    SwapRequest,
    Turn,
    TurnOrder,
    Wish,
)
from madoguchi.rota.tests.builders import FIRST, LAST, draft, head
from tests import make

pytestmark = pytest.mark.django_db


def duty(**more: object) -> Duty:
    first = Duty.objects.order_by("pk")[0]
    return Duty.objects.create(
        **{"rota": first.rota, "on": first.on, "skill": first.skill, "seat": 2} | more
    )


def member() -> Member:
    return Member.objects.order_by("pk")[0]


def run(**more: object) -> PlanRun:
    return PlanRun.objects.create(
        **{
            "rota": Rota.objects.get(),
            "asked_by": head(),
            "asked_at": make.NOW,
            "heard_at": make.NOW,
        }
        | more
    )


def swap(**more: object) -> SwapRequest:
    one, other = Member.objects.order_by("pk")[:2]
    return SwapRequest.objects.create(
        **{
            "duty": Duty.objects.order_by("pk")[0],
            "asker": one,
            "colleague": other,
            "asked_at": make.NOW,
        }
        | more
    )


def absence(**more: object) -> Absence:
    return Absence.objects.create(
        **{
            "user": head(),
            "first": FIRST,
            "last": FIRST,
            "kind": "sick",
            "told_by": head(),
            "told_at": make.NOW,
        }
        | more
    )


YESTERDAY = FIRST - timedelta(days=1)
VIOLATIONS: dict[str, Callable[[], object]] = {
    "need_once_per_shift": lambda: [Need.objects.create(**_need()) for _ in range(2)],
    "member_share_is_a_percentage": lambda: Member.objects.update(share=5),
    "member_joins_before_leaving": lambda: Member.objects.update(joins_on=LAST, leaves_on=FIRST),
    "turn_order_division_once": lambda: [
        TurnOrder.objects.create(site=make.site(), division=make.division(), position=1)
        for _ in range(2)
    ],
    "leave_begins_before_it_ends": lambda: Leave.objects.create(
        member=member(), first=FIRST, last=YESTERDAY
    ),
    "wish_once_a_day": lambda: [
        Wish.objects.create(member=member(), on=FIRST, kind="avoid") for _ in range(2)
    ],
    "rota_begins_before_it_ends": lambda: Rota.objects.update(last=YESTERDAY),
    "rota_rest_every_week": lambda: Rota.objects.update(most_in_row=7),
    "rota_published_has_when_and_who": lambda: Rota.objects.update(status="published"),
    "turn_once_a_day": lambda: [
        Turn.objects.create(rota=Rota.objects.get(), on=FIRST, division=make.division())
        for _ in range(2)
    ],
    "duty_place_once": lambda: duty(seat=1),
    "duty_person_once_a_day": lambda: [duty(seat=n, member=member()) for n in (2, 3)],
    "duty_fixed_has_somebody": lambda: Duty.objects.update(is_fixed=True),
    "plan_run_one_at_a_time": lambda: [run() for _ in range(2)],
    "plan_run_done_has_its_proof": lambda: run(status="done"),
    "swap_one_open_per_duty": lambda: [swap() for _ in range(2)],
    "swap_with_somebody_else": lambda: swap(colleague=member()),
    "swap_decided_has_when_and_who": lambda: swap(status="approved"),
    "absence_begins_before_it_ends": lambda: absence(last=YESTERDAY),
    "absence_stand_in_is_somebody_else": lambda: absence(stand_in=head()),
}


def _need() -> dict[str, object]:
    found = Need.objects.order_by("pk")[0]
    return {
        "site": make.site("港町支所"),
        "day_kind": found.day_kind,
        "skill": found.skill,
        "count": 1,
    }


@pytest.mark.parametrize("name", VIOLATIONS)
def test_the_table_refuses(name: str) -> None:
    draft(last=FIRST + timedelta(days=1))

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        VIOLATIONS[name]()

    assert name in str(refused.value) or "UNIQUE constraint failed" in str(refused.value)


def test_every_constraint_is_shown() -> None:
    models = (
        Need,
        Member,
        TurnOrder,
        Leave,
        Wish,
        Rota,
        Turn,
        Duty,
        PlanRun,
        SwapRequest,
        Absence,
    )
    names = {each.name for model in models for each in model._meta.constraints}

    assert names == set(VIOLATIONS)


def test_a_day_may_have_several_empty_places() -> None:
    rota = draft(first=date(2026, 12, 1), last=date(2026, 12, 1))

    duty(seat=2)
    duty(seat=3)

    assert rota.duties.empty().count() == 3
