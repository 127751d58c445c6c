from datetime import date, timedelta

import pytest

from madoguchi.foundation import dates


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("R8.4.1", date(2026, 4, 1)),
        ("r8/4/1", date(2026, 4, 1)),
        ("令和8年4月1日", date(2026, 4, 1)),
        ("令和８年４月１日（水）", date(2026, 4, 1)),
        ("2026-04-01", date(2026, 4, 1)),
        ("８．４．１", date(2026, 4, 1)),
        ("令和元年5月1日", date(2019, 5, 1)),
        ("H31.4.30", date(2019, 4, 30)),
        ("S21.3.4", date(1946, 3, 4)),
        ("昭和64年1月7日", date(1989, 1, 7)),
        ("T15.12.24", date(1926, 12, 24)),
        (" 2028 / 2 / 29 ", date(2028, 2, 29)),
    ],
)
def test_a_date_is_read_as_people_write_it(text: str, day: date) -> None:
    assert dates.parse_date(text) == day


@pytest.mark.parametrize(
    "text",
    ["", "きのう", "R8.2.29", "2026-13-01", "H32.1.1", "R1.4.30", "S64.1.8", "R0.1.1", "8.4"],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        dates.parse_date(text)


def test_every_day_of_two_centuries_survives_the_japanese_calendar() -> None:
    day = date(1926, 1, 1)
    while day < date(2126, 1, 1):
        assert dates.parse_date(dates.wareki(day)) == day
        assert dates.parse_date(dates.wareki_short(day)) == day
        day += timedelta(days=1)


def test_the_weekday_stands_in_brackets_when_asked() -> None:
    assert dates.wareki(date(2026, 11, 22), weekday=True) == "令和8年11月22日（日）"


@pytest.mark.parametrize(
    ("day", "year"),
    [(date(2026, 4, 1), 2026), (date(2027, 3, 31), 2026), (date(2027, 4, 1), 2027)],
)
def test_the_fiscal_year_begins_in_april(day: date, year: int) -> None:
    assert dates.fiscal_year(day) == year


def test_days_before_the_eras_are_refused() -> None:
    with pytest.raises(ValueError):
        dates.wareki(date(1867, 1, 1))
