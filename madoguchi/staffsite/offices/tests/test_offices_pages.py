from datetime import date, time

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from madoguchi.audit.models import AuditEvent
from madoguchi.offices.models import City, Counter, CounterKind, Division, OpeningDay, Room, Site
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    return make.staff(Role.ADMIN, division=make.division("総務課"), username="admin")


@pytest.fixture
def browser(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


SITE = {
    "name": "港町支所",
    "kana": "ミナトマチシショ",
    "opens_at": "８：３０",
    "closes_at": "1715",
    "phone": "０００－００００－１３００",
}


def test_only_who_may_edit_the_organisation_sees_it(client: Client) -> None:
    client.force_login(make.staff(Role.COUNSELLOR))

    assert client.get(reverse("offices:index")).status_code == 403


class TestEmptyCity:
    def test_each_page_says_what_to_do(self, browser: Client) -> None:
        index = browser.get(reverse("offices:index")).content.decode()

        assert "初期設定を続ける" in index
        assert "庁舎がまだありません" in index

    def test_the_first_administrator_is_led_to_the_set_up(self, browser: Client) -> None:
        desk = reverse("staffsite:today")

        assert browser.get(desk)["Location"] == reverse("offices:set_up")

        City.objects.create(pk=1, name="汐見市")
        assert browser.get(desk).status_code == 200

    def test_the_set_up_leads_from_nothing_to_the_first_visitor(self, browser: Client) -> None:
        def post(page: str, /, **fields: object) -> None:
            answer = browser.post(f"{reverse(f'offices:{page}')}?set-up=1", fields)
            assert answer["Location"] == reverse("offices:set_up"), answer.content.decode()

        post("name_city", name="汐見市", kana="シオミシ", phone="000-0000-1000")
        post("add_site", **SITE)
        post("add_divisions", text="名称\tふりがな\n保育課\tほいくか\n市民課\tシミンカ")
        site, division = Site.objects.get(), Division.objects.get(name="保育課")
        post("add_counter", name="5番", site=site.pk, division=division.pk, kind="desk")
        post("add_room", name="相談室1", site=site.pk, seats=4)
        make.staff(Role.RECEPTION)

        assert City.objects.get().kana == "しおみし"
        assert (site.opens_at, site.closes_at) == (time(8, 30), time(17, 15))
        assert (site.kana, site.phone) == ("みなとまちししょ", "000-0000-1300")
        assert Division.objects.get(name="市民課").kana == "しみんか"
        assert Counter.objects.get().division == division
        assert Room.objects.get().site == site
        assert "準備ができました" in browser.get(reverse("offices:set_up")).content.decode()

    def test_whom_to_call_in_distress_is_asked_for_and_read_line_by_line(
        self, browser: Client
    ) -> None:
        address = reverse("offices:name_city")
        City.objects.create(pk=1, name="汐見市")
        assert "緊急の相談先" in browser.get(reverse("offices:index")).content.decode()

        wrong = browser.post(address, {"name": "汐見市", "urgent_help": "こころの電話"})
        browser.post(
            address,
            {
                "name": "汐見市",
                "urgent_help": "こころの電話　０００－００００－１０１０\n\n警察 #9110",
            },
        )

        assert "「こころの電話」に電話番号がありません" in wrong.content.decode()
        lines = City.objects.get().help_lines
        assert [(line.name, line.phone) for line in lines] == [
            ("こころの電話", "000-0000-1010"),
            ("警察", "#9110"),
        ]

    def test_the_sample_list_can_be_taken_as_it_is(self, browser: Client) -> None:
        page = browser.get(f"{reverse('offices:add_divisions')}?sample=1")
        text = page.context["form"].initial["text"]

        browser.post(reverse("offices:add_divisions"), {"text": text})

        assert Division.objects.filter(name="保育課", kana="ほいくか").exists()
        assert Division.objects.count() == len(text.splitlines())  # 総務課 was there

    def test_a_page_of_the_set_up_can_be_skipped(self, browser: Client) -> None:
        page = browser.get(reverse("offices:set_up")).content.decode()

        assert "あとで設定する" in page
        assert browser.get(reverse("offices:add_counter")).status_code == 200


class TestBadInput:
    @pytest.mark.parametrize(
        ("fields", "field", "words"),
        [
            ({"name": ""}, "name", "必須"),
            ({"opens_at": "朝"}, "opens_at", "時刻として読めません"),
            ({"closes_at": "8:00"}, "closes_at", "後の時刻"),
            ({"closed_day_opens_at": "9:00"}, "closed_day_closes_at", "閉まる時刻も"),
            ({"is_open_at_year_end": "on"}, "closed_day_opens_at", "年末年始"),
            ({"phone": "なし"}, "phone", "電話番号"),
            ({"name": "本庁舎"}, "name", "すでにあります"),
        ],
    )
    def test_the_error_stands_on_its_field_and_the_input_stays(
        self, browser: Client, fields: dict[str, str], field: str, words: str
    ) -> None:
        make.site("本庁舎")

        answer = browser.post(
            reverse("offices:add_site"), SITE | {"address": "港町3丁目"} | fields
        )

        form = answer.context["form"]
        assert answer.status_code == 200
        assert words in " ".join(form.errors[field])
        assert "港町3丁目" in answer.content.decode()
        assert Site.objects.count() == 1

    def test_a_pasted_list_names_the_line_that_is_wrong_and_saves_nothing(
        self, browser: Client
    ) -> None:
        text = "保育課,ほいくか\n納税課,のうぜいか,,メールではない\n保育課"

        answer = browser.post(reverse("offices:add_divisions"), {"text": text})

        errors = " ".join(answer.context["form"].errors["text"])
        assert "2行目（納税課）" in errors
        assert "3行目: 「保育課」が重なっています" in errors
        assert not Division.objects.filter(name="保育課").exists()


class TestChange:
    def test_the_trail_keeps_what_stood_there_before(self, browser: Client, admin: User) -> None:
        site = make.site("本庁舎")

        browser.post(reverse("offices:change_site", args=[site.pk]), SITE | {"name": "新庁舎"})

        event = AuditEvent.objects.get(verb="site.change")
        assert event.actor == admin.username
        assert event.detail["changes"]["name"] == ["本庁舎", "新庁舎"]

    def test_saving_without_a_change_leaves_no_event(self, browser: Client) -> None:
        room = make.room()

        browser.post(
            reverse("offices:change_room", args=[room.pk]),
            {"name": room.name, "site": room.site_id, "seats": room.seats},
        )

        assert not AuditEvent.objects.filter(verb="room.change").exists()

    def test_an_office_out_of_use_can_come_back(self, browser: Client) -> None:
        room = make.room()
        switch = reverse("offices:switch_room", args=[room.pk])

        browser.post(switch)
        assert not Room.objects.get().is_active

        browser.post(switch)
        assert Room.objects.get().is_active

    def test_a_division_with_staff_is_not_taken_out_of_use(self, browser: Client) -> None:
        division = make.division()
        make.staff(Role.OFFICER, division=division)

        answer = browser.post(reverse("offices:switch_division", args=[division.pk]), follow=True)

        assert "在職の職員が1人" in answer.content.decode()
        assert Division.objects.get(pk=division.pk).is_active

    def test_a_site_with_a_counter_is_not_taken_out_of_use(self, browser: Client) -> None:
        site = make.counter().site

        answer = browser.post(reverse("offices:switch_site", args=[site.pk]), follow=True)

        assert "使用中の窓口が1か所" in answer.content.decode()
        assert Site.objects.get(pk=site.pk).is_active


class TestCalendar:
    def url(self, site: Site, on: str = "2026-11-25") -> str:
        return reverse("offices:set_opening_day", args=[site.pk, date.fromisoformat(on)])

    def test_every_day_says_why_it_is_open_or_shut(self, browser: Client) -> None:
        site = make.site()
        OpeningDay.objects.create(site=site, on=date(2026, 11, 25), reason="庁舎設備の点検")

        page = browser.get(f"{reverse('offices:calendar', args=[site.pk])}?month=2026-11")

        content = page.content.decode()
        for words in ("令和8年11月", "文化の日", "勤労感謝の日", "庁舎設備の点検", "8:30〜17:15"):
            assert words in content

    def test_a_run_of_days_is_shut_and_opened_again(self, browser: Client) -> None:
        site = make.site()

        browser.post(self.url(site), {"is_open": "shut", "reason": "点検", "last": "R8.11.27"})
        assert OpeningDay.objects.filter(site=site, opens_at=None).count() == 3

        browser.post(reverse("offices:clear_opening_day", args=[site.pk, date(2026, 11, 25)]))
        assert not OpeningDay.objects.filter(on=date(2026, 11, 25)).exists()

    def test_open_without_hours_is_an_error_on_the_field(self, browser: Client) -> None:
        answer = browser.post(self.url(make.site()), {"is_open": "open", "reason": "臨時開庁"})

        assert "時刻を入力してください。" in answer.context["form"].errors["opens_at"]
        assert not OpeningDay.objects.exists()

    def test_a_day_that_does_not_exist_is_not_found(self, browser: Client) -> None:
        url = self.url(make.site()).replace("2026-11-25", "2026-02-30")

        assert browser.get(url).status_code == 404

    def test_a_month_that_does_not_exist_shows_this_month(self, browser: Client) -> None:
        url = f"{reverse('offices:calendar', args=[make.site().pk])}?month=2026-99"

        assert browser.get(url).status_code == 200


def test_the_list_takes_the_same_queries_however_many_offices(
    browser: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(3):
        site = make.site(f"支所{number}")
        Counter.objects.create(
            site=site, division=make.division(f"課{number}"), name="1番", kind=CounterKind.DESK
        )
    url = reverse("offices:index")
    browser.get(url)

    with django_assert_num_queries(INDEX_QUERIES):
        browser.get(url)


INDEX_QUERIES = 14
