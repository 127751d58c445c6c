from datetime import timedelta

import pytest
from django.test import Client
from icalendar import Calendar

from madoguchi.booking import actions
from madoguchi.booking.models import CounterFeed
from tests import make

pytestmark = pytest.mark.django_db


def test_the_calendar_tells_times_and_never_who_comes(client: Client) -> None:
    counter = make.counter("1番")
    service = make.service("保育所の入所相談", counters=[counter])
    booked = make.appointment(
        service, counter=counter, name="髙橋 花子", phone="09055550123", email="hana@mail.example"
    )
    feed = actions.make_feed(counter=counter, by=make.staff(), at=make.NOW)

    answer = client.get(feed.address)

    text = Calendar.from_ical(answer.content).to_ical().decode()
    assert booked.shown_number in text
    assert "保育所の入所相談" in text
    for secret in ("髙橋", "0905555", "hana@", booked.token):
        assert secret not in text


def test_a_cancelled_booking_is_struck_from_the_calendar(client: Client) -> None:
    counter = make.counter("1番")
    service = make.service(counters=[counter])
    booked = make.appointment(service, counter=counter)
    feed = actions.make_feed(counter=counter, by=make.staff(), at=make.NOW)
    actions.cancel(appointment=booked, by=make.staff(), at=booked.start - timedelta(days=1))

    assert b"STATUS:CANCELLED" in client.get(feed.address).content


def test_a_link_withdrawn_or_made_anew_stops_working(client: Client) -> None:
    counter = make.counter("1番")
    first = actions.make_feed(counter=counter, by=make.staff(), at=make.NOW)
    second = actions.make_feed(counter=counter, by=make.staff(), at=make.NOW)

    assert client.get(first.address).status_code == 404
    assert client.get(second.address).status_code == 200

    actions.withdraw_feed(feed=second, by=make.staff(), at=make.NOW)

    assert client.get(second.address).status_code == 404
    assert CounterFeed.objects.count() == 2
