from datetime import timedelta
from uuid import uuid4

import pytest

from madoguchi.audit.models import AuditEvent
from madoguchi.casework import actions, rules
from madoguchi.casework.models import Case, Closure, SurveyReply
from madoguchi.casework.rules import HandoverState, Result, Status, Understanding
from madoguchi.knowledge.models import Faq
from tests import make

pytestmark = pytest.mark.django_db


def close(case: Case, **more: object) -> Closure:
    fields = {
        "case": case,
        "conclusion": "転入届の書き方を説明し、その場で書けた。",
        "result": Result.ADVISED.value,
        "reason": "記入例で足りたため。",
        "understanding": Understanding.AGREED.value,
        "by": case.received_by,
        "at": make.NOW,
    }
    return actions.close(**fields | more)  # type: ignore[arg-type]


def test_a_case_ends_with_when_and_who() -> None:
    case = make.case()

    close(case)

    case.refresh_from_db()
    assert (case.status, case.closed_at, case.closed_by) == (
        Status.CLOSED,
        make.NOW,
        case.received_by,
    )
    assert AuditEvent.objects.get().verb == "case.close"


def test_a_record_still_owed_holds_the_case_open() -> None:
    case = make.case()
    make.handover(case)

    with pytest.raises(rules.RecordOutstanding, match="保育課"):
        close(case)

    case.refresh_from_db()
    assert case.status != Status.CLOSED


def test_with_a_reason_it_closes_and_nobody_keeps_waiting() -> None:
    case = make.case()
    handover = make.handover(case)

    closure = close(case, without_record_reason="本人が解決したと連絡")

    handover.refresh_from_db()
    assert handover.state == HandoverState.WITHDRAWN
    assert closure.without_record_reason == "本人が解決したと連絡"


def test_closing_ends_the_running_meeting() -> None:
    case = make.case()
    meeting = actions.arrive(handover=make.handover(case), by=make.staff(), at=make.NOW)

    close(case, without_record_reason="その場で解決")

    meeting.refresh_from_db()
    assert meeting.ended_at == make.NOW


def test_closing_twice_is_refused_but_the_same_form_twice_is_one_closure() -> None:
    case, key = make.case(), uuid4()

    assert close(case, key=key) == close(case, key=key)
    with pytest.raises(rules.CaseClosed):
        close(case)


def test_a_reopened_case_keeps_how_it_was_closed() -> None:
    case = make.case()
    close(case)

    actions.reopen(case=case, reason="再び来庁", by=make.staff(), at=make.NOW)
    close(case)

    reasons = case.closures.order_by("pk").values_list("reopened_reason", flat=True)
    assert list(reasons) == ["再び来庁", ""]


def test_only_a_closed_case_is_reopened() -> None:
    with pytest.raises(rules.StepNotAllowed):
        actions.reopen(case=make.case(), reason="誤り", by=make.staff(), at=make.NOW)


def test_the_link_and_the_code_cannot_be_guessed() -> None:
    closures = [close(make.case()) for _ in range(20)]

    assert len({closure.survey_token for closure in closures}) == 20
    assert all(len(closure.survey_token) == 43 for closure in closures)  # 256 random bits
    assert all(rules.is_survey_code(closure.survey_code) for closure in closures)


def answer(closure: Closure, **more: object) -> SurveyReply:
    fields = {"scores": {"overall": 5}, "comment": "", "is_from_paper": False, "at": make.NOW}
    return actions.answer_survey(closure=closure, **fields | more)  # type: ignore[arg-type]


def test_the_survey_is_answered_once() -> None:
    closure = close(make.case())

    assert answer(closure).scores.get().score == 5
    with pytest.raises(rules.SurveyClosed, match="すでに"):
        answer(closure)


def test_the_survey_ends_after_ninety_days() -> None:
    closure = close(make.case())

    with pytest.raises(rules.SurveyClosed, match="終わりました"):
        answer(closure, at=make.NOW + timedelta(days=91))


def test_a_closed_case_makes_the_draft_of_a_faq() -> None:
    case = make.case()
    close(case)

    faq = actions.draft_faq(
        case=case,
        question="転入届はどう書きますか。",
        answer="記入例をご覧ください。",
        category="行政手続・市政",
        by=make.staff(),
        at=make.NOW,
    )

    assert Faq.objects.get() == faq
    assert faq.origin == case.number


def test_an_open_case_makes_no_faq() -> None:
    with pytest.raises(rules.StepNotAllowed, match="終了してから"):
        actions.draft_faq(
            case=make.case(),
            question="問",
            answer="答",
            category="その他",
            by=make.staff(),
            at=make.NOW,
        )
