from datetime import timedelta

import pytest

from madoguchi.audit.models import AuditEvent
from madoguchi.messaging.models import OutboundMessage
from madoguchi.rota import actions
from madoguchi.rota.models import Member, Rota, SwapRequest
from madoguchi.rota.rules import steps
from madoguchi.rota.rules.steps import Swap
from madoguchi.rota.tests.builders import duty_of, head, published
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def rota() -> Rota:
    return published()


def people() -> tuple[Member, Member]:
    one, other = Member.objects.order_by("pk")[:2]
    return one, other


def ask(rota: Rota, *, in_return: bool = False) -> SwapRequest:
    """The first member asks the second to take a Tuesday."""
    one, other = people()
    return actions.ask_swap(
        duty=duty_of(one, rota),
        colleague=other,
        in_return=duty_of(other, rota) if in_return else None,
        reason="通院",
        by=one.user,
        at=make.NOW,
    )


def agree(swap: SwapRequest) -> SwapRequest:
    return actions.answer_swap(swap=swap, agrees=True, by=swap.colleague.user, at=make.NOW)


def approve(swap: SwapRequest) -> SwapRequest:
    return actions.decide_swap(swap=swap, approves=True, by=head(), at=make.NOW)


def test_asked_agreed_and_approved_the_duty_changes_hands() -> None:
    rota = published()
    swap = ask(rota)

    agree(swap)
    swap.duty.refresh_from_db()
    assert swap.duty.member == swap.asker  # nothing changes before the approval
    approve(swap)

    swap.duty.refresh_from_db()
    swap.refresh_from_db()
    assert (swap.duty.member, swap.duty.is_fixed) == (swap.colleague, True)
    assert (swap.status, swap.decided_by) == (Swap.APPROVED.value, head())
    written = AuditEvent.objects.filter(verb__startswith="swap.").order_by("pk")
    assert list(written.values_list("verb", flat=True)) == [
        "swap.ask",
        "swap.agreed",
        "swap.approved",
    ]


def test_two_duties_are_exchanged(rota: Rota) -> None:
    swap = ask(rota, in_return=True)
    mine, theirs = swap.duty, swap.in_return
    assert theirs

    approve(agree(swap))

    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert (mine.member, theirs.member) == (swap.colleague, swap.asker)


def test_the_colleague_is_told_without_details(rota: Rota) -> None:
    _, other = people()
    other.user.email = "other@example.jp"
    other.user.save()

    ask(rota)

    message = OutboundMessage.objects.get(to="other@example.jp")
    assert "通院" not in message.subject + message.body
    assert "12月" not in message.subject + message.body


class TestRefusals:
    def test_not_before_the_colleague_has_agreed(self, rota: Rota) -> None:
        with pytest.raises(steps.StepNotAllowed):
            approve(ask(rota))

    def test_nobody_approves_their_own(self, rota: Rota) -> None:
        swap = agree(ask(rota))

        for user in (swap.asker.user, swap.colleague.user):
            with pytest.raises(steps.StepNotAllowed, match="自分の交代"):
                actions.decide_swap(swap=swap, approves=True, by=user, at=make.NOW)

    def test_one_open_request_for_a_duty(self, rota: Rota) -> None:
        ask(rota)

        with pytest.raises(steps.StepNotAllowed, match="もう申し出"):
            ask(rota)

    def test_a_rule_keeps_the_colleague_from_it(self, rota: Rota) -> None:
        one, other = people()
        duty = duty_of(one, rota)
        actions.take_leave(
            member=other, first=duty.on, last=duty.on, kind="trip", by=other.user, at=make.NOW
        )

        with pytest.raises(steps.DutyBroken, match="休暇"):
            ask(rota)

    def test_a_rule_that_came_between_is_seen_at_the_approval(self, rota: Rota) -> None:
        swap = agree(ask(rota))
        actions.take_leave(
            member=swap.colleague,
            first=swap.duty.on,
            last=swap.duty.on,
            kind="trip",
            by=swap.colleague.user,
            at=make.NOW,
        )

        with pytest.raises(steps.DutyBroken):
            approve(swap)

        swap.refresh_from_db()
        assert swap.status == Swap.AGREED.value

    def test_not_for_a_day_that_has_passed(self, rota: Rota) -> None:
        one, other = people()
        duty = duty_of(one, rota)

        with pytest.raises(steps.StepNotAllowed, match="過ぎた日"):
            actions.ask_swap(
                duty=duty, colleague=other, by=one.user, at=make.NOW + timedelta(days=60)
            )

    def test_not_with_oneself(self, rota: Rota) -> None:
        one, _ = people()

        with pytest.raises(steps.StepNotAllowed):
            actions.ask_swap(duty=duty_of(one, rota), colleague=one, by=one.user, at=make.NOW)

    def test_not_in_return_for_the_duty_of_a_third(self, rota: Rota) -> None:
        one, other = people()
        third = Member.objects.order_by("pk")[2]

        with pytest.raises(steps.StepNotAllowed, match="代わる人の当番"):
            actions.ask_swap(
                duty=duty_of(one, rota),
                colleague=other,
                in_return=duty_of(third, rota),
                by=one.user,
                at=make.NOW,
            )


@pytest.mark.parametrize(
    ("now", "then", "may"),
    [
        (
            now,
            then,
            (now, then)
            in {
                (Swap.ASKED, Swap.AGREED),
                (Swap.ASKED, Swap.DECLINED),
                (Swap.ASKED, Swap.WITHDRAWN),
                (Swap.AGREED, Swap.APPROVED),
                (Swap.AGREED, Swap.REFUSED),
                (Swap.AGREED, Swap.WITHDRAWN),
            },
        )
        for now in Swap
        for then in Swap
    ],
)
def test_the_steps_of_a_swap(now: Swap, then: Swap, may: bool) -> None:
    if may:
        steps.check_swap(now, then)
    else:
        with pytest.raises(steps.StepNotAllowed):
            steps.check_swap(now, then)


def test_declined_refused_or_withdrawn_the_duty_stays(rota: Rota) -> None:
    declined = actions.answer_swap(swap=ask(rota), agrees=False, by=people()[1].user, at=make.NOW)
    refused = actions.decide_swap(swap=agree(ask(rota)), approves=False, by=head(), at=make.NOW)
    withdrawn = actions.withdraw_swap(swap=ask(rota), by=people()[0].user, at=make.NOW)

    assert [declined.status, refused.status, withdrawn.status] == [
        Swap.DECLINED.value,
        Swap.REFUSED.value,
        Swap.WITHDRAWN.value,
    ]
    withdrawn.duty.refresh_from_db()
    assert withdrawn.duty.member == people()[0]


def test_a_duty_changed_by_hand_ends_its_open_swap(rota: Rota) -> None:
    swap = agree(ask(rota))

    actions.assign(duty=swap.duty, member=None, by=head(), at=make.NOW)

    swap.refresh_from_db()
    assert swap.status == Swap.WITHDRAWN.value
