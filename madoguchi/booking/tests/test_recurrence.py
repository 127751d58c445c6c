"""The recurrence of opening rules against RFC 5545, as python-dateutil reads it."""

from calendar import monthrange
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule

from madoguchi.booking import rules

RULES = 10_000
SPAN = 200  # days looked at, from some weeks before the rule begins


def some_rule(random: Random) -> rules.Opening:
    first = date(2024, 1, 1) + timedelta(days=random.randrange(1500))
    is_monthly = random.random() < 0.5
    return rules.Opening(
        weekdays=random.randrange(1, 128),
        opens=time(random.randrange(7, 12)),
        closes=time(17),
        valid_from=first,
        valid_until=first + timedelta(days=random.randrange(160))
        if random.random() < 0.7
        else None,
        is_closure=False,
        every_weeks=1 if is_monthly else random.randrange(1, 9),
        weeks_of_month=random.randrange(1, 64) if is_monthly else 0,
    )


def days_of_dateutil(rule: rules.Opening, *, until: date, zone: ZoneInfo) -> set[date]:
    """Return the days on which an RFC 5545 rule of the same words begins, in the zone's clock."""
    days = [rrule.weekdays[i] for i in range(7) if rule.weekdays >> i & 1]
    start = datetime.combine(rule.valid_from, rule.opens, zone)
    end = datetime.combine(min(until, rule.valid_until or until), time(23, 59), zone)
    if not rule.weeks_of_month:
        found = rrule.rrule(
            rrule.WEEKLY,
            dtstart=start,
            until=end,
            interval=rule.every_weeks,
            byweekday=days,
            wkst=rrule.MO,
        )
        return {moment.date() for moment in found}
    nth = [n + 1 if n < 5 else -1 for n in range(6) if rule.weeks_of_month >> n & 1]
    found = rrule.rrule(
        rrule.MONTHLY, dtstart=start, until=end, byweekday=[day(n) for day in days for n in nth]
    )
    return {moment.date() for moment in found}


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_ten_thousand_rules_fall_on_the_days_that_rfc_5545_says(zone: str) -> None:
    random = Random(f"recurrence {zone}")
    kinds = set()

    for _ in range(RULES // 2):
        rule = some_rule(random)
        first = rule.valid_from - timedelta(days=20)
        days = [first + timedelta(days=n) for n in range(SPAN)]

        ours = {day for day in days if rule.applies(day)}

        assert ours == days_of_dateutil(rule, until=days[-1], zone=ZoneInfo(zone)), rule
        kinds.add((rule.every_weeks > 1, bool(rule.weeks_of_month), bool(ours)))
    assert len(kinds) > 3


def test_the_last_weekday_is_the_last_also_in_february_of_a_leap_year() -> None:
    for year in range(2024, 2033):
        for month in range(1, 13):
            last = date(year, month, monthrange(year, month)[1])
            for n in range(7):
                assert rules.weeks_of(last - timedelta(days=n)) & rules.LAST_WEEK
            assert not rules.weeks_of(last - timedelta(days=7)) & rules.LAST_WEEK
