from datetime import timedelta
from io import BytesIO
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook
from pytest_django import DjangoAssertNumQueries

from madoguchi.audit.models import AuditEvent
from madoguchi.casework import access, actions
from madoguchi.casework.models import Case, Category, Closure, Contact, Handover, RecordTerm
from madoguchi.casework.rules import HandoverKind, HandoverState, Status
from madoguchi.knowledge.models import Faq
from madoguchi.offices.models import Room
from madoguchi.residents.models import Resident
from madoguchi.staff import actions as staff
from madoguchi.staff.models import Draft, User
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(name: str, *args: object) -> str:
    return reverse(f"casework:{name}", args=args)


def officer(division: str = "保育課", role: Role = Role.OFFICER) -> User:
    return make.staff(role, division=make.division(division))


class TestList:
    def test_an_empty_list_says_what_to_do(self) -> None:
        page = signed_in(make.staff()).get(url("cases")).content.decode()

        assert "対応中の案件はありません" in page
        assert url("receive") in page

    def test_the_list_begins_with_what_is_open(self) -> None:
        make.case("開いている案件")
        make.case("終わった案件", status=Status.CLOSED, closed_at=make.NOW, closed_by=make.staff())
        client = signed_in(make.staff())

        beginning = client.get(url("cases")).content.decode()
        everything = client.get(url("cases"), {"status": ""}).content.decode()

        assert "開いている案件" in beginning and "終わった案件" not in beginning
        assert "終わった案件" in everything

    @pytest.mark.parametrize(
        "words", ["高橋", "髙橋", "たかはし", "ﾀｶﾊｼ", "R8-77777", "ｒ８－７７７７７", "点字"]
    )
    def test_a_case_is_found_by_number_name_and_words_in_any_spelling(self, words: str) -> None:
        person = make.resident("髙橋 トミ", kana="タカハシ トミ")
        make.case("広報の点字版", resident=person, number="R8-77777")
        make.case("ほかの案件")

        page = signed_in(make.staff()).get(url("cases"), {"q": words}).content.decode()

        assert "R8-77777" in page
        assert "ほかの案件" not in page

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("kind", "complaint"),
            ("channel", "line"),
            ("status", "in_progress"),
            ("since", "R8.12.1"),
            ("mine", "on"),
        ],
    )
    def test_the_list_is_narrowed_by_the_address(self, field: str, value: str) -> None:
        me = make.staff()
        wanted = make.case(
            "さがす案件",
            kind="complaint",
            channel="line",
            status=Status.IN_PROGRESS,
            received_at=make.NOW + timedelta(days=10),
        )
        actions.involve(case=wanted, user=me, by=me, at=make.NOW)
        make.case("ほかの案件")

        page = signed_in(me).get(url("cases"), {field: value}).content.decode()

        assert "さがす案件" in page
        assert "ほかの案件" not in page

    def test_a_date_that_is_none_is_said_on_the_field_and_kept(self) -> None:
        page = signed_in(make.staff()).get(url("cases"), {"since": "きのう"}).content.decode()

        assert "日付として読めません" in page
        assert 'value="きのう"' in page

    def test_the_number_of_queries_does_not_grow_with_the_list(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(3):
            make.case(resident=make.resident())
        client = signed_in(make.staff())
        client.get(url("cases"))
        few = _queries(client, url("cases"))
        for _ in range(30):
            make.case(resident=make.resident())

        with django_assert_num_queries(few):
            client.get(url("cases"))
        assert few <= 16

    def test_one_event_says_whose_cases_the_list_showed(self) -> None:
        case = make.case()

        signed_in(make.staff()).get(url("cases"))

        assert AuditEvent.objects.get(verb="case.list").detail == {"ids": [case.pk]}

    def test_excel_holds_the_list_and_no_formula(self) -> None:
        make.case("=HYPERLINK(1)")

        answer = signed_in(make.staff()).get(url("cases_excel"))

        sheet = load_workbook(BytesIO(answer.content)).active
        assert sheet is not None
        assert sheet["F2"].value == "=HYPERLINK(1)"
        assert sheet["F2"].data_type == "s"

    def test_excel_holds_every_case_of_a_list_of_many_parts_and_the_trail_says_which(
        self,
    ) -> None:
        one = make.case()
        same = {f.name: getattr(one, f.name) for f in Case._meta.concrete_fields if f.name != "id"}
        Case.objects.bulk_create(Case(**same | {"number": f"R7-{n:05d}"}) for n in range(1_500))

        answer = signed_in(make.staff()).get(url("cases_excel"))

        sheet = load_workbook(BytesIO(answer.content), read_only=True).active
        assert sheet is not None
        numbers = {row[0] for row in sheet.iter_rows(min_row=2, max_col=1, values_only=True)}
        assert len(numbers) == 1_501
        listed = AuditEvent.objects.get(verb="case.excel").detail["ids"]
        assert listed == sorted(Case.objects.values_list("pk", flat=True))

    def test_more_than_a_sheet_holds_is_said_on_the_page_and_not_cut_off(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("madoguchi.foundation.spreadsheets.MAX_ROWS", 1)
        make.case()
        make.case()

        page = signed_in(make.staff()).get(url("cases_excel"), follow=True)

        assert "条件を絞ってください" in page.content.decode()
        assert not AuditEvent.objects.filter(verb="case.excel").exists()

    def test_a_restricted_case_is_not_in_the_list_of_those_who_do_not_work_on_it(self) -> None:
        case = make.case("配偶者からの暴力", is_sensitive=True)
        stranger, head = make.staff(), make.staff(Role.CENTRE_HEAD)
        worker = make.staff()
        actions.involve(case=case, user=worker, by=worker, at=make.NOW)

        for query in ({}, {"q": "暴力"}):
            assert "配偶者" not in signed_in(stranger).get(url("cases"), query).content.decode()
        assert "暴力" in signed_in(head).get(url("cases")).content.decode()
        assert "暴力" in signed_in(worker).get(url("cases")).content.decode()


def _queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    return len(captured)


class TestCase:
    def test_everything_that_happened_stands_in_one_line_of_time(self) -> None:
        case = make.case(resident=make.resident())
        me = case.received_by
        actions.write_contact(
            case=case, channel="phone", text="電話で伝えた", minutes=10, by=me, at=make.NOW
        )
        handover = make.handover(case)
        by = officer()
        actions.arrive(handover=handover, by=by, at=make.NOW)
        actions.return_record(handover=handover, outcome="点数を説明", by=by, at=make.NOW)
        actions.close(
            case=case,
            conclusion="申込みを済ませた",
            result="joined",
            reason="要件を満たす",
            understanding="agreed",
            by=me,
            at=make.NOW,
        )

        page = signed_in(me).get(url("case", case.number)).content.decode()

        for words in (
            "窓口で受理",
            "電話で伝えた",
            "保育課へ出向依頼",
            "保育課が到着",
            "点数を説明",
            "同席を開始",
            "同席を終了",
            "申込みを済ませた",
            "理解し、納得された",
        ):
            assert words in page

    def test_reading_is_one_event_that_names_the_person(self) -> None:
        person = make.resident()
        case = make.case(resident=person)

        signed_in(make.staff()).get(url("case", case.number))

        event = AuditEvent.objects.get(verb="case.read")
        assert (event.target_key, event.person) == (case.number, person.pk)

    def test_the_number_of_queries_does_not_grow_with_the_timeline(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        case = make.case(resident=make.resident())
        me = case.received_by
        make.handover(case)
        contact = {"case": case, "channel": "phone", "minutes": 1, "by": me, "at": make.NOW}
        actions.write_contact(text="一", **contact)  # type: ignore[arg-type]
        client = signed_in(me)
        client.get(url("case", case.number))
        few = _queries(client, url("case", case.number))
        for turn in range(10):
            actions.write_contact(text=f"{turn}", **contact)  # type: ignore[arg-type]
            make.handover(case, to=make.division(f"{turn}課"))

        with django_assert_num_queries(few):
            client.get(url("case", case.number))
        assert few <= 28

    def test_accommodations_stand_at_the_top(self) -> None:
        person = make.resident()
        person.accommodations.create(kind="声の大きさ", note="大きな声でゆっくり")
        case = make.case(resident=person)

        for name in ("case", "write_record"):
            page = signed_in(make.staff()).get(url(name, case.number)).content.decode()
            assert "大きな声でゆっくり" in page

    def test_a_restricted_address_is_on_no_page_of_the_case(self) -> None:
        person = make.resident(
            is_restricted=True, phone="09000000101", address="汐見市港町2丁目", email="a@b.jp"
        )
        case = make.case(resident=person)
        client = signed_in(case.received_by)

        for name in ("case", "write_record", "ask_division", "sheet", "close", "identify"):
            page = client.get(url(name, case.number)).content.decode()
            assert "港町" not in page
            assert "09000000101" not in page.replace("-", "")

    @pytest.mark.parametrize(
        "name", ["case", "write_record", "ask_division", "close", "sheet", "restrict", "involve"]
    )
    def test_another_division_cannot_know_that_the_case_exists(self, name: str) -> None:
        case = make.case()

        answer = signed_in(officer("衛生課", Role.SUPERVISOR)).get(url(name, case.number))

        assert answer.status_code in (403, 404)
        if name not in ("ask_division",):  # whoever may not ask at all is told so
            assert answer.status_code == 404

    def test_a_division_that_was_asked_reads_the_case_but_does_not_write_it(self) -> None:
        case = make.case()
        make.handover(case)
        client = signed_in(officer())

        assert client.get(url("case", case.number)).status_code == 200
        assert client.get(url("write_record", case.number)).status_code == 403

    def test_an_outside_body_sees_the_request_and_nothing_else(self) -> None:
        case = make.case()
        outside = make.division("社会福祉協議会", is_outside=True)
        handover = make.handover(case, to=outside)
        client = signed_in(make.staff(Role.OFFICER, division=outside))

        assert client.get(url("handover", handover.pk)).status_code == 200
        assert client.get(url("case", case.number)).status_code == 404
        assert case.number not in client.get(url("cases")).content.decode()

    @pytest.mark.parametrize(
        "name", ["write_record", "ask_division", "close", "restrict", "involve", "identify"]
    )
    def test_a_closed_case_is_read_not_changed(self, name: str) -> None:
        case = make.case(status=Status.CLOSED, closed_at=make.NOW, closed_by=make.staff())
        client = signed_in(make.staff())

        assert client.get(url(name, case.number)).status_code == 403
        assert client.post(url(name, case.number)).status_code == 403

    def test_an_open_screen_gets_only_what_changes(self) -> None:
        case = make.case()

        page = signed_in(make.staff()).get(
            url("case", case.number), headers={"HX-Request": "true"}
        )

        assert "<html" not in page.content.decode()
        assert "経過" in page.content.decode()

    def test_the_sheet_is_printed_with_boxes_for_the_seals(self) -> None:
        case = make.case()

        page = signed_in(make.staff()).get(url("sheet", case.number)).content.decode()

        assert "決裁欄" in page
        assert case.summary in page

    def test_a_colleague_of_the_case_who_is_away_is_named_with_the_stand_in(self) -> None:
        case = make.case(received_by=make.staff(name="三好 恵子"))
        make.absence(case.received_by, stand_in=make.staff(name="大西 葉月"))
        make.absence(make.staff(name="村上 誠"))

        page = signed_in(make.staff()).get(url("case", case.number)).content.decode()

        assert "担当者不在　1人" in page
        assert "大西 葉月" in page
        assert "村上 誠" not in page


class TestReceive:
    def fields(self, **more: str) -> dict[str, str]:
        return {
            "key": str(uuid4()),
            "title": "粗大ごみの出し方",
            "summary": "",
            "channel": "phone",
            "kind": "inquiry",
            "category": str(make.category().pk),
        } | more

    def test_three_fields_are_enough(self) -> None:
        answer = signed_in(make.staff()).post(url("receive"), self.fields())

        case = Case.objects.get()
        assert answer["Location"] == url("case", case.number)
        assert (case.title, case.resident) == ("粗大ごみの出し方", None)

    def test_the_same_form_twice_is_one_case_and_one_newcomer(self) -> None:
        client, fields = signed_in(make.staff()), self.fields(name="新田 次郎")

        client.post(url("receive"), fields)
        client.post(url("receive"), fields | {"person": "new"})

        assert Case.objects.count() == Resident.objects.count() == 1

    def test_somebody_known_is_offered_whatever_the_spelling(self) -> None:
        known = make.resident("髙橋 トミ", kana="タカハシ トミ")
        client, fields = signed_in(make.staff()), self.fields(name="高橋トミ")

        offered = client.post(url("receive"), fields | {"do": "find"}).content.decode()
        undecided = client.post(url("receive"), fields).content.decode()
        client.post(url("receive"), fields | {"person": str(known.pk)})

        assert "髙橋 トミ" in offered and "粗大ごみの出し方" in offered
        assert "同じお名前の方" in undecided
        assert Case.objects.get().resident == known

    def test_a_namesake_is_registered_as_somebody_new(self) -> None:
        make.resident("山田 太郎")

        signed_in(make.staff()).post(
            url("receive"), self.fields(name="山田 太郎", person="new", phone="0900000-0103")
        )

        assert Resident.objects.count() == 2
        assert Case.objects.get().resident_id == Resident.objects.latest("pk").pk

    def test_looking_somebody_up_is_in_the_trail(self) -> None:
        known = make.resident("髙橋 トミ")

        signed_in(make.staff()).post(url("receive"), self.fields(name="高橋", do="find"))

        assert AuditEvent.objects.get(verb="resident.list").detail == {"ids": [known.pk]}

    def test_bad_input_is_marked_and_kept(self) -> None:
        page = (
            signed_in(make.staff())
            .post(url("receive"), self.fields(title="", summary="長い話", phone="12"))
            .content.decode()
        )

        assert "件名を入力してください" in page
        assert "電話番号は" in page
        assert "長い話" in page
        assert not Case.objects.exists()

    def test_what_was_typed_comes_back_after_a_crash(self) -> None:
        me = make.staff()
        staff.save_draft(user=me, form="case.new", fields={"title": "書きかけの件名"}, at=make.NOW)
        client = signed_in(me)

        assert "書きかけの件名" in client.get(url("receive")).content.decode()
        client.post(url("receive"), self.fields())
        assert not Draft.objects.exists()

    def test_what_was_done_is_kept_with_its_minutes(self) -> None:
        client = signed_in(make.staff())

        refused = client.post(url("receive"), self.fields(minutes="5")).content.decode()
        client.post(url("receive"), self.fields(minutes="5", text="収集日を伝えた"))

        assert "時間を残すときは" in refused
        assert Contact.objects.get().minutes == 5

    def test_a_visit_becomes_a_record_with_one_press(self) -> None:
        visit = make.visit(
            status="serving",
            counter=make.counter("相談1"),
            officer=make.staff(),
            called_at=make.NOW,
            started_at=make.NOW,
        )

        stranger = signed_in(officer("衛生課")).post(url("open_from_visit", visit.pk))
        answer = signed_in(make.staff()).post(url("open_from_visit", visit.pk))

        case = Case.objects.get()
        assert answer["Location"] == url("write_record", case.number)
        assert case.visit == visit
        assert stranger.status_code == 404


class TestRecord:
    def fields(self, case: Case, **more: object) -> dict[str, object]:
        return {
            "key": str(uuid4()),
            "version": case.version,
            "title": case.title,
            "kind": case.kind,
            "category": case.category_id,
            "summary": "聞き取った内容",
            "channel": "counter",
            "text": "",
            "minutes": "",
        } | more

    def test_the_sheet_is_saved_and_one_can_go_on_writing(self) -> None:
        case = make.case()

        answer = signed_in(case.received_by).post(
            url("write_record", case.number),
            self.fields(case, do="stay", worries=["debt", "food"], worst="food", text="助言した"),
        )

        case.refresh_from_db()
        assert answer["Location"] == url("write_record", case.number)
        assert case.summary == "聞き取った内容"
        assert {str(worry) for worry in case.worries.all()} == {
            "○債務について",
            "◎食べるものがない",
        }

    def test_two_officers_at_once_lose_nothing(self) -> None:
        case = make.case()
        first, second = signed_in(make.staff()), signed_in(make.staff())
        address = url("write_record", case.number)

        first.post(address, self.fields(case, summary="先の人の文"))
        page = second.post(address, self.fields(case, summary="後の人の文")).content.decode()

        assert "先の人の文" in page and "後の人の文" in page
        case.refresh_from_db()
        assert case.summary == "先の人の文"
        second.post(address, self.fields(case, summary="先の人の文と、後の人の文", version=2))
        case.refresh_from_db()
        assert case.summary == "先の人の文と、後の人の文"

    def test_the_second_officer_sees_word_by_word_what_differs(self) -> None:
        case = make.case()
        first, second = signed_in(make.staff()), signed_in(make.staff())
        address = url("write_record", case.number)

        first.post(address, self.fields(case, summary="電話は午前に限る", worries=["debt"]))
        page = second.post(
            address, self.fields(case, summary="電話は午後に限る", worries=["care"])
        ).content.decode()

        assert (
            '電話は<del class="difference">午前</del><ins class="difference">午後</ins>に' in page
        )
        assert "<dt>困りごと</dt>" in page
        assert page.count('<dd class="differences">') == 2

    def test_what_was_typed_comes_back_after_a_crash_and_goes_with_the_saving(self) -> None:
        case = make.case()
        me, form = case.received_by, f"case.{case.number}.record"
        staff.save_draft(
            user=me, form=form, fields={"summary": "話の途中", "worries": "debt"}, at=make.NOW
        )
        client = signed_in(me)

        page = client.get(url("write_record", case.number)).content.decode()
        client.post(url("write_record", case.number), self.fields(case))

        assert "話の途中" in page and "書きかけの内容を戻しました" in page
        assert not Draft.objects.exists()

    def test_bad_input_is_marked_and_kept(self) -> None:
        case = make.case()

        page = (
            signed_in(case.received_by)
            .post(url("write_record", case.number), self.fields(case, title="", minutes="長い"))
            .content.decode()
        )

        assert "件名を入力してください" in page
        assert "聞き取った内容" in page
        assert 'value="長い"' in page

    def test_a_record_is_corrected_with_a_reason(self) -> None:
        case = make.case()
        contact = actions.write_contact(
            case=case, channel="phone", text="十日", minutes=5, by=make.staff(), at=make.NOW
        )
        client = signed_in(case.received_by)
        address = url("correct_contact", case.number, contact.pk)

        refused = client.post(address, {"text": "十一日", "reason": ""}).content.decode()
        client.post(address, {"text": "十一日", "reason": "書き間違い"})

        assert "訂正の理由を入力" in refused and "十一日" in refused
        page = client.get(url("case", case.number)).content.decode()
        assert "十日" in page and "十一日" in page and "書き間違い" in page


class TestRequests:
    def ask(self, client: Client, case: Case, **more: object) -> object:
        return client.post(
            url("ask_division", case.number),
            {
                "key": str(uuid4()),
                "kind": "come",
                "to": make.division().pk,
                "room": (Room.objects.first() or make.room("相談室2")).pk,
                "note": "入所の点数を説明してほしい。",
                "due_on": "R18.12.1",
            }
            | more,
        )

    def test_the_form_begins_with_what_the_counsellor_knows(self) -> None:
        person = make.resident()
        person.accommodations.create(kind="声の大きさ")
        case = make.case("保育所の申込み", summary="四月から働きたい。", resident=person)
        actions.write_contact(
            case=case,
            channel="phone",
            text="案内を渡した",
            minutes=5,
            by=make.staff(),
            at=make.NOW,
        )

        page = signed_in(make.staff()).get(url("ask_division", case.number)).content.decode()

        for words in ("保育所の申込み", "四月から働きたい。", "案内を渡した", "声の大きさ"):
            assert words in page

    def test_a_division_is_asked_and_its_worklist_shows_it(self) -> None:
        case = make.case()

        self.ask(signed_in(case.received_by), case)

        page = signed_in(officer()).get(url("requests")).content.decode()
        assert case.number in page
        assert "相談室2" in page
        assert (
            case.number not in signed_in(officer("衛生課")).get(url("requests")).content.decode()
        )

    def test_bad_input_is_marked_and_kept(self) -> None:
        case = make.case()

        page = self.ask(
            signed_in(case.received_by), case, to="", due_on="R1.5.1", note="書いた説明"
        )

        text = page.content.decode()  # type: ignore[attr-defined]
        assert "依頼先を選んでください" in text
        assert "今日より後の日" in text
        assert "書いた説明" in text

    def test_a_restricted_request_is_seen_by_the_named_officer_only(self) -> None:
        case = make.case(is_sensitive=True)
        actions.involve(case=case, user=case.received_by, by=case.received_by, at=make.NOW)
        named, colleague = officer(), officer()

        page = self.ask(signed_in(case.received_by), case)
        assert "担当する職員を選んで" in page.content.decode()  # type: ignore[attr-defined]
        self.ask(signed_in(case.received_by), case, officer=named.pk)

        handover = Handover.objects.get()
        assert case.number in signed_in(named).get(url("requests")).content.decode()
        assert case.number not in signed_in(colleague).get(url("requests")).content.decode()
        assert signed_in(colleague).get(url("handover", handover.pk)).status_code == 404

    def test_the_officer_comes_in_ten_minutes_and_returns_the_record(self) -> None:
        handover = make.handover()
        client = signed_in(officer())

        client.post(url("accept", handover.pk), {"minutes": "10"})
        handover.refresh_from_db()
        assert handover.expected_at is not None and handover.accepted_at is not None
        assert handover.expected_at - handover.accepted_at == timedelta(minutes=10)
        client.post(url("arrive", handover.pk))
        refused = client.post(url("return_record", handover.pk), {"outcome": ""}).content.decode()
        client.post(url("return_record", handover.pk), {"outcome": "点数を説明した"})

        handover.refresh_from_db()
        assert "対応記録を入力してください" in refused
        assert handover.state == HandoverState.RETURNED
        assert "点数を説明した" in client.get(url("handover", handover.pk)).content.decode()

    def test_coming_needs_a_time_and_taking_on_does_not(self) -> None:
        come, take = make.handover(), make.handover(kind=HandoverKind.TAKE.value)
        client = signed_in(officer())

        page = client.post(url("accept", come.pk), {"time": "25時"}).content.decode()
        client.post(url("accept", take.pk))

        assert "時刻は「14:30」のように" in page
        take.refresh_from_db()
        assert take.state == HandoverState.ACCEPTED

    def test_declining_needs_a_reason(self) -> None:
        handover = make.handover()
        client = signed_in(officer())

        page = client.post(url("decline", handover.pk), {"reason": ""}).content.decode()
        client.post(url("decline", handover.pk), {"reason": "納税課の所管"})

        assert "理由を入力してください" in page
        handover.refresh_from_db()
        assert handover.declined_reason == "納税課の所管"

    @pytest.mark.parametrize("name", ["accept", "arrive", "decline", "return_record"])
    def test_another_division_cannot_answer(self, name: str) -> None:
        handover = make.handover()

        assert signed_in(officer("衛生課")).post(url(name, handover.pk)).status_code == 404

    @pytest.mark.parametrize("name", ["accept", "arrive", "decline", "return_record"])
    def test_the_centre_does_not_answer_for_a_division_but_for_an_outside_body(
        self, name: str
    ) -> None:
        outside = make.division("法テラス", is_outside=True)
        centre = signed_in(make.staff())

        assert centre.post(url(name, make.handover().pk)).status_code == 403
        assert centre.post(url(name, make.handover(to=outside).pk)).status_code in (200, 302)

    def test_the_centre_takes_a_request_back_with_a_reason(self) -> None:
        handover = make.handover()

        signed_in(make.staff()).post(url("withdraw", handover.pk), {"reason": "解決した"})

        handover.refresh_from_db()
        assert handover.state == HandoverState.WITHDRAWN

    def test_a_late_record_is_seen_by_the_division_its_supervisor_and_the_centre(self) -> None:
        case = make.case()
        make.handover(case, due_on=make.NOW.date() - timedelta(days=400))

        for user in (officer(), officer(role=Role.SUPERVISOR), make.staff()):
            page = signed_in(user).get(url("overdue")).content.decode()
            assert case.number in page
            assert "期限超過" in page
        assert case.number not in signed_in(officer("衛生課")).get(url("overdue")).content.decode()


class TestClose:
    FIELDS = {
        "result": "advised",
        "conclusion": "書き方を説明した。",
        "reason": "記入例で足りた。",
        "understanding": "agreed",
    }

    def test_a_case_is_closed_and_the_survey_is_at_hand(self) -> None:
        case = make.case()
        client = signed_in(case.received_by)

        answer = client.post(url("close", case.number), self.FIELDS | {"key": str(uuid4())})

        assert answer["Location"] == url("survey_card", case.number)
        closure = Closure.objects.get()
        for address in (
            url("survey_card", case.number),
            url("survey_card", case.number) + "?print",
        ):
            page = client.get(address).content.decode()
            assert "<svg" in page
            assert closure.survey_code[:4] in page
            assert case.title not in page

    def test_pressing_twice_leads_to_the_same_page(self) -> None:
        case, fields = make.case(), self.FIELDS | {"key": str(uuid4())}
        client = signed_in(case.received_by)

        first = client.post(url("close", case.number), fields)
        second = client.post(url("close", case.number), fields)

        assert first["Location"] == second["Location"]
        assert Closure.objects.count() == 1

    @pytest.mark.parametrize("missing", sorted(FIELDS))
    def test_each_field_is_required_and_the_rest_is_kept(self, missing: str) -> None:
        case = make.case()

        page = (
            signed_in(case.received_by)
            .post(url("close", case.number), self.FIELDS | {missing: ""})
            .content.decode()
        )

        assert "field--wrong" in page
        assert not Closure.objects.exists()
        if missing != "conclusion":
            assert "書き方を説明した。" in page

    def test_an_outstanding_record_asks_for_a_reason(self) -> None:
        case = make.case()
        make.handover(case)
        client = signed_in(case.received_by)

        page = client.post(url("close", case.number), self.FIELDS).content.decode()
        client.post(url("close", case.number), self.FIELDS | {"without_record_reason": "解決済み"})

        assert "対応記録がまだ返っていません" in page
        assert Closure.objects.get().without_record_reason == "解決済み"

    def test_a_closed_case_is_reopened_with_a_reason(self) -> None:
        case = make.case()
        client = signed_in(case.received_by)
        client.post(url("close", case.number), self.FIELDS)

        page = client.post(url("reopen", case.number), {"reason": ""}).content.decode()
        client.post(url("reopen", case.number), {"reason": "再び来庁"})

        case.refresh_from_db()
        assert "理由を入力してください" in page
        assert not case.is_closed

    def test_officers_without_the_verb_close_nothing(self) -> None:
        case = make.case(owner=make.division())

        assert signed_in(officer()).get(url("close", case.number)).status_code == 403


def closed(
    title: str = "転入届の書き方", conclusion: str = "記入例を渡した。", **more: object
) -> Case:
    case = make.case(title, **more)
    actions.close(
        case=case,
        conclusion=conclusion,
        result="advised",
        reason="足りた。",
        understanding="agreed",
        by=case.received_by,
        at=make.NOW,
    )
    case.refresh_from_db()
    return case


class TestIdentify:
    @pytest.fixture
    def case(self) -> Case:
        booked = make.appointment(status="arrived", phone="09012345678")
        visit = make.visit(booked.service, appointment=booked, booked_for=booked.start)
        return make.case(visit=visit)

    def booking_page(self, case: Case) -> str:
        assert case.visit is not None and case.visit.appointment is not None
        page = signed_in(make.staff()).get(
            reverse("booking:appointment_for_resident", args=[case.visit.appointment.number])
        )
        return page.content.decode()

    def say(self, case: Case, person: Resident) -> None:
        signed_in(case.received_by).post(
            url("identify", case.number), {"name": person.name, "person": str(person.pk)}
        )

    def test_the_phone_of_the_booking_is_hidden_once_it_is_of_a_restricted_person(
        self, case: Case
    ) -> None:
        form = signed_in(case.received_by)
        before = form.get(url("identify", case.number)).content.decode()
        assert "09012345678" in before and "090-1234-5678" in self.booking_page(case)

        self.say(case, make.resident(is_restricted=True))

        after = form.get(url("identify", case.number)).content.decode()
        assert "山田 太郎" in after and "09012345678" not in after
        assert "090-1234-5678" not in self.booking_page(case)
        assert AuditEvent.objects.filter(verb="visit.identify").count() == 1

    def test_naming_somebody_else_afterwards_shows_nothing_again(self, case: Case) -> None:
        self.say(case, make.resident(is_restricted=True))

        self.say(case, make.resident("佐藤 次郎"))

        assert "090-1234-5678" not in self.booking_page(case)

    def test_without_restriction_a_mistake_is_put_right(self, case: Case) -> None:
        self.say(case, make.resident("佐藤 次郎"))
        right = make.resident("鈴木 三郎")

        self.say(case, right)

        assert case.visit is not None and case.visit.appointment is not None
        case.visit.refresh_from_db()
        case.visit.appointment.refresh_from_db()
        assert case.visit.resident == case.visit.appointment.resident == right


class TestFaq:
    def test_what_looks_personal_is_decided_by_a_person(self) -> None:
        case = closed(
            "髙橋トミさんの年金", "電話は090-1234-5678", resident=make.resident("髙橋 トミ")
        )
        client = signed_in(case.received_by)
        texts = {
            "question": case.title,
            "answer": "電話は090-1234-5678",
            "category": "税・保険・年金",
        }

        first = client.get(url("draft_faq", case.number)).content.decode()
        undecided = client.post(url("draft_faq", case.number), texts).content.decode()
        assert not Faq.objects.exists()
        client.post(
            url("draft_faq", case.number),
            texts | {"span-1": "hide:髙橋トミ", "span-2": "hide:090-1234-5678"},
        )

        assert "髙橋トミ" in first and "090-1234-5678" in first
        assert "個人情報かもしれません" in undecided
        faq = Faq.objects.get()
        assert (faq.question, faq.origin) == ("［氏名］さんの年金", case.number)
        assert "090" not in faq.answer

    def test_what_is_no_personal_data_stays(self) -> None:
        case = closed("代表電話", "代表電話は0898-00-0000")
        client = signed_in(case.received_by)

        client.post(
            url("draft_faq", case.number),
            {
                "question": "代表電話",
                "answer": "代表電話は0898-00-0000",
                "category": "その他",
                "span-1": "keep:0898-00-0000",
            },
        )

        assert Faq.objects.get().answer == "代表電話は0898-00-0000"

    def test_of_somebody_with_a_restricted_display_everything_personal_is_hidden(self) -> None:
        hidden = make.resident(
            "髙橋 トミ", is_restricted=True, phone="09012345678", address="かくれがの塔"
        )
        told = "かくれがの塔の高橋トミさん、０９０－１２３４－５６７８へ案内した。"
        case = closed("かくれがの塔への郵便", told, resident=hidden)
        client = signed_in(case.received_by)

        page = client.get(url("draft_faq", case.number)).content.decode()
        client.post(
            url("draft_faq", case.number),
            {
                "question": "郵便",
                "answer": told,
                "category": "その他",
                "span-1": "keep:かくれがの塔",
                "span-2": "keep:０９０－１２３４－５６７８",
            },
        )

        answer = Faq.objects.get().answer
        for words in ("かくれがの塔", "高橋トミ", "１２３４"):
            assert words in told and words not in page + answer

    def test_an_open_case_has_no_faq_page(self) -> None:
        case = make.case()

        assert signed_in(case.received_by).get(url("draft_faq", case.number)).status_code == 403


class TestSurvey:
    def closure(self) -> Closure:
        return closed().closures.get()

    def test_a_resident_answers_without_an_account(self) -> None:
        closure = self.closure()
        client = Client()

        page = client.get(url("survey", closure.survey_token)).content.decode()
        answer = client.post(
            url("survey", closure.survey_token), {"overall": "5", "comment": "助かりました"}
        )

        assert "転入届" not in page
        assert answer["Location"] == url("survey_thanks")
        assert client.get(url("survey_thanks")).status_code == 200
        assert closure.survey_reply.comment == "助かりました"
        assert "すでにお答え" in client.get(url("survey", closure.survey_token)).content.decode()

    def test_an_empty_answer_is_asked_again(self) -> None:
        page = Client().post(url("survey", self.closure().survey_token), {}).content.decode()

        assert "どれか一つでも" in page

    def test_the_number_on_the_paper_leads_to_the_survey(self) -> None:
        closure = self.closure()
        code = closure.survey_code
        typed = f"{code[:4]}－{code[4:8]} {code[8:]}".translate(
            str.maketrans("0123456789", "０１２３４５６７８９")
        )
        client = Client()

        answer = client.post(url("survey_code"), {"code": typed})
        client.post(answer["Location"], {"overall": "3"})

        assert closure.survey_reply.is_from_paper

    @pytest.mark.parametrize("code", ["", "123", "123456789012", "あいう"])
    def test_a_wrong_number_is_said_on_the_field(self, code: str) -> None:
        page = Client().post(url("survey_code"), {"code": code}).content.decode()

        assert "field--wrong" in page

    def test_numbers_are_not_guessed_without_end(self) -> None:
        client = Client()

        wrong = [client.post(url("survey_code"), {"code": "123456789018"}) for _ in range(21)]
        last = wrong.pop()

        assert {answer.status_code for answer in wrong} == {200}
        assert last.status_code == 429 and int(last["Retry-After"]) > 0
        assert "もう一度お試しください" in last.content.decode()
        assert 'value="123456789018"' in last.content.decode()

    def test_an_unknown_link_is_not_found(self) -> None:
        assert Client().get(url("survey", "x" * 43)).status_code == 404


class TestSettings:
    def test_the_city_names_its_fields_and_its_term(self) -> None:
        category = make.category("子育て・教育", code="CHILD")
        client = signed_in(make.staff(Role.ADMIN))

        client.post(
            url("save_category", category.pk),
            {"name": "こども・学校", "code": "CHILD", "is_active": "on"},
        )
        client.post(url("set_record_term"), {"days": "7", "counts_closed_days": "on"})

        category.refresh_from_db()
        assert category.name == "こども・学校"
        assert RecordTerm.objects.get().days == 7
        page = client.get(url("settings")).content.decode()
        assert "こども・学校" in page and "7日" in page

    def test_two_fields_do_not_share_a_name(self) -> None:
        make.category("子育て・教育", code="CHILD")

        page = (
            signed_in(make.staff(Role.ADMIN))
            .post(url("add_category"), {"name": "子育て・教育", "code": "CHILD"})
            .content.decode()
        )

        assert "同じ名称の分野があります" in page
        assert Category.objects.filter(name="子育て・教育").count() == 1

    def test_a_term_of_no_days_is_refused(self) -> None:
        page = (
            signed_in(make.staff(Role.ADMIN))
            .post(url("set_record_term"), {"days": "0"})
            .content.decode()
        )

        assert "1日以上にしてください" in page

    def test_counsellors_do_not_set_them(self) -> None:
        assert signed_in(make.staff()).get(url("settings")).status_code == 403


class TestLive:
    def test_only_whoever_may_see_the_case_hears_that_it_changed(self) -> None:
        number = make.case(is_sensitive=True).number

        assert access.may_follow_case(make.staff(Role.CENTRE_HEAD), number)
        assert not access.may_follow_case(make.staff(), number)
        assert not access.may_follow_case(officer(), number)
