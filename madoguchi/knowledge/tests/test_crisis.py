"""Whoever searches in words of distress reads first where help is."""

import pytest
from django.test import Client

from madoguchi.knowledge.rules import may_be_in_danger
from madoguchi.offices.models import City
from tests import make


@pytest.mark.parametrize(
    "words",
    [
        "死にたい",
        "しにたいです",
        "シニタイ",
        "もう 消え たい",
        "きえたい",
        "いなくなりたい",
        "生きるのがつらい",
        "夫に殺される",
        "ころされる",
        "ＤＶ　相談",
        "dvから逃げる",
        "ドメスティック・バイオレンス",
        "夫の暴力",
        "殴られた",
        "子どもへの虐待",
        "ストーカーにつきまとわれている",
        "首を吊る",
    ],
)
def test_words_of_distress_are_understood_in_any_spelling(words: str) -> None:
    assert may_be_in_danger(words)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "死亡届",
        "家族が死んだときの手続き",
        "DVDの捨て方",
        "ひっこしにたいして",
        "ひっこしにたいへん",
        "暴力団排除条例",
        "殺虫剤の捨て方",
        "犬の殺処分",
        "消えた年金",
        "引越し",
    ],
)
def test_the_office_s_other_words_are_not(words: str) -> None:
    assert not may_be_in_danger(words)


@pytest.mark.django_db
class TestPage:
    @pytest.fixture(autouse=True)
    def city(self) -> City:
        return City.objects.create(pk=1, name="汐見市", urgent_help="こころの電話 000-0000-1010")

    @pytest.mark.parametrize("address", ["/faq/", "/"])
    def test_help_stands_before_the_answers(self, client: Client, address: str) -> None:
        make.faq("夫から暴力を受けたとき、どこへ相談できますか。", "相談窓口です。")

        page = client.get(address, {"q": "夫の暴力"}).content.decode()

        for number in ("tel:110", "tel:%239110", "tel:000-0000-1010"):
            assert 0 < page.index(number) < page.index("どこへ相談できますか")

    @pytest.mark.parametrize("address", ["/faq/", "/"])
    def test_it_stands_there_when_nothing_was_found_too(
        self, client: Client, address: str
    ) -> None:
        assert "tel:000-0000-1010" in client.get(address, {"q": "死にたい"}).content.decode()

    @pytest.mark.parametrize("address", ["/faq/", "/"])
    def test_other_searches_are_not_disturbed(self, client: Client, address: str) -> None:
        assert "tel:110" not in client.get(address, {"q": "住民票"}).content.decode()

    def test_without_the_city_s_own_lines_the_police_are_named(
        self, client: Client, city: City
    ) -> None:
        City.objects.update(urgent_help="")

        page = client.get("/faq/", {"q": "死にたい"}).content.decode()

        assert "tel:110" in page and "tel:%239110" in page
