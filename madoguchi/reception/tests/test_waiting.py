"""Waiting times: the plays, what they learn, and how honest the ranges are."""

from datetime import timedelta
from statistics import fmean

import pytest
from django.test import Client

from bench import waiting as bench
from madoguchi.reception import actions, queries, rules
from madoguchi.reception.rules import waiting
from madoguchi.reception.rules.waiting import Coming, Hall, Length, Person, Range, Talk
from madoguchi.staff.rules import Role
from tests import make

TEN = Length(log_mean=2.3026, log_spread=0.01, known=1e9)  # ten minutes, nearly exactly


def hall(**more: object) -> Hall:
    return Hall(**({"counters": {1: frozenset({1})}, "lengths": {1: TEN}} | more))  # type: ignore[arg-type]


class TestForecast:
    def test_who_is_behind_two_talks_waits_for_both(self) -> None:
        people = [Person(7, 1, -20), Person(8, 1, -10)]

        told = waiting.forecast(hall(talks=[Talk(1, 1, 4.0)], waiting=people))

        assert told.visits[7].middle == pytest.approx(6, abs=0.5)
        assert told.visits[8].middle == pytest.approx(16, abs=0.5)
        assert told.newcomers[1].middle == pytest.approx(26, abs=0.5)

    def test_who_has_booked_and_is_due_goes_before_and_is_waited_for(self) -> None:
        coming = [Coming(1, 5.0)]
        people = [Person(7, 1, -20)]
        late = hall(talks=[Talk(1, 1, 0.0)], waiting=people, coming=coming, shows=1.0)

        told = waiting.forecast(late)

        assert told.visits[7].middle == pytest.approx(20, abs=1)

    def test_who_books_and_does_not_come_is_not_waited_for(self) -> None:
        gone = hall(
            talks=[Talk(1, 1, 0.0)], waiting=[Person(7, 1, -20)], coming=[Coming(1, -45.0)]
        )

        assert waiting.forecast(gone).visits[7].middle == pytest.approx(10, abs=1)

    def test_the_declared_order_decides(self) -> None:
        people = [Person(7, 1, -20), Person(8, 1, -1, booked=0.0)]
        by_time = rules.CallOrder(rules.Order.BY_TIME)

        first = waiting.forecast(hall(talks=[Talk(1, 1, 0.0)], waiting=people))
        timed = waiting.forecast(hall(talks=[Talk(1, 1, 0.0)], waiting=people, order=by_time))

        assert first.visits[8].middle < first.visits[7].middle
        assert timed.visits[7].middle < timed.visits[8].middle

    def test_an_empty_hall_says_soon_and_a_shut_one_says_nothing(self) -> None:
        assert waiting.forecast(hall()).newcomers[1].words == "まもなく"
        shut = waiting.forecast(hall(counters={}, waiting=[Person(7, 1, -20)]))
        assert (shut.visits, shut.newcomers) == ({}, {})

    def test_who_is_sent_to_one_counter_waits_for_that_one(self) -> None:
        two = {1: frozenset({1}), 2: frozenset({1})}
        sent = hall(counters=two, talks=[Talk(1, 1, 0.0)], waiting=[Person(7, 1, -5, desk=1)])

        assert waiting.forecast(sent).visits[7].middle == pytest.approx(10, abs=0.5)

    def test_the_same_hall_gets_the_same_answer(self) -> None:
        here = hall(talks=[Talk(1, 1, 4.0)], waiting=[Person(7, 1, -20)])

        assert waiting.forecast(here) == waiting.forecast(here)

    def test_a_talk_beyond_all_experience_may_end_at_any_moment(self) -> None:
        told = waiting.forecast(hall(talks=[Talk(1, 1, 300.0)], waiting=[Person(7, 1, -20)]))

        assert told.visits[7].high < 300


class TestLearned:
    def test_without_a_talk_it_is_what_was_entered(self) -> None:
        assert waiting.learned([], expected=30).mean == pytest.approx(30, rel=0.01)

    def test_many_talks_outweigh_it(self) -> None:
        assert waiting.learned([12.0] * 500, expected=30).mean == pytest.approx(12, rel=0.05)

    def test_a_forgotten_button_teaches_nothing(self) -> None:
        assert waiting.learned([900.0, 0.1], expected=30) == waiting.learned([], expected=30)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0, 0.3, "まもなく"),
        (3.2, 7.8, "およそ3〜8分"),
        (13, 34, "およそ15〜35分"),
        (28, 31, "およそ30分"),
        (80, 200, "およそ80分〜3時間半"),
        (610, 970, "およそ10時間〜16時間"),
    ],
)
def test_the_range_is_said_in_words(low: float, high: float, words: str) -> None:
    assert Range(low, (low + high) / 2, high).words == words


def test_four_of_five_are_called_within_what_they_were_told() -> None:
    """A short run of bench.waiting; its bounds are wide because it is short."""
    told = [t for t in bench.run(days=6, plays=100, seed=5) if t.ranges["floor"].high > 0]

    figures = bench.figures(told, "learned")

    assert figures.people > 100
    assert 0.70 <= figures.covered <= 0.90
    assert figures.error <= bench.figures(told, "floor").error * 1.10
    narrow = [
        (told.ranges["learned"].middle - 1, told.ranges["learned"].middle + 1, told.waited)
        for told in told
    ]
    assert fmean(low <= waited <= high for low, high, waited in narrow) < 0.70  # not by chance


@pytest.mark.django_db
class TestCongestion:
    def test_it_knows_talks_counters_and_appointments_of_the_hall(self) -> None:
        counter, closed = make.counter("1番"), make.counter("2番")
        service = make.service(counters=[counter, closed])
        officer = make.staff(Role.RECEPTION)
        make.visit(service, arrived_at=make.NOW)
        actions.call_next(counter=counter, by=officer, at=make.NOW)
        actions.close_counter(counter=closed, by=officer, at=make.NOW)
        waits = make.visit(service, arrived_at=make.NOW)
        make.appointment(service, counter=counter, start=make.NOW + timedelta(minutes=30))

        found = queries.hall_at(make.site(), at=make.NOW + timedelta(minutes=10))

        assert set(found.counters) == {counter.pk}
        assert [(t.counter, t.elapsed) for t in found.talks] == [(counter.pk, 10.0)]
        assert [p.visit for p in found.waiting] == [waits.pk]
        assert [c.booked for c in found.coming] == [20.0]

    def test_it_learns_from_finished_visits(self) -> None:
        service = make.service()
        officer = make.staff(Role.RECEPTION)
        for minute in range(0, 400, 10):
            make.visit(service, arrived_at=make.NOW)
            at = make.NOW + timedelta(minutes=minute)
            called = actions.call_next(counter=service.counters.get(), by=officer, at=at)
            assert called
            actions.start(visit=called, by=officer, at=at)
            actions.finish(visit=called, by=officer, at=at + timedelta(minutes=8))

        [length] = queries.talk_lengths([service.pk], on=make.NOW.date()).values()

        assert length.mean < 15  # entered were thirty

    def test_a_change_in_the_hall_is_seen_at_once(self) -> None:
        service = make.service()
        site = service.counters.get().site
        before = queries.congestion(site, at=make.NOW)
        actions.walk_in(
            site=site,
            service=service,
            reason=rules.Remark.URGENT,
            by=make.staff(Role.RECEPTION),
            at=make.NOW,
        )

        after = queries.congestion(site, at=make.NOW)

        assert (before.people, after.people) == (0, 1)

    def test_the_public_page_the_ticket_and_the_display_say_the_same(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: make.NOW)
        service = make.service()
        visits = [make.visit(service, arrived_at=make.NOW) for _ in range(3)]
        site = service.counters.get().site
        told = queries.congestion(site, at=make.NOW)

        display = client.get(f"/display/{site.code}/").content.decode()
        ticket = client.get(visits[1].address).content.decode()
        public = client.get("/congestion/").content.decode()

        assert told.range and told.range.words in display
        assert told.range.words in public
        assert told.told.visits[visits[1].pk].words in ticket
        assert '<noscript><meta http-equiv="refresh"' in ticket
        for address in (visits[1].address, "/congestion/"):
            part = client.get(address, headers={"HX-Request": "true"}).content.decode()
            assert told.range.words in part or told.told.visits[visits[1].pk].words in part
            assert "<html" not in part

    def test_a_ticket_is_not_guessed(self, client: Client) -> None:
        visit = make.visit()
        address = visit.address

        assert client.get(address).status_code == 200
        assert client.get(f"/tickets/{visit.pk}/").status_code == 404
        assert (
            client.get(
                f"/tickets/{visit.pk + 1}{address[len(f'/tickets/{visit.pk}') :]}"
            ).status_code
            == 404
        )
