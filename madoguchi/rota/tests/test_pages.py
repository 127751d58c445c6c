from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO
from itertools import product
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar
from openpyxl import load_workbook
from pypdf import PdfReader
from pytest_django import DjangoAssertNumQueries

from madoguchi.audit.models import AuditEvent
from madoguchi.rota import access, actions, queries, tasks
from madoguchi.rota.models import (
    Absence,
    Duty,
    EmergencyContact,
    Leave,
    Member,
    Need,
    Rota,
    Skill,
    SwapRequest,
    TurnOrder,
    Wish,
)
from madoguchi.rota.tests import builders
from madoguchi.rota.tests.builders import draft, duty_of, head, published
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate()
SOON = TODAY + timedelta(days=13)


@pytest.fixture
def rota() -> Rota:
    return published(first=TODAY, last=SOON)


@pytest.fixture
def as_head(client: Client) -> Client:
    client.force_login(head())
    return client


def own(client: Client) -> Member:
    """Sign in as the first member of the rota, who is a counsellor."""
    member = Member.objects.order_by("pk")[0]
    client.force_login(member.user)
    return member


def colleague() -> Member:
    return Member.objects.order_by("pk")[1]


def text(response: Any) -> str:
    return response.content.decode()  # type: ignore[no-any-return]


def url(name: str, *args: int) -> str:
    return reverse(f"rota:{name}", args=args)


def stranger() -> User:
    found = User.objects.filter(username="stranger").first()
    return found or make.staff(Role.OFFICER, division=make.division("衛生課"), username="stranger")


class TestToday:
    def test_it_shows_duty_absence_stand_in_and_note(self, as_head: Client, rota: Rota) -> None:
        duty = rota.duties.get(on=TODAY)
        assert duty.member
        duty.member.user.name = "休む 人"
        duty.member.user.save()
        report(duty.member.user, stand_in=colleague().user)

        page = text(as_head.get(url("today")))

        assert "休む 人" in page
        assert "不在</span>" in page
        assert "代わり：相談 花子" in page
        assert "R8-00012" in page

    def test_another_division_sees_who_stands_in_but_not_the_note(
        self, client: Client, rota: Rota
    ) -> None:
        report(colleague().user, stand_in=head())
        client.force_login(stranger())

        page = text(client.get(url("today")))

        assert "担当者不在" in page
        assert "R8-00012" not in page
        assert "病気" not in page

    def test_the_stand_in_reads_the_note(self, client: Client, rota: Rota) -> None:
        report(colleague().user, stand_in=stranger())
        client.force_login(stranger())

        assert "R8-00012" in text(client.get(url("today")))

    def test_a_live_redraw_is_the_part_alone(self, as_head: Client, rota: Rota) -> None:
        page = text(as_head.get(url("today"), headers={"HX-Request": "true"}))

        assert "<html" not in page
        assert "担当者不在" in page

    def test_an_empty_day_says_so(self, as_head: Client) -> None:
        make.centre_site()

        assert "今日の当番は決まっていません" in text(as_head.get(url("today")))

    def test_queries_do_not_grow_with_people(
        self, as_head: Client, django_assert_max_num_queries: Any
    ) -> None:
        builders.need(8)
        published(first=TODAY, last=TODAY + timedelta(days=1), count=20)
        for member in Member.objects.all()[:10]:
            report(member.user)

        with django_assert_max_num_queries(16):
            as_head.get(url("today"))


def report(user: User, *, stand_in: User | None = None) -> Absence:
    return actions.report_absence(
        user=user,
        first=TODAY,
        last=TODAY,
        kind="sick",
        stand_in=stand_in,
        note="R8-00012の約束",
        by=head(),
        at=timezone.now(),
    )


class TestMonth:
    def test_the_month_shows_turn_people_and_holes(self, as_head: Client, rota: Rota) -> None:
        Duty.objects.filter(on=TODAY).update(member=None)

        page = text(as_head.get(url("month")))

        assert "空き" in page
        assert page.count("相談 花子") >= 1

    def test_one_sees_ones_own_days(self, client: Client, rota: Rota) -> None:
        own(client)

        page = text(client.get(url("month"))) + text(
            client.get(url("month", SOON.year, SOON.month))
        )

        assert "（自分）" in page
        assert "is-own" in page

    def test_only_editors_get_links_to_change(self, client: Client, rota: Rota) -> None:
        link = url("assign", rota.duties.get(on=TODAY).pk)
        client.force_login(head())
        for_head = text(client.get(url("month")))
        client.force_login(stranger())
        for_stranger = text(client.get(url("month")))

        assert link in for_head
        assert link not in for_stranger

    def test_a_draft_is_shown_to_its_editors_only(self, client: Client) -> None:
        found = draft(first=TODAY, last=SOON)
        address = f"{url('month')}?rota={found.pk}"

        client.force_login(head())
        assert "まだ公開していない案" in text(client.get(address))
        client.force_login(stranger())
        assert client.get(address).status_code == 404

    def test_a_month_that_does_not_exist(self, as_head: Client, rota: Rota) -> None:
        assert as_head.get(url("month", 2026, 13)).status_code == 404

    def test_the_number_of_queries_is_fixed(
        self, as_head: Client, rota: Rota, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        as_head.get(url("month"))

        with django_assert_num_queries(MONTH_QUERIES):
            as_head.get(url("month"))
        members = list(Member.objects.order_by("pk"))
        for duty in rota.duties.exclude(member=None):
            others = [member for member in members if member != duty.member]
            for seat, member in enumerate(others, start=2):
                duty.pk, duty.seat, duty.member = None, seat, member
                duty.save(force_insert=True)
        with django_assert_num_queries(MONTH_QUERIES):
            as_head.get(url("month"))

    def test_the_sheet_for_paper_has_the_month_and_no_links(
        self, as_head: Client, rota: Rota
    ) -> None:
        page = text(as_head.get(url("month_print", TODAY.year, TODAY.month)))

        assert "rota-sheet" in page
        assert "相談 花子" in page
        assert "rota/duties/" not in page

    def test_the_pdf_has_people_and_holes_and_is_tagged(self, as_head: Client, rota: Rota) -> None:
        Duty.objects.filter(pk=rota.duties.all()[0].pk).update(member=None)

        answer = as_head.get(url("month_pdf", TODAY.year, TODAY.month))

        pdf = PdfReader(BytesIO(answer.content))
        words = pdf.pages[0].extract_text()
        assert answer["Content-Type"] == "application/pdf"
        assert len(pdf.pages) == 1
        assert "相談 花子" in words and "空き" in words
        assert "StructTreeRoot" in str(pdf.trailer["/Root"])

    def test_excel_has_one_row_a_duty(self, as_head: Client, rota: Rota) -> None:
        answer = as_head.get(url("rota_excel", rota.pk))

        sheet = load_workbook(BytesIO(answer.content)).active
        assert sheet is not None
        rows = list(sheet.values)
        assert len(rows) == 1 + rota.duties.count()
        assert rows[1][4:6] == ("職員", "相談 花子")
        assert rows[0][0] == "日"

    def test_excel_of_a_month(self, as_head: Client, rota: Rota) -> None:
        answer = as_head.get(url("month_excel", TODAY.year, TODAY.month))

        sheet = load_workbook(BytesIO(answer.content)).active
        assert sheet is not None
        first = rota.duties.filter(on__month=TODAY.month).count()
        assert sheet.max_row == 1 + first


MONTH_QUERIES = 11


class TestMine:
    def test_it_shows_ones_duties_and_offers_a_swap(self, client: Client, rota: Rota) -> None:
        member = own(client)

        page = text(client.get(url("mine")))

        assert url("ask_swap", duty_of(member, rota).pk) in page

    def test_who_is_not_in_the_rota_is_told_what_to_do(self, client: Client) -> None:
        client.force_login(stranger())

        assert "当番に入っていません" in text(client.get(url("mine")))

    def test_leave_that_hits_a_duty_says_what_to_do(self, client: Client, rota: Rota) -> None:
        member = own(client)
        on = duty_of(member, rota).on

        answer = client.post(
            url("take_leave", member.pk),
            {"first": on.isoformat(), "last": "", "kind": "holiday"},
            follow=True,
        )

        assert Leave.objects.get().last == on
        assert "公開済みの当番が1回あります" in text(answer)

    def test_a_wrong_date_keeps_the_input_and_says_how_to_write_it(
        self, client: Client, rota: Rota
    ) -> None:
        member = own(client)

        page = text(client.post(url("wish", member.pk), {"on": "らいしゅう", "kind": "avoid"}))

        assert "らいしゅう" in page
        assert "日付として読めません" in page
        assert not Wish.objects.exists()

    def test_wishes_and_leave_are_entered_and_taken_back(self, client: Client, rota: Rota) -> None:
        member = own(client)
        client.post(url("wish", member.pk), {"on": SOON.isoformat(), "kind": "want"})
        client.post(url("take_leave", member.pk), {"first": SOON.isoformat(), "kind": "training"})

        client.post(url("unwish", Wish.objects.get().pk))
        client.post(url("cancel_leave", Leave.objects.get().pk))

        assert not Wish.objects.exists()
        assert not Leave.objects.exists()

    def test_what_must_be_is_entered_by_the_head_and_not_undone_by_the_member(
        self, client: Client, rota: Rota
    ) -> None:
        member = own(client)
        fixed = {"on": SOON.isoformat(), "kind": "must"}
        client.post(url("wish", member.pk), fixed)
        assert not Wish.objects.exists()
        client.force_login(head())
        client.post(url("wish", member.pk), fixed)
        wish = Wish.objects.get()

        own(client)
        page = text(client.post(url("wish", member.pk), {"on": fixed["on"], "kind": "avoid"}))

        assert "「必ず入る」と決まっています" in page
        assert url("unwish", wish.pk) not in page
        assert client.post(url("unwish", wish.pk)).status_code == 403
        assert Wish.objects.get().kind == "must"
        client.force_login(head())
        client.post(url("unwish", wish.pk))
        assert not Wish.objects.exists()

    def test_the_calendar_file_has_the_duties_with_their_hours_and_zone(
        self, client: Client, rota: Rota
    ) -> None:
        member = own(client)

        answer = client.get(url("calendar", member.pk))

        found = Calendar.from_ical(answer.content)
        events = found.walk("VEVENT")
        assert len(events) == queries.duties_of(member, first=TODAY).count()
        assert [zone["TZID"] for zone in found.walk("VTIMEZONE")] == ["Asia/Tokyo"]
        assert str(events[0]["SUMMARY"]) == "当番（職員）"
        starts = {event["DTSTART"].to_ical()[-6:] for event in events}
        assert starts <= {b"083000", b"090000"}
        assert "相談 花子" not in answer.content.decode()


class TestSwapPages:
    def test_from_asking_to_approval(self, client: Client, rota: Rota) -> None:
        member = own(client)
        duty = rota.duties.filter(member=member).last()
        assert duty
        other = next(
            each.member
            for each in queries.candidates(duty)
            if each.is_free and each.member != member
        )

        form = text(client.get(url("ask_swap", duty.pk)))
        client.post(url("ask_swap", duty.pk), {"colleague": other.pk, "reason": "通院"})
        client.force_login(other.user)
        asked = text(client.get(url("swaps")))
        swap = SwapRequest.objects.get()
        client.post(url("answer_swap", swap.pk), {"answer": "agree"})
        client.force_login(head())
        waiting = text(client.get(url("swaps")))
        client.post(url("decide_swap", swap.pk), {"answer": "approve"})

        assert "出られそうな人" in form
        assert "引き受ける" in asked
        assert "承認する" in waiting
        duty.refresh_from_db()
        assert duty.member == other

    def test_a_supervisor_decides_for_their_own_division_only(
        self, client: Client, rota: Rota
    ) -> None:
        swap = asked_swap(rota)
        actions.answer_swap(swap=swap, agrees=True, by=swap.colleague.user, at=timezone.now())
        client.force_login(
            make.staff(Role.SUPERVISOR, division=make.division("衛生課"), username="sup")
        )

        answer = client.post(url("decide_swap", swap.pk), {"answer": "approve"})

        assert answer.status_code == 404
        assert not queries.swaps_to_decide(User.objects.get(username="sup")).exists()

    def test_a_refusal_is_said_on_the_page(self, as_head: Client, rota: Rota) -> None:
        swap = asked_swap(rota)

        page = text(as_head.post(url("decide_swap", swap.pk), {"answer": "approve"}, follow=True))

        assert "返事待ち" in page


def asked_swap(rota: Rota) -> SwapRequest:
    duty = rota.duties.exclude(member=None).last()
    assert duty
    assert duty.member
    other = next(
        each.member
        for each in queries.candidates(duty)
        if each.is_free and each.member != duty.member
    )
    return actions.ask_swap(duty=duty, colleague=other, by=duty.member.user, at=timezone.now())


class TestPlanningPages:
    def test_from_settings_to_a_published_rota(
        self,
        as_head: Client,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        site = make.centre_site()
        as_head.post(f"{url('set_up')}?site={site.code}")
        for number in range(4):
            user = make.staff(username=f"new{number}")
            as_head.post(
                url("save_member"),
                {
                    "user": user.pk,
                    "skills": [skill.pk for skill in Skill.objects.all()],
                    "serves_weekdays": "on",
                    "serves_closed_days": "on",
                    "weekdays": ["月", "火", "水", "木", "金"],
                    "share": 100,
                },
            )
        as_head.post(
            url("make"),
            {
                "first": TODAY.isoformat(),
                "last": SOON.isoformat(),
                "most_in_row": 5,
                "closed_gap": 1,
            },
        )
        found = Rota.objects.get()
        with django_capture_on_commit_callbacks(execute=True):
            as_head.post(url("ask_plan", found.pk))
        planned = text(as_head.get(url("rota", found.pk)))
        refused = text(as_head.post(url("publish", found.pk)))
        as_head.post(url("publish", found.pk), {"accept_holes": "on"})

        assert "これより少なくできないことを証明済み" in planned
        assert "が足りません（必要2、出られる人" in planned
        assert "公平さ" in planned
        assert "空きが" in refused
        assert Rota.objects.get().status == "published"

    def test_a_run_shows_how_far_it_is_and_can_be_stopped(self, as_head: Client) -> None:
        found = draft(first=TODAY, last=SOON)
        run = actions.ask_plan(rota=found, by=head(), at=timezone.now())
        actions.begin_run(run_id=run.pk, at=timezone.now())

        page = text(as_head.get(url("rota", found.pk), headers={"HX-Request": "true"}))
        as_head.post(url("stop_run", run.pk))

        assert "<progress" in page
        assert "作成中" in page
        assert "中止しました" in text(as_head.get(url("rota", found.pk)))

    def test_a_proposal_is_shown_and_applied(self, as_head: Client, rota: Rota) -> None:
        duty = rota.duties.get(on=TODAY + timedelta(days=1))
        assert duty.member
        actions.report_absence(
            user=duty.member.user,
            first=duty.on,
            last=duty.on,
            kind="sick",
            by=head(),
            at=timezone.now(),
        )
        as_head.post(url("replan", rota.pk), {"changes_from": duty.on.isoformat()})
        run = rota.runs.get()
        tasks.run_planner(run.pk)
        page = text(as_head.get(url("rota", rota.pk)))
        as_head.post(url("apply_run", run.pk))

        assert "変更の案" in page
        assert "1か所" in page
        after = rota.duties.get(pk=duty.pk).member
        assert after not in (None, duty.member)

    def test_a_hand_made_change_names_the_broken_rule(self, as_head: Client, rota: Rota) -> None:
        one, other = rota.duties.filter(on__gte=TODAY).order_by("on")[4:6]
        actions.take_leave(
            member=one.member,  # type: ignore[arg-type]
            first=other.on,
            last=other.on,
            kind="trip",
            by=head(),
            at=timezone.now(),
        )

        page = text(as_head.post(url("assign", other.pk), {"member": one.member_id}))
        as_head.post(url("assign", other.pk), {"member": one.member_id, "accept": "on"})

        assert "決まりに合いません（休暇）" in page
        other.refresh_from_db()
        assert other.member == one.member

    def test_the_latest_rota_comes_first(self, as_head: Client) -> None:
        earlier = draft()
        later = draft(first=builders.LAST + timedelta(days=1), last=builders.LAST + timedelta(9))

        page = text(as_head.get(url("rotas")))

        assert page.index(url("rota", later.pk)) < page.index(url("rota", earlier.pk))

    def test_the_list_of_rotas_takes_a_fixed_number_of_queries(
        self, as_head: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        draft(first=TODAY, last=SOON)
        as_head.get(url("rotas"))

        with django_assert_num_queries(ROTAS_QUERIES):
            as_head.get(url("rotas"))
        draft(first=TODAY, last=SOON)
        with django_assert_num_queries(ROTAS_QUERIES):
            as_head.get(url("rotas"))

    def test_the_quality_of_a_rota_takes_a_fixed_number_of_queries(
        self, as_head: Client, rota: Rota, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        as_head.get(url("rota", rota.pk))
        with django_assert_num_queries(ROTA_QUERIES):
            as_head.get(url("rota", rota.pk))
        for number in range(6):
            make.member(user=make.staff(username=f"more{number}"))
        with django_assert_num_queries(ROTA_QUERIES):
            as_head.get(url("rota", rota.pk))


ROTAS_QUERIES = 10
ROTA_QUERIES = 19


class TestSettings:
    def test_needs_are_changed_one_by_one(self, as_head: Client) -> None:
        site = make.centre_site()
        as_head.post(url("set_up"))
        page = as_head.get(url("set_needs"))
        fields = {field.html_name: field.value() for field in page.context["form"]}
        skill = Skill.objects.get(name="市民相談員")

        as_head.post(url("set_needs"), fields | {f"{skill.pk}_closed_day": 2})

        assert site.needs.get(skill=skill, day_kind="closed", shift="day").count == 2
        assert AuditEvent.objects.filter(verb="need.set").count() == 1

    def test_the_standard_is_set_once(self, as_head: Client) -> None:
        make.centre_site()
        as_head.post(url("set_up"))

        page = text(as_head.post(url("set_up"), follow=True))

        assert "もう決まっています" in page
        assert Need.objects.count() == 6

    def test_a_skill_is_added_once(self, as_head: Client) -> None:
        make.centre_site()
        as_head.post(url("add_skill"), {"name": "手話"})
        page = text(as_head.post(url("add_skill"), {"name": "手話"}, follow=True))

        assert "同じ名称の役割があります" in page
        assert Skill.objects.count() == 1

    def test_a_member_needs_a_kind_of_day(self, as_head: Client) -> None:
        member = make.member()

        page = text(
            as_head.post(
                url("save_member", member.pk),
                {"user": member.user_id, "skills": [Skill.objects.get().pk], "share": 50},
            )
        )

        assert "少なくとも一方を選んでください" in page

    def test_turns_are_numbered(self, as_head: Client) -> None:
        make.centre_site()
        first, second = make.division("市民課"), make.division("納税課")

        as_head.post(
            url("set_turn_order"),
            {f"division_{first.pk}": "2", f"division_{second.pk}": "1"},
        )

        assert [row.division for row in TurnOrder.objects.all()] == [second, first]

    def test_the_list_of_members(self, as_head: Client, rota: Rota) -> None:
        assert "相談 花子" in text(as_head.get(url("members")))


class TestFairness:
    def test_a_year_adds_up_all_its_published_rotas(self, client: Client) -> None:
        first = date(2030, 6, 3)  # a Monday
        published(first=first, last=first + timedelta(days=3))
        later = first + timedelta(days=7)
        rota = draft(first=later, last=later + timedelta(days=3))
        Duty.objects.filter(rota=rota).update(member=None)
        actions.assign(duty=rota.duties.all()[0], member=colleague(), by=head(), at=make.NOW)
        actions.publish(rota=rota, accept_holes=True, by=head(), at=make.NOW)
        draft(first=first + timedelta(days=14), last=first + timedelta(days=17))

        rows = queries.fairness(site=make.centre_site(), year=2030)

        weekdays = {row.member.pk: row.cells[0][1:] for row in rows}
        assert weekdays[colleague().pk] == (2, 2.0, True)
        assert sorted(days for days, _, _ in weekdays.values()) == [1, 1, 1, 2]
        assert queries.fairness(site=make.centre_site(), year=2029) == ()

    def test_everyone_sees_it_and_takes_it_home(self, client: Client, rota: Rota) -> None:
        client.force_login(stranger())

        page = text(client.get(url("fairness")))
        sheet = load_workbook(BytesIO(client.get(url("fairness_excel")).content)).active

        assert "当番の公平さ" in page
        assert url("person", colleague().pk) in page
        assert sheet is not None
        assert next(iter(sheet.values))[:4] == ("氏名", "部署", "平日", "平日（公平な回数）")
        assert sheet.max_row == 1 + Member.objects.count()

    def test_queries_do_not_grow_with_people(
        self, as_head: Client, django_assert_max_num_queries: Any
    ) -> None:
        published(first=TODAY, last=SOON, count=20)

        with django_assert_max_num_queries(22):
            as_head.get(url("fairness"))


class TestContacts:
    def test_the_sheet_for_the_telephone_is_written_down_too(self, client: Client) -> None:
        EmergencyContact.objects.create(
            division=make.division("環境課"), name="林 健吾", phone="0900001111"
        )
        client.force_login(stranger())

        page = text(client.get(url("contacts_print")))

        assert "林 健吾" in page
        assert "0900001111" in page
        assert AuditEvent.objects.filter(verb="emergency_contact.list").count() == 1

    def test_looking_is_written_down(self, client: Client) -> None:
        contact = EmergencyContact.objects.create(
            division=make.division("環境課"), name="林 健吾", phone="0900001111"
        )
        client.force_login(stranger())

        page = text(client.get(url("contacts")))

        assert "林 健吾" in page
        event = AuditEvent.objects.get(verb="emergency_contact.list")
        assert event.detail == {"contacts": [contact.pk]}
        assert event.actor == "stranger"

    def test_a_division_writes_its_own_and_no_others(self, client: Client) -> None:
        user = stranger()
        client.force_login(user)
        fields = {
            "form-TOTAL_FORMS": "1",
            "form-INITIAL_FORMS": "0",
            "form-0-name": "夜間 当番",
            "form-0-phone": "090-1234-5678",
        }

        mine = client.post(url("save_contacts", user.division_id), fields)
        others = client.post(url("save_contacts", make.division("環境課").pk), fields)

        assert (mine.status_code, others.status_code) == (302, 403)
        assert EmergencyContact.objects.get().phone == "09012345678"

    def test_a_name_without_a_phone_is_asked_for_it(self, client: Client) -> None:
        user = stranger()
        client.force_login(user)

        page = text(
            client.post(
                url("save_contacts", user.division_id),
                {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "0", "form-0-name": "夜間"},
            )
        )

        assert "電話番号を入力してください" in page
        assert "夜間" in page


class TestAbsencePages:
    def test_it_is_reported_with_a_stand_in(self, as_head: Client, rota: Rota) -> None:
        member = colleague()

        answer = as_head.post(
            url("report_absence"),
            {"user": member.user_id, "first": TODAY.isoformat(), "kind": "sick"},
            follow=True,
        )
        absence = Absence.objects.get()
        as_head.post(url("name_stand_in", absence.pk), {"stand_in": head().pk, "note": "鍵は棚"})

        assert "この期間に当番が" in text(answer) or not queries.duties_hit(
            member.user, first=TODAY, last=TODAY
        )
        absence.refresh_from_db()
        assert (absence.stand_in, absence.note) == (head(), "鍵は棚")

    def test_only_ones_own_division_is_offered_outside_the_centre(
        self, client: Client, rota: Rota
    ) -> None:
        client.force_login(stranger())

        page = client.get(url("report_absence"))

        assert list(page.context["form"].fields["user"].queryset) == [stranger()]

    def test_another_division_cannot_change_or_end_it(self, client: Client, rota: Rota) -> None:
        absence = report(colleague().user)
        client.force_login(stranger())

        assert client.get(url("name_stand_in", absence.pk)).status_code == 403
        assert client.post(url("end_absence", absence.pk)).status_code == 403
        absence.refresh_from_db()
        assert absence.ended_at is None

    def test_it_is_ended(self, as_head: Client, rota: Rota) -> None:
        absence = report(colleague().user)

        as_head.post(url("end_absence", absence.pk))

        absence.refresh_from_db()
        assert absence.ended_at


class TestPersonPage:
    def test_the_year_of_one_member(self, as_head: Client, rota: Rota) -> None:
        member = Member.objects.order_by("pk")[0]

        page = text(as_head.get(url("person", member.pk)))

        assert "うち土日" in page
        assert "当番の日" in page


EDITORS_ONLY = [
    ("get", "rotas", ""),
    ("get", "make", ""),
    ("get", "rota", "draft"),
    ("post", "ask_plan", "draft"),
    ("post", "replan", "draft"),
    ("post", "publish", "draft"),
    ("post", "discard", "draft"),
    ("get", "assign", "duty"),
    ("get", "set_needs", ""),
    ("post", "set_up", ""),
    ("post", "add_skill", ""),
    ("get", "members", ""),
    ("get", "save_member", ""),
    ("get", "set_turn_order", ""),
    ("get", "wishes", "member"),
    ("post", "wish", "member"),
    ("post", "take_leave", "member"),
    ("get", "calendar", "member"),
    ("get", "rota_excel", "draft"),
]


def outsiders() -> Iterator[User]:
    """Who holds the verb but sits elsewhere; who sits there without the verb; who has neither."""
    yield make.staff(Role.CENTRE_HEAD, division=make.division("衛生課"), username="elsewhere")
    yield make.staff(Role.COUNSELLOR, username="counsellor")
    yield make.staff(Role.OFFICER, division=make.division("衛生課"), username="officer")


@pytest.mark.parametrize(("method", "name", "what"), EDITORS_ONLY)
def test_who_does_not_edit_the_rota_stays_outside(
    client: Client, method: str, name: str, what: str
) -> None:
    found = draft(first=TODAY, last=SOON)
    args = {
        "": [],
        "draft": [found.pk],
        "duty": [found.duties.all()[0].pk],
        "member": [Member.objects.order_by("pk")[0].pk],
    }[what]

    for user in outsiders():
        client.force_login(user)
        answer = getattr(client, method)(url(name, *args))
        assert answer.status_code in (403, 404), user
    assert Rota.objects.get().status == "draft"
    client.force_login(head())
    assert getattr(client, method)(url(name, *args)).status_code in (200, 302)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMIN])
def test_who_has_no_part_in_the_rota_does_not_see_it(client: Client, role: Role) -> None:
    make.centre_site()
    client.force_login(make.staff(role))

    for name in ("month", "today", "mine", "swaps", "contacts"):
        assert client.get(url(name)).status_code == 403


class TestSomebodyElses:
    def test_a_duty_is_not_swapped_by_another(self, client: Client, rota: Rota) -> None:
        client.force_login(colleague().user)

        answer = client.get(url("ask_swap", duty_of(Member.objects.order_by("pk")[0], rota).pk))

        assert answer.status_code == 404

    def test_a_swap_is_answered_by_the_colleague_and_withdrawn_by_the_asker(
        self, client: Client, rota: Rota
    ) -> None:
        swap = asked_swap(rota)
        client.force_login(swap.asker.user)
        assert client.post(url("answer_swap", swap.pk), {"answer": "agree"}).status_code == 404
        client.force_login(swap.colleague.user)
        assert client.post(url("withdraw_swap", swap.pk)).status_code == 404

        swap.refresh_from_db()
        assert swap.status == "asked"

    def test_wishes_and_leave_are_not_taken_back_by_another(
        self, client: Client, rota: Rota
    ) -> None:
        member = Member.objects.order_by("pk")[0]
        wish = actions.wish(
            member=member, on=SOON, kind="avoid", by=member.user, at=timezone.now()
        )
        leave = actions.take_leave(
            member=member,
            first=SOON,
            last=SOON,
            kind="holiday",
            by=member.user,
            at=timezone.now(),
        )
        client.force_login(colleague().user)

        assert client.post(url("unwish", wish.pk)).status_code == 404
        assert client.post(url("cancel_leave", leave.pk)).status_code == 404
        assert Wish.objects.exists()
        assert Leave.objects.exists()


@pytest.mark.parametrize(
    ("role", "is_centre", "edits"),
    [
        (role, is_centre, is_centre and role is Role.CENTRE_HEAD)
        for role, is_centre in product(Role, (True, False))
    ],
)
def test_the_head_of_the_centre_edits_the_rota(role: Role, is_centre: bool, edits: bool) -> None:
    division = make.centre() if is_centre else make.division("衛生課")

    assert access.may_edit(make.staff(role, division=division)) is edits
