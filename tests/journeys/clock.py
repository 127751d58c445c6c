"""An office morning for the journey, whatever the day and hour at which the test runs."""

from datetime import datetime, time, timedelta
from pathlib import Path

from madoguchi.offices.rules import closed_day_reason
from tests.make import JST

AHEAD = Path(__file__).resolve().parent / "ahead"


def next_office_morning(now: datetime) -> datetime:
    """Return 8:35 of the next day on which every office is open."""
    day = now.astimezone(JST).date() + timedelta(days=1)
    while closed_day_reason(day):
        day += timedelta(days=1)
    return datetime.combine(day, time(8, 35), JST)


def set_forward(now: datetime) -> dict[str, str]:
    """Return the environment in which the product believes it is the next office morning."""
    ahead = next_office_morning(now) - now
    return {"PYTHONPATH": str(AHEAD), "CLOCK_AHEAD": str(int(ahead.total_seconds()))}
