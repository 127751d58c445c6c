from datetime import date, time

import pytest
from django.test import Client

from madoguchi.offices.models import City, OpeningDay
from madoguchi.publicsite import queries
from tests import make

pytestmark = pytest.mark.django_db


def test_services_stand_under_their_categories() -> None:
    make.service("保育所の入所相談", category="子育て", counters=[])
    make.service("市民税の相談", category="税金", counters=[])
    make.service("児童手当の手続き", category="子育て", counters=[])
    make.service("やめた手続き", is_active=False, counters=[])

    found = {c.name: [s.name for s in c.services] for c in queries.services_by_category("")}

    assert found == {"子育て": ["保育所の入所相談", "児童手当の手続き"], "税金": ["市民税の相談"]}


def test_a_service_is_found_by_a_word(client: Client) -> None:
    make.service("保育所の入所相談", category="子育て", counters=[])
    make.service("市民税の相談", category="税金", counters=[])

    html = client.get("/", {"q": "保育所"}).content.decode()

    assert "保育所の入所相談" in html
    assert "市民税の相談" not in html


def test_a_word_that_fits_nothing_says_what_to_do_and_stays_in_the_box(client: Client) -> None:
    make.service("保育所の入所相談", category="子育て", counters=[])

    html = client.get("/", {"q": "<宇宙>"}).content.decode()

    assert "「&lt;宇宙&gt;」に合う手続き・相談は見つかりませんでした" in html
    assert 'value="&lt;宇宙&gt;"' in html
    assert "すべての手続き・相談を見る" in html


def test_a_question_is_answered_beside_the_services_found(client: Client) -> None:
    make.service("引っ越しの手続き", category="くらし", counters=[])
    known = make.faq("引っ越しの手続きは？", "転入届を出してください。")
    make.faq("引っ越しのごみは？", "まだ答えがありません。", is_public=False)

    html = client.get("/", {"q": "引っ越し"}).content.decode()

    assert html.index("services-title") < html.index(f"/faq/{known.key}/")
    assert "転入届を出してください。" in html
    assert "まだ答えがありません。" not in html
    assert "/faq/?q=%E5%BC%95%E3%81%A3%E8%B6%8A%E3%81%97" in html


def test_an_answer_comes_first_when_no_service_fits(client: Client) -> None:
    known = make.faq("引っ越しの手続きは？", "転入届を出してください。")

    html = client.get("/", {"q": "転入届"}).content.decode()

    assert html.index(f"/faq/{known.key}/") < html.index("services-title")


def test_an_empty_city_has_a_home(client: Client) -> None:
    html = client.get("/").content.decode()

    assert "準備中" in html


def test_today_shows_hours_or_the_reason_of_being_shut() -> None:
    site = make.site()
    sunday, monday = date(2026, 11, 22), date(2026, 11, 24)
    OpeningDay.objects.create(site=site, on=monday, opens_at=None, closes_at=None, reason="停電")

    (open_site,) = queries.open_sites(today=sunday, days=4)

    assert [day.hours for day in open_site.days] == [None, None, None, (time(8, 30), time(17, 15))]
    assert [day.words for day in open_site.days[:3]] == ["日曜日", "勤労感謝の日", "停電"]


@pytest.mark.parametrize("address", ["/", "/offices/", "/sitemap/", "/accessibility/"])
def test_a_page_carries_the_name_of_the_city_and_a_skip_link(client: Client, address: str) -> None:
    City.objects.create(pk=1, name="汐見市")

    html = client.get(address).content.decode()

    assert "｜汐見市</title>" in html
    assert '<a class="skip" href="#main">本文へ移動</a>' in html
    assert html.startswith("<!doctype html>")
    assert html.count("<h1") == 1


def test_the_home_asks_little_of_the_database(
    client: Client, django_assert_max_num_queries: object
) -> None:
    for number in range(12):
        make.service(f"手続き{number}", counters=[])
    make.site()

    with django_assert_max_num_queries(4):  # type: ignore[operator]
        client.get("/")
