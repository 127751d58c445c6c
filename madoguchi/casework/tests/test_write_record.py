import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connection

from madoguchi.audit.models import AuditEvent
from madoguchi.casework import actions, rules
from madoguchi.casework.models import Case, Contact, Revision
from madoguchi.casework.rules import Channel, Status
from tests import make

pytestmark = pytest.mark.django_db


def write_record(case: Case, **more: object) -> Case:
    fields = {
        "case": case,
        "version": case.version,
        "kind": case.kind,
        "category": case.category,
        "title": case.title,
        "summary": "夫が亡くなった。年金の手続きが分からない。",
        "worries": {"income": True, "care": False},
        "channel": Channel.COUNTER.value,
        "text": "手続きの一覧を大きな字で印刷して説明した。",
        "minutes": 20,
        "by": case.received_by,
        "at": make.NOW,
    }
    return actions.write_record(**fields | more)  # type: ignore[arg-type]


def test_the_sheet_keeps_the_matter_the_worries_and_what_was_done() -> None:
    case = write_record(make.case())

    assert case.status == Status.IN_PROGRESS
    assert case.summary.startswith("夫が亡くなった")
    assert {str(worry) for worry in case.worries.all()} == {"◎収入・生活費のこと", "○介護のこと"}
    assert case.contacts.get().minutes == 20


def test_the_former_text_stays_to_be_read() -> None:
    case = make.case(summary="はじめの聞き取り")

    write_record(case)

    assert Revision.objects.get().summary == "はじめの聞き取り"


def test_saving_is_one_event_in_the_trail() -> None:
    case = make.case()

    write_record(case)

    assert AuditEvent.objects.get().verb == "case.write_record"


def test_a_second_save_does_not_overwrite_what_a_colleague_saved_in_between() -> None:
    case = make.case()
    write_record(case, summary="同僚の文")

    with pytest.raises(rules.EditConflict, match="先にこの記録を保存"):
        write_record(case, summary="わたしの文", version=1)

    case.refresh_from_db()
    assert case.summary == "同僚の文"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_at_once_one_is_told_and_nothing_is_overwritten() -> None:
    case = make.case(summary="はじめ")
    pairs = 20

    def save(turn: int, name: str) -> str | None:
        try:
            opened.wait(timeout=10)
            write_record(case, version=turn, summary=f"{turn}{name}")
        except rules.EditConflict:
            return None
        finally:
            connection.close()
        return f"{turn}{name}"

    kept = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for turn in range(1, pairs + 1):
            opened = threading.Barrier(2)
            kept += [name for name in pool.map(save, [turn] * 2, "甲乙") if name]

    texts = [*Revision.objects.order_by("version").values_list("summary", flat=True)]
    assert len(kept) == pairs
    assert [*texts, Case.objects.get().summary] == ["はじめ", *kept]


def test_adding_only_what_was_done_disturbs_nobody() -> None:
    case = make.case()
    write_record(case)
    saved = Case.objects.get()

    write_record(case, version=1, summary=saved.summary, title=saved.title, text="追記")

    assert Contact.objects.count() == 2


def test_the_same_sheet_sent_twice_is_kept_once() -> None:
    case, key = make.case(), uuid4()

    write_record(case, key=key)
    write_record(case, key=key)

    assert Contact.objects.count() == 1


def test_a_closed_case_is_read_not_written() -> None:
    case = make.case(status=Status.CLOSED, closed_at=make.NOW, closed_by=make.staff())

    with pytest.raises(rules.CaseClosed):
        write_record(case)
    with pytest.raises(rules.CaseClosed):
        actions.write_contact(
            case=case, channel="phone", text="追記", minutes=1, by=make.staff(), at=make.NOW
        )


def test_a_case_about_violence_becomes_restricted_when_it_is_named_so() -> None:
    case = write_record(make.case(), category=make.category("DV・虐待・人権", code="DV"))

    assert case.is_sensitive


def test_a_correction_stands_beside_what_it_corrects() -> None:
    case = make.case()
    first = actions.write_contact(
        case=case, channel="phone", text="10日に来庁", minutes=5, by=make.staff(), at=make.NOW
    )

    correction = actions.correct_contact(
        contact=first,
        text="11日に来庁",
        minutes=5,
        reason="日付の書き間違い",
        by=make.staff(),
        at=make.NOW,
    )

    first.refresh_from_db()
    assert (first.text, correction.text) == ("10日に来庁", "11日に来庁")


def test_a_record_is_corrected_once_then_its_correction() -> None:
    case = make.case()
    first = actions.write_contact(
        case=case, channel="phone", text="一", minutes=5, by=make.staff(), at=make.NOW
    )
    fix = {"minutes": 5, "reason": "誤り", "by": make.staff(), "at": make.NOW}
    second = actions.correct_contact(contact=first, text="二", **fix)  # type: ignore[arg-type]

    with pytest.raises(rules.StepNotAllowed, match="すでに訂正"):
        actions.correct_contact(contact=first, text="三", **fix)  # type: ignore[arg-type]

    assert actions.correct_contact(contact=second, text="三", **fix).corrects == second  # type: ignore[arg-type]
