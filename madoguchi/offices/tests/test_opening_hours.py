from datetime import date, time

import pytest
from pytest_django import DjangoAssertNumQueries

from madoguchi.offices import queries, rules
from madoguchi.offices.models import OpeningDay, Site
from madoguchi.offices.rules import Reason, RegularHours, SingleDay
from tests import make

WEEKDAY = (time(8, 30), time(17, 15))
CLOSED_DAY = (time(9), time(15))
TOWN_HALL = RegularHours(weekday=WEEKDAY)
CENTRE = RegularHours(weekday=WEEKDAY, closed_day=CLOSED_DAY, is_open_at_year_end=True)
WEEKEND_ONLY = RegularHours(weekday=WEEKDAY, closed_day=CLOSED_DAY)


@pytest.mark.parametrize(
    ("on", "why", "words"),
    [
        (date(2026, 11, 24), Reason.WEEKDAY, "平日"),
        (date(2026, 11, 28), Reason.WEEKEND, "土曜日"),
        (date(2026, 11, 29), Reason.WEEKEND, "日曜日"),
        (date(2026, 11, 3), Reason.HOLIDAY, "文化の日"),
        (date(2026, 5, 6), Reason.HOLIDAY, "憲法記念日 振替休日"),
        (date(2026, 9, 22), Reason.HOLIDAY, "国民の休日"),
        (date(2026, 12, 28), Reason.WEEKDAY, "平日"),
        (date(2026, 12, 29), Reason.YEAR_END, "年末年始"),
        (date(2027, 1, 1), Reason.YEAR_END, "年末年始"),
        (date(2027, 1, 3), Reason.YEAR_END, "年末年始"),
        (date(2027, 1, 4), Reason.WEEKDAY, "平日"),
    ],
)
def test_each_day_says_why(on: date, why: Reason, words: str) -> None:
    day = rules.office_day(on, regular=TOWN_HALL, exceptions={})

    assert (day.why, day.words) == (why, words)
    assert day.hours == (WEEKDAY if why is Reason.WEEKDAY else None)


@pytest.mark.parametrize(
    ("regular", "saturday", "new_year"),
    [(TOWN_HALL, None, None), (WEEKEND_ONLY, CLOSED_DAY, None), (CENTRE, CLOSED_DAY, CLOSED_DAY)],
)
def test_closed_days_keep_the_hours_of_the_site(
    regular: RegularHours, saturday: rules.Hours | None, new_year: rules.Hours | None
) -> None:
    assert rules.hours_on(date(2026, 11, 28), regular=regular, exceptions={}) == saturday
    assert rules.hours_on(date(2027, 1, 1), regular=regular, exceptions={}) == new_year


def test_an_exception_wins_over_weekday_holiday_and_year_end() -> None:
    shut, moved = date(2026, 11, 24), date(2027, 1, 1)
    exceptions = {
        shut: SingleDay(None, "停電"),
        moved: SingleDay((time(10), time(12)), "臨時開庁"),
    }

    assert rules.hours_on(shut, regular=CENTRE, exceptions=exceptions) is None
    assert rules.hours_on(moved, regular=TOWN_HALL, exceptions=exceptions) == (time(10), time(12))
    assert rules.office_day(shut, regular=CENTRE, exceptions=exceptions).words == "停電"


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        (date(2026, 11, 2), 1, date(2026, 11, 4)),  # over 文化の日
        (date(2026, 11, 20), 5, date(2026, 11, 30)),  # over a weekend and 勤労感謝の日
        (date(2026, 12, 28), 1, date(2027, 1, 4)),  # over the turn of the year
        (date(2026, 11, 28), 0, date(2026, 11, 30)),  # a Saturday moves on to Monday
        (date(2026, 11, 28), 1, date(2026, 11, 30)),
        (date(2026, 11, 24), 0, date(2026, 11, 24)),
    ],
)
def test_due_dates_skip_closed_days(start: date, days: int, due: date) -> None:
    assert rules.add_open_days(start, days) == due


@pytest.mark.django_db
class TestSite:
    def site(self) -> Site:
        return make.site(
            "市民相談センター",
            closed_day_opens_at=time(9),
            closed_day_closes_at=time(15),
            is_open_at_year_end=True,
        )

    def test_a_year_takes_one_query(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        site = self.site()

        with django_assert_num_queries(1):
            hours = queries.open_hours(site=site, first=date(2026, 4, 1), last=date(2027, 3, 31))

        assert len(hours) == 365

    def test_a_missing_day_is_shut(self) -> None:
        site = make.site()
        OpeningDay.objects.create(site=site, on=date(2026, 11, 25), reason="庁舎点検")

        hours = queries.open_hours(site=site, first=date(2026, 11, 21), last=date(2026, 11, 26))

        assert hours == {date(2026, 11, 24): WEEKDAY, date(2026, 11, 26): WEEKDAY}

    def test_the_exceptions_of_another_site_do_not_count(self) -> None:
        OpeningDay.objects.create(site=self.site(), on=date(2026, 11, 25), reason="庁舎点検")

        hours = queries.open_hours(
            site=make.site(), first=date(2026, 11, 25), last=date(2026, 11, 25)
        )

        assert hours == {date(2026, 11, 25): WEEKDAY}
