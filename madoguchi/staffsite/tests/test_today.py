from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from madoguchi.audit.models import AuditEvent
from madoguchi.casework import actions
from madoguchi.knowledge import actions as knowledge
from madoguchi.offices.models import City
from madoguchi.rota import actions as rota_actions
from madoguchi.rota.tests import builders as rota_builders
from madoguchi.staff import actions as staff
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from madoguchi.staffsite import access, queries
from madoguchi.staffsite.queries import SHOWN
from tests import make

pytestmark = pytest.mark.django_db


def desk(user: User, **headers: str) -> str:
    client = Client(headers=headers)
    client.force_login(user)
    return client.get(reverse("staffsite:today")).content.decode()


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_a_desk_and_an_empty_one_says_so(role: Role) -> None:
    City.objects.get_or_create(pk=1, defaults={"name": "汐見市"})

    assert "待っているものはありません" in desk(make.staff(role))


def test_a_visitor_is_counted_once_whatever_counters_may_call() -> None:
    officer = make.staff(Role.OFFICER)
    ours = [make.counter(name, division=officer.division) for name in ("1番", "2番")]
    make.visit(make.service(counters=ours))

    assert queries.today(officer, at=make.NOW).waiting == 1


def test_my_open_cases_are_on_it() -> None:
    me = make.staff()
    case = make.case("わたしの案件")
    actions.involve(case=case, user=me, by=me, at=make.NOW)
    make.case("ほかの人の案件")

    page = desk(me)

    assert "わたしの案件" in page
    assert "ほかの人の案件" not in page


def test_a_case_whose_record_came_back_stands_apart() -> None:
    case = make.case("返ってきた案件")
    me, by = case.received_by, make.staff(Role.OFFICER, division=make.division())
    actions.involve(case=case, user=me, by=me, at=make.NOW)
    handover = make.handover(case)
    actions.arrive(handover=handover, by=by, at=make.NOW)
    actions.return_record(handover=handover, outcome="説明した", by=by, at=make.NOW)

    page = desk(me)

    assert "対応記録が返った案件" in page
    assert page.count("返ってきた案件") == 1


def test_requests_and_late_records_of_the_division_are_on_it() -> None:
    late = make.handover(due_on=timezone.localdate() - timedelta(days=1))

    officer = desk(make.staff(Role.OFFICER, division=make.division()))
    supervisor = desk(make.staff(Role.SUPERVISOR, division=make.division()))
    centre = desk(make.staff())
    stranger = desk(make.staff(Role.OFFICER, division=make.division("衛生課")))

    assert "課への依頼" in officer
    for page in (officer, supervisor, centre):
        assert "期限を過ぎた対応記録" in page
        assert late.case.number in page
    assert late.case.number not in stranger


def test_a_long_list_says_that_it_goes_on() -> None:
    late = timezone.localdate() - timedelta(days=1)
    for number in range(SHOWN + 1):
        make.handover(to=make.division(f"{number}課"), due_on=late)

    assert f"{SHOWN}件以上" in desk(make.staff())


def test_a_faq_to_approve_is_on_the_desk_of_whoever_may() -> None:
    author = make.staff()
    faq = knowledge.draft(
        question="転入届はどう書きますか",
        answer="記入例をご覧ください。",
        category="その他",
        division=make.division(),
        by=author,
        at=make.NOW,
    )
    knowledge.propose(faq=faq, by=author, at=make.NOW)

    assert "転入届はどう" in desk(make.staff(Role.CENTRE_HEAD))
    assert "転入届はどう" in desk(make.staff(Role.SUPERVISOR, division=make.division()))
    assert "転入届はどう" not in desk(
        make.staff(Role.SUPERVISOR, division=make.division("衛生課"))
    )
    assert "転入届はどう" not in desk(author)


@pytest.mark.parametrize(
    ("form", "label"),
    [
        ("case.new", "案件の受理"),
        ("case.R8-00012.record", "相談記録票 R8-00012"),
        ("handover.5.record", "対応記録"),
    ],
)
def test_what_i_began_to_write_is_one_click_away(form: str, label: str) -> None:
    me = make.staff()
    staff.save_draft(user=me, form=form, fields={"title": "途中"}, at=make.NOW)

    assert label in desk(me)
    assert label not in desk(make.staff())


def test_somebody_at_my_counter_becomes_a_record_with_one_press() -> None:
    me = make.staff()
    visit = make.visit(
        on=timezone.localdate(),
        status="serving",
        counter=make.counter("相談1"),
        officer=me,
        called_at=make.NOW,
        started_at=make.NOW,
    )

    assert reverse("casework:open_from_visit", args=[visit.pk]) in desk(me)


def test_an_open_desk_gets_only_what_changes() -> None:
    assert "<html" not in desk(make.staff(), **{"HX-Request": "true"})


def test_what_the_desk_showed_is_one_event_in_the_trail() -> None:
    case = make.case()
    actions.involve(case=case, user=case.received_by, by=case.received_by, at=make.NOW)

    desk(case.received_by)

    assert AuditEvent.objects.get(verb="case.list").detail == {"ids": [case.pk]}


def test_a_case_is_followed_by_whoever_may_see_it() -> None:
    topic = f"case.{make.case().number}"

    assert access.may_follow(make.staff(), topic)
    assert not access.may_follow(make.staff(Role.OFFICER, division=make.division()), topic)


class TestHistory:
    def page(self, user: User, pk: int) -> str:
        client = Client()
        client.force_login(user)
        return client.get(reverse("staffsite:resident_history", args=[pk])).content.decode()

    def test_everything_one_person_came_for_is_on_one_page(self) -> None:
        person = make.resident()
        make.case("転入届", resident=person)
        service = make.service("保育所の入所相談")
        make.visit(service, resident=person)
        make.appointment(service, resident=person)

        page = self.page(make.staff(), person.pk)

        assert "転入届" in page
        assert page.count("保育所の入所相談") == 2

    def test_a_restricted_case_stays_hidden(self) -> None:
        person = make.resident()
        make.case("配偶者からの暴力", resident=person, is_sensitive=True)

        assert "暴力" not in self.page(make.staff(), person.pk)
        assert "暴力" in self.page(make.staff(Role.CENTRE_HEAD), person.pk)

    def test_reading_it_is_in_the_trail(self) -> None:
        person = make.resident()

        self.page(make.staff(), person.pk)

        assert AuditEvent.objects.get(verb="resident.read").person == person.pk


def test_a_colleague_who_is_away_and_what_i_need_to_know_for_them() -> None:
    me = make.staff(Role.OFFICER, division=make.division("保育課"))
    make.absence(make.staff(Role.OFFICER, division=me.division, name="森下 拓"))
    make.absence(make.staff(Role.OFFICER, division=make.division("納税課"), name="岡 大輔"))
    other = make.staff(Role.OFFICER, division=make.division("納税課"), name="大野 涼子")
    make.absence(other, stand_in=me)

    page = desk(me)

    assert "担当者不在　2人" in page
    assert "森下 拓" in page and "大野 涼子" in page
    assert "岡 大輔" not in page


def test_my_duty_of_today_and_the_swap_i_am_asked_for() -> None:
    today = timezone.localdate()
    rota = rota_builders.published(first=today, last=today + timedelta(days=3))
    duty, later = rota.duties.get(on=today), rota.duties.get(on=today + timedelta(days=2))
    assert duty.member and later.member
    other = duty.member
    rota_actions.ask_swap(duty=later, colleague=other, by=later.member.user, at=timezone.now())

    page = desk(other.user)

    assert "今日はあなたの当番です。" in page
    assert f"{later.member} → {other}" in page
    assert "今日はあなたの当番です。" not in desk(later.member.user)


def test_a_swap_waits_for_the_head_once_the_colleague_has_agreed() -> None:
    today = timezone.localdate()
    rota = rota_builders.published(first=today, last=today + timedelta(days=3))
    duty, later = rota.duties.get(on=today), rota.duties.get(on=today + timedelta(days=2))
    assert duty.member and later.member
    by = later.member.user
    swap = rota_actions.ask_swap(duty=later, colleague=duty.member, by=by, at=timezone.now())
    asked = desk(rota_builders.head())

    rota_actions.answer_swap(swap=swap, agrees=True, by=duty.member.user, at=timezone.now())

    assert "当番の交代" not in asked
    assert "返事や承認を待つ当番の交代" in desk(rota_builders.head())
