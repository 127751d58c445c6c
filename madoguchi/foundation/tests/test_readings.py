from datetime import date

import pytest

from madoguchi.foundation import readings


class TestReadings:
    def test_a_reading_stands_over_the_kanji_before_it(self) -> None:
        assert list(readings.runs("お電話《でんわ》か、窓口《まどぐち》で")) == [
            ("お", ""),
            ("電話", "でんわ"),
            ("か、", ""),
            ("窓口", "まどぐち"),
            ("で", ""),
        ]

    def test_a_bar_says_where_the_base_begins(self) -> None:
        assert list(readings.runs("市｜引っ越し《ひっこし》")) == [
            ("市", ""),
            ("引っ越し", "ひっこし"),
        ]

    @pytest.mark.parametrize("name", ["𠮷髙﨑葛󠄀《よしたかさきくず》", "々《のま》"])
    def test_rare_kanji_are_kanji(self, name: str) -> None:
        assert readings.unread(name) == []

    def test_text_without_readings_is_the_text(self) -> None:
        assert readings.plain("｜引っ越し《ひっこし》は予約《よやく》制") == "引っ越しは予約制"

    def test_kanji_without_a_reading_are_found(self) -> None:
        assert readings.unread("予約《よやく》制です。") == ["制"]

    @pytest.mark.parametrize(
        ("name", "kana", "read"),
        [
            (
                "保育所の入所相談",
                "ほいくしょのにゅうしょそうだん",
                "保育所《ほいくしょ》の入所相談《にゅうしょそうだん》",
            ),
            (
                "マイナンバーカードの受け取り",
                "マイナンバーカードノウケトリ",
                "マイナンバーカードの受《う》け取《と》り",
            ),
            ("市民相談（総合）", "しみんそうだん", "市民相談（総合）"),
            ("おくやみ", "おくやみ", "おくやみ"),
        ],
    )
    def test_the_reading_of_a_name_is_laid_over_its_kanji(
        self, name: str, kana: str, read: str
    ) -> None:
        assert readings.over(name, kana) == read

    @pytest.mark.parametrize("day", [date(2026, 11, n) for n in range(23, 30)])
    def test_a_day_is_read_whole(self, day: date) -> None:
        assert readings.unread(readings.of_day(day)) == []

    def test_a_day_keeps_its_writing(self) -> None:
        assert readings.plain(readings.of_day(date(2019, 5, 12))) == "令和元年5月12日（日）"
