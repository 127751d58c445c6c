"""A small rota to test on: one person a day, four who can do it."""

from datetime import date

from madoguchi.rota import actions
from madoguchi.rota.models import Duty, Member, Need, Rota, Skill
from madoguchi.rota.rules.duties import DayKind
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make

FIRST, LAST = date(2026, 12, 1), date(2026, 12, 14)  # a Tuesday and two weeks


def head() -> User:
    found = User.objects.filter(username="head").first()
    return found or make.staff(Role.CENTRE_HEAD, username="head")


def need(
    count: int = 1, *, skill: str = "職員", kinds: tuple[DayKind, ...] = tuple(DayKind)
) -> None:
    what, _ = Skill.objects.get_or_create(name=skill)
    for kind in kinds:
        Need.objects.create(site=make.centre_site(), day_kind=kind.value, skill=what, count=count)


def people(count: int = 4) -> list[Member]:
    return [make.member(user=make.staff(username=f"person{number}")) for number in range(count)]


def draft(*, first: date = FIRST, last: date = LAST, count: int = 4) -> Rota:
    """A rota with its places empty; people and needs are made when there are none."""
    if not Need.objects.exists():
        need()
    if not Member.objects.exists():
        people(count)
    return actions.make(site=make.centre_site(), first=first, last=last, by=head(), at=make.NOW)


def published(*, first: date = FIRST, last: date = LAST, count: int = 4) -> Rota:
    """A published rota in which the members take turns, day by day."""
    rota = draft(first=first, last=last, count=count)
    members = list(Member.objects.order_by("pk"))
    for number, duty in enumerate(rota.duties.all()):
        duty.member = members[number % len(members)]
        duty.save()
    return actions.publish(rota=rota, by=head(), at=make.NOW)


def duty_of(member: Member, rota: Rota) -> Duty:
    found = rota.duties.filter(member=member).first()
    assert found is not None
    return found
