from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError

from madoguchi.casework.models import (
    Closure,
    Contact,
    JointMeeting,
    RecordTerm,
    SurveyReply,
    SurveyScore,
    Worry,
)
from madoguchi.casework.rules import Status
from tests import make

pytestmark = pytest.mark.django_db
SOMEBODY = "somebody"


def _with_people(fields: dict[str, Any]) -> dict[str, Any]:
    by = make.staff()
    return {name: by if value is SOMEBODY else value for name, value in fields.items()}


@pytest.mark.parametrize(
    "fields",
    [
        {"status": Status.CLOSED.value},
        {"status": Status.CLOSED.value, "closed_at": make.NOW},
        {"closed_at": make.NOW, "closed_by": SOMEBODY},
        {"title": ""},
    ],
)
def test_a_closed_case_must_say_when_and_who(fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        make.case(**_with_people({"title": "件名"} | fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"note": ""},
        {"state": "accepted"},
        {"state": "accepted", "accepted_at": make.NOW},
        {"state": "arrived", "arrived_at": make.NOW, "arrived_by": SOMEBODY},
        {"state": "asked", "accepted_at": make.NOW, "accepted_by": SOMEBODY},
        {"state": "declined", "declined_at": make.NOW, "declined_by": SOMEBODY},
        {"state": "withdrawn", "withdrawn_at": make.NOW, "withdrawn_by": SOMEBODY},
        {
            "state": "returned",
            "accepted_at": make.NOW,
            "accepted_by": SOMEBODY,
            "returned_at": make.NOW,
            "returned_by": SOMEBODY,
        },
        {"outcome": "依頼中なのに記録がある"},
    ],
)
def test_the_state_of_a_request_matches_its_dates_and_people(fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        make.handover(**_with_people(fields))


def test_a_division_has_one_outstanding_request_of_a_kind() -> None:
    case = make.case()
    make.handover(case)

    with pytest.raises(IntegrityError):
        make.handover(case)


def test_a_case_has_one_worst_worry() -> None:
    case = make.case()
    Worry.objects.create(case=case, code="food", is_worst=True)

    with pytest.raises(IntegrityError):
        Worry.objects.create(case=case, code="debt", is_worst=True)


def contact(**more: object) -> Contact:
    fields = {"case": make.case(), "channel": "phone", "text": "一", "at": make.NOW}
    return Contact.objects.create(**fields | {"by": make.staff()} | more)


@pytest.mark.parametrize("fields", [{"text": ""}, {"correction_reason": "訂正していない"}])
def test_a_contact_says_something_and_corrects_with_a_reason(fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        contact(**fields)


def test_a_correction_without_a_reason_is_none() -> None:
    first = contact()

    with pytest.raises(IntegrityError):
        contact(case=first.case, corrects=first)


@pytest.mark.parametrize(
    "fields",
    [{"ended_at": make.NOW}, {"ended_at": make.NOW - timedelta(hours=1), "ended_by": SOMEBODY}],
)
def test_a_meeting_ends_after_it_starts_by_somebody(fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        JointMeeting.objects.create(
            **_with_people(
                {"case": make.case(), "started_at": make.NOW, "started_by": SOMEBODY} | fields
            )
        )


def closure(**more: object) -> Closure:
    token = str(Closure.objects.count())
    fields = {
        "case": more.pop("case", None) or make.case(),
        "conclusion": "済",
        "result": "advised",
        "reason": "足りた",
        "understanding": "agreed",
        "closed_at": make.NOW,
        "closed_by": make.staff(),
        "survey_token": token,
        "survey_code": token,
    }
    return Closure.objects.create(**fields | more)


@pytest.mark.parametrize(
    "fields",
    [
        {"conclusion": ""},
        {"reason": ""},
        {"result": ""},
        {"understanding": ""},
        {"reopened_reason": "だれも再開していない"},
        {"reopened_at": make.NOW},
    ],
)
def test_a_closure_is_complete(fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        closure(**fields)


def test_a_case_has_one_closure_in_force() -> None:
    first = closure()

    with pytest.raises(IntegrityError):
        closure(case=first.case)


def test_a_closure_gets_one_reply() -> None:
    made = closure()
    SurveyReply.objects.create(closure=made, at=make.NOW)

    with pytest.raises(IntegrityError):
        SurveyReply.objects.create(closure=made, at=make.NOW)


@pytest.mark.parametrize("score", [0, 6])
def test_a_score_lies_between_one_and_five(score: int) -> None:
    reply = SurveyReply.objects.create(closure=closure(), at=make.NOW)

    with pytest.raises(IntegrityError):
        SurveyScore.objects.create(reply=reply, item="overall", score=score)


@pytest.mark.parametrize("fields", [{"days": 0}, {"days": 61}, {"pk": 2}])
def test_the_city_has_one_term_for_records_of_some_days(fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        RecordTerm.objects.create(**{"pk": 1} | fields)
