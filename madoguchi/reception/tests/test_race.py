"""Many counters call at the same time, through real connections."""

import pytest

from madoguchi.reception import actions
from madoguchi.staff.rules import Role
from tests import make
from tests.crowd import AT_ONCE, rush


@pytest.mark.django_db(transaction=True)
def test_two_counters_never_call_the_same_visitor() -> None:
    service = make.service(counters=[make.counter(f"{n}番") for n in range(AT_ONCE)])
    counters = list(service.counters.order_by("pk"))
    officer = make.staff(Role.RECEPTION)
    for _ in range(AT_ONCE - 5):
        make.visit(service)
    called = []

    def attempt(number: int) -> str:
        visit = actions.call_next(counter=counters[number], by=officer, at=make.NOW)
        if visit is not None:
            called.append(visit.pk)
        return "called" if visit else "nobody"

    ends = rush(attempt, times=AT_ONCE)

    assert ends == {"called": AT_ONCE - 5, "nobody": 5}
    assert len(set(called)) == AT_ONCE - 5
