from datetime import UTC, date, datetime, time

import pytest

from madoguchi.ui.templatetags import japanese

MORNING = datetime(2026, 11, 21, 15, 5, tzinfo=UTC)  # 0:05 of the next day in Japan


def test_dates_are_those_of_japan() -> None:
    assert japanese.wareki(date(2026, 11, 22)) == "令和8年11月22日"
    assert japanese.wareki(date(2026, 11, 22), "weekday") == "令和8年11月22日（日）"
    assert japanese.wareki(MORNING) == "令和8年11月22日"
    assert japanese.wareki_short(MORNING) == "R8.11.22"
    assert japanese.clock(MORNING) == "0:05"
    assert japanese.clock(time(9, 5)) == "9:05"
    assert japanese.wareki_clock(MORNING) == "令和8年11月22日 0:05"


def test_nothing_is_shown_for_nothing() -> None:
    drawn = [
        japanese.wareki(None),
        japanese.wareki_short(None),
        japanese.clock(None),
        japanese.wareki_clock(None),
        japanese.minutes(None),
        japanese.phone(None),
        japanese.paragraphs(None),
    ]
    assert drawn == [""] * 7


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0分"), (45, "45分"), (60, "1時間"), (90, "1時間30分")]
)
def test_minutes_are_said_in_hours_when_there_are_any(count: int, words: str) -> None:
    assert japanese.minutes(count) == words


@pytest.mark.parametrize(
    ("digits", "grouped"),
    [
        ("09012345678", "090-1234-5678"),
        ("0120123456", "0120-123-456"),
        ("0312345678", "03-1234-5678"),
        ("0463123456", "0463123456"),
        ("0463-12-3456", "0463-12-3456"),
    ],
)
def test_a_telephone_number_is_grouped_where_the_grouping_is_certain(
    digits: str, grouped: str
) -> None:
    assert japanese.phone(digits) == grouped


def test_paragraphs_keep_lines_and_escape_marks() -> None:
    drawn = japanese.paragraphs("一行目\r\n二行目\n\n<script>")

    assert drawn == "<p>一行目<br>二行目</p><p>&lt;script&gt;</p>"


def test_readings_stand_over_their_words_and_nothing_becomes_markup() -> None:
    assert japanese.read("予約《よやく》<b>") == (
        "<ruby>予約<rp>（</rp><rt>よやく</rt><rp>）</rp></ruby>&lt;b&gt;"
    )
    assert "<rt>じゅうみんひょう</rt>" in japanese.read_by("住民票", "じゅうみんひょう")
    assert "<rt>にち</rt>" in japanese.read_when(MORNING)
