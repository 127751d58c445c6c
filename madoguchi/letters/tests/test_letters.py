from datetime import timedelta
from io import BytesIO

import openpyxl
import pytest
from django.test import Client

from madoguchi.audit.models import AuditEvent
from madoguchi.casework import actions as casework
from madoguchi.casework.models import Case
from madoguchi.casework.rules import Result, Understanding
from madoguchi.letters import actions, queries, rules
from madoguchi.letters.actions import Said
from madoguchi.letters.models import MayorLetter
from madoguchi.letters.rules import Outcome
from madoguchi.messaging.models import OutboundMessage
from madoguchi.residents.models import Resident
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db
TITLES = ("公園の遊具", "一時預かりの予約", "図書館の時間")


@pytest.fixture
def counsellor() -> User:
    return make.staff()


def receive(by: User, **more: object) -> MayorLetter:
    names = ("道路公園課", "保育課", "図書館")
    items = [
        Said(title, f"{title}について。", "request", make.category(), make.division(name))
        for title, name in zip(TITLES, names, strict=True)
    ]
    given: dict[str, object] = {
        "channel": "mayor_letter",
        "text": "市長さんへ。\n" + "\n".join(TITLES),
        "items": items,
        "received_on": make.NOW.date(),
        "sender": {"name": "渚 千尋", "kana": "", "phone": "09055550123"},
        "by": by,
        "at": make.NOW,
    }
    return actions.receive(**given | more)  # type: ignore[arg-type]


def conclude(letter: MayorLetter, by: User) -> None:
    for item in letter.items.select_related("case"):
        casework.close(
            case=item.case,
            conclusion=f"{item.case.title}の結論",
            result=Result.ADVISED.value,
            reason="確かめたため。",
            understanding=Understanding.AGREED.value,
            by=by,
            at=make.NOW,
        )
        actions.set_outcome(item=item, outcome=Outcome.NOTED, by=by, at=make.NOW)


class TestReceive:
    def test_each_item_is_a_case_of_its_own_division(self, counsellor: User) -> None:
        letter = receive(counsellor)

        owners = [item.case.owner.name for item in letter.items.all()]
        assert owners == ["道路公園課", "保育課", "図書館"]
        assert letter.number.startswith("市長-R8-0001")

    def test_the_sender_is_entered_once(self, counsellor: User) -> None:
        letter = receive(counsellor)

        assert Resident.objects.count() == 1
        assert {case.resident for case in Case.objects.all()} == {letter.resident}

    def test_an_anonymous_letter_stays_anonymous(self, counsellor: User) -> None:
        letter = receive(counsellor, sender=None)

        assert letter.resident is None
        assert not Resident.objects.exists()

    def test_it_is_to_be_answered_within_two_weeks_on_an_open_day(self, counsellor: User) -> None:
        letter = receive(counsellor)

        assert letter.due_on == make.NOW.date() + timedelta(days=14)

    def test_sent_twice_it_is_one_letter(self, counsellor: User) -> None:
        receive(counsellor, key=make.KEY)
        receive(counsellor, key=make.KEY)

        assert MayorLetter.objects.count() == 1
        assert Case.objects.count() == 3

    def test_numbers_have_no_gaps(self, counsellor: User) -> None:
        with pytest.raises(rules.NotReady):
            receive(counsellor, items=[])

        assert [receive(counsellor).number[-4:] for _ in range(2)] == ["0001", "0002"]


class TestAnswer:
    def test_not_before_every_item_is_concluded(self, counsellor: User) -> None:
        letter = receive(counsellor)

        with pytest.raises(rules.NotReady, match="項目1の案件"):
            actions.answer(letter=letter, text="ありがとう", by=counsellor, at=make.NOW)

    def test_not_without_a_result_for_each(self, counsellor: User) -> None:
        letter = receive(counsellor)
        conclude(letter, counsellor)
        letter.items.filter(position=2).update(outcome="")

        with pytest.raises(rules.NotReady, match="項目2の結果"):
            actions.answer(letter=letter, text="ありがとう", by=counsellor, at=make.NOW)

    def test_who_asked_for_one_gets_an_answer(self, counsellor: User) -> None:
        letter = receive(counsellor)
        conclude(letter, counsellor)

        with pytest.raises(rules.NotReady, match="回答文"):
            actions.answer(letter=letter, text=" ", by=counsellor, at=make.NOW)

    def test_one_answer_is_drafted_from_the_conclusions(self, counsellor: User) -> None:
        letter = receive(counsellor)
        conclude(letter, counsellor)

        text = queries.drafted_answer(queries.items_of(letter))

        assert [title for title in TITLES if f"{title}の結論" in text] == list(TITLES)

    def test_answered_is_answered(self, counsellor: User) -> None:
        letter = receive(counsellor)
        conclude(letter, counsellor)
        actions.answer(letter=letter, text="お答えします。", by=counsellor, at=make.NOW)

        with pytest.raises(rules.StepNotAllowed):
            actions.answer(letter=letter, text="もう一度", by=counsellor, at=make.NOW)
        with pytest.raises(rules.StepNotAllowed):
            item = letter.items.all()[0]
            actions.set_outcome(item=item, outcome=Outcome.DONE, by=counsellor, at=make.NOW)


def test_letters_and_items_are_counted_apart(counsellor: User) -> None:
    receive(counsellor)
    receive(counsellor)

    figures = queries.figures(year=2026, on=make.NOW.date())

    assert (figures.letters, figures.items) == (2, 6)


class TestPages:
    def test_a_letter_with_three_items_from_the_form(
        self, client: Client, counsellor: User
    ) -> None:
        client.force_login(counsellor)
        category, division = make.category(), make.division("保育課")
        form = {
            "received_on": "R8.11.20",
            "channel": "mayor_letter",
            "text": "三つのお願い",
            "wants_reply": "on",
            "form-TOTAL_FORMS": "4",
            "form-INITIAL_FORMS": "0",
        }
        for number, title in enumerate(TITLES):
            form |= {
                f"form-{number}-title": title,
                f"form-{number}-kind": "request",
                f"form-{number}-category": str(category.pk),
                f"form-{number}-owner": str(division.pk),
            }
        form["form-3-kind"] = "request"

        client.post("/staff/letters/new/", form)

        assert [item.case.title for item in MayorLetter.objects.get().items.all()] == list(TITLES)

    def test_an_item_half_filled_in_is_said_and_kept(
        self, client: Client, counsellor: User
    ) -> None:
        client.force_login(counsellor)

        answer = client.post(
            "/staff/letters/new/",
            {
                "received_on": "R8.11.20",
                "channel": "mayor_letter",
                "text": "お願い",
                "form-TOTAL_FORMS": "1",
                "form-INITIAL_FORMS": "0",
                "form-0-title": "公園の遊具",
                "form-0-kind": "request",
            },
        )

        page = answer.content.decode()
        assert "担当課を入れてください" in page
        assert "公園の遊具" in page
        assert not MayorLetter.objects.exists()

    def test_more_items_keep_what_was_typed(self, client: Client, counsellor: User) -> None:
        client.force_login(counsellor)
        sent = {
            "form-TOTAL_FORMS": "3",
            "form-INITIAL_FORMS": "0",
            "form-0-title": "公園",
            "do": "more",
        }

        page = client.post("/staff/letters/new/", sent).content.decode()

        assert 'value="公園"' in page
        assert "項目6" in page

    def test_reading_a_letter_is_in_the_trail(self, client: Client, counsellor: User) -> None:
        letter = receive(counsellor)
        client.force_login(counsellor)

        client.get(f"/staff/letters/{letter.pk}/")

        event = AuditEvent.objects.get(verb="mayor_letter.read")
        assert event.person == letter.resident_id

    def test_a_division_sees_its_item_and_not_the_letter(
        self, client: Client, counsellor: User
    ) -> None:
        letter = receive(counsellor)
        client.force_login(make.staff(Role.OFFICER, division=make.division("保育課")))

        assert client.get(f"/staff/letters/{letter.pk}/").status_code == 403
        own = letter.items.get(position=2).case
        page = client.get(f"/staff/cases/{own.number}/").content.decode()
        assert "一時預かりの予約" in page
        assert "図書館" not in page

    def test_a_restricted_item_hides_the_letter(self, client: Client, counsellor: User) -> None:
        letter = receive(counsellor)
        Case.objects.filter(pk=letter.items.get(position=1).case_id).update(is_sensitive=True)
        client.force_login(make.staff())

        assert client.get(f"/staff/letters/{letter.pk}/").status_code == 404
        assert letter.number not in client.get("/staff/letters/").content.decode()

    def test_excel_has_a_line_for_each_item(self, client: Client, counsellor: User) -> None:
        receive(counsellor)
        client.force_login(counsellor)

        book = openpyxl.load_workbook(BytesIO(client.get("/staff/letters/list.xlsx").content))

        assert book.worksheets[0].max_row == 4

    def test_no_mail_says_what_a_letter_says(self, counsellor: User) -> None:
        make.division("保育課", email="hoiku@shiomi.example")
        receive(counsellor)

        bodies = "".join(OutboundMessage.objects.values_list("body", flat=True))
        assert bodies
        assert "渚" not in bodies
        assert "一時預かり" not in bodies
