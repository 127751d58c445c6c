import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from madoguchi.audit.models import AuditEvent
from madoguchi.casework.models import Case
from madoguchi.casework.rules import CaseClosed, Status
from madoguchi.foundation.models import LiveEvent
from madoguchi.intake import access, actions, rules
from madoguchi.intake.models import Message, Submission
from madoguchi.messaging.models import OutboundMessage
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db
TEXT = "隣の工場の音で眠れません。\n夜の10時からです。"


def submit(**more: Any) -> Submission:
    fields: dict[str, Any] = {
        "kind": rules.Kind.CONSULTATION.value,
        "category": more.pop("category", None) or make.category(),
        "text": TEXT,
        "name": "",
        "phone": "",
        "email": "",
        "wants_reply": True,
        "key": uuid4(),
        "at": make.NOW,
    }
    return actions.submit(**fields | more)


def take_up(submission: Submission, **more: Any) -> Case:
    by = more.pop("by", None) or make.staff()
    fields: dict[str, Any] = {
        "kind": submission.kind,
        "category": submission.category,
        "title": "夜の騒音",
        "owner": by.division,
        "at": make.NOW,
    }
    return actions.take_up(submission=submission, by=by, **fields | more)


def reply(submission: Submission, text: str = "測定に伺います。", **more: Any) -> Message:
    fields: dict[str, Any] = {"key": uuid4(), "by": make.staff(), "at": make.NOW}
    return actions.reply(submission=submission, text=text, **fields | more)


def test_a_form_sent_twice_is_one_matter_with_one_code() -> None:
    key = uuid4()

    first, second = submit(key=key), submit(key=key)

    assert first == second
    assert first.number == "W8-00001"
    assert Message.objects.count() == 1


def test_number_and_code_open_it_however_they_are_typed() -> None:
    key = UUID(int=7)
    submission = submit(key=key)
    code = rules.make_code(key=str(key), secret=settings.SECRET_KEY)

    assert access.submission_by_code("ｗ８ー00001", code.lower()) == submission
    assert access.submission_by_code("w8 00001", rules.show_code(code)) == submission
    assert access.submission_by_code("W8-00001", "AAAAAAAAAA") is None
    assert access.submission_by_code("W8-99999", code) is None
    assert access.submission_by_code("", "") is None


def test_the_code_itself_is_not_kept() -> None:
    submission = submit()

    code = rules.make_code(key=str(submission.key), secret=settings.SECRET_KEY)
    kept = str(list(Submission.objects.values())) + str(list(AuditEvent.objects.values()))
    assert len(code) == 10
    assert code not in kept


def test_the_screens_of_the_centre_hear_of_it_and_the_trail_holds_no_word_of_it() -> None:
    centre = make.centre()

    submission = submit(name="山田 太郎")

    assert LiveEvent.objects.filter(topic=f"division.{centre.pk}").count() == 1
    event = AuditEvent.objects.get(verb="submission.submit")
    assert (event.actor, event.target_key) == ("resident", submission.number)
    assert "工場" not in str(event.__dict__)
    assert "山田" not in str(event.__dict__)


def test_taken_up_it_is_one_case_with_the_text_and_the_channel() -> None:
    submission = submit()

    first, second = take_up(submission), take_up(submission)

    assert first == second
    assert (first.channel, first.summary) == ("form", TEXT)
    assert Case.objects.count() == 1


def test_a_confidential_field_restricts_the_case_and_its_messages() -> None:
    submission = submit(category=make.category("DV・虐待・人権", code="DV"))
    take_up(submission, by=make.staff(username="a"))
    other = make.staff(username="b")

    assert not access.visible_submissions(other).exists()


def test_until_it_is_a_case_only_the_centre_knows_of_it() -> None:
    submit()
    officer = make.staff(role=Role.OFFICER, division=make.division())

    assert not access.visible_submissions(officer).exists()
    assert access.visible_submissions(make.staff()).exists()


def test_an_answer_needs_a_case() -> None:
    with pytest.raises(rules.NotTakenUp):
        reply(submit())


def test_an_answer_stands_on_the_page_and_with_the_question_in_the_case() -> None:
    submission = submit()
    case = take_up(submission)
    later = make.NOW.replace(hour=11)
    actions.write_again(submission=submission, text="昨夜もです。", key=uuid4(), at=later)

    key = uuid4()
    by = make.staff()
    message = reply(submission, key=key, by=by, at=make.NOW.replace(hour=12))
    again = reply(submission, key=key, by=by, at=make.NOW.replace(hour=13))

    assert message == again
    text = case.contacts.get().text
    assert text == "【市民から】\n昨夜もです。\n\n【返事】\n測定に伺います。"


def test_a_closed_case_is_answered_no_more_but_the_resident_may_write() -> None:
    submission = submit()
    case = take_up(submission)
    by = make.staff()
    Case.objects.filter(pk=case.pk).update(
        status=Status.CLOSED.value, closed_at=make.NOW, closed_by=by
    )

    with pytest.raises(CaseClosed):
        reply(submission)
    after = make.NOW.replace(hour=15)
    actions.write_again(submission=submission, text="また始まりました。", key=uuid4(), at=after)

    submission.refresh_from_db()
    assert submission.stage is rules.Stage.ENDED
    assert access.waiting(access.visible_submissions(make.staff())).get() == submission


def test_who_waits_is_on_the_list_and_leaves_it_with_the_answer() -> None:
    submission = submit()
    user = make.staff()
    take_up(submission)

    assert access.waiting(access.visible_submissions(user)).exists()
    reply(submission, at=make.NOW.replace(hour=11))
    assert not access.waiting(access.visible_submissions(user)).exists()


def test_the_mail_about_an_answer_says_nothing_of_it() -> None:
    submission = submit(email="hanako@mail.example", name="山田 花子")
    take_up(submission)

    reply(submission)

    mail = OutboundMessage.objects.get()
    assert mail.to == "hanako@mail.example"
    told = mail.subject + mail.body
    for word in ("工場", "測定", "花子", submission.number, "騒音", "相談"):
        assert word not in told


@pytest.mark.parametrize("more", [{"email": ""}, {"wants_reply": False}])
def test_no_mail_without_an_address_or_the_wish(more: dict[str, Any]) -> None:
    submission = submit(**({"email": "hanako@mail.example"} | more))
    take_up(submission)

    reply(submission)

    assert not OutboundMessage.objects.exists()


def test_the_tables_refuse_half_a_taking_and_an_empty_message() -> None:
    submission = submit()

    with pytest.raises(IntegrityError), transaction.atomic():
        Submission.objects.filter(pk=submission.pk).update(taken_at=make.NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.create(submission=submission, key=uuid4(), text="", at=make.NOW)


@pytest.mark.django_db(transaction=True)
def test_a_form_sent_eight_times_at_once_is_one_matter() -> None:
    category, key = make.category(), uuid4()
    start = threading.Barrier(8)

    def one(_: int) -> str:
        try:
            start.wait(timeout=10)
            return submit(category=category, key=key).number
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=8) as pool:
        numbers = set(pool.map(one, range(8)))

    assert numbers == {"W8-00001"}
    assert Message.objects.count() == 1
    assert submit(category=category).number == "W8-00002"  # a lost race left no gap
