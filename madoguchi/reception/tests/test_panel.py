"""The hall as a whole: closing, support, alerts, the panel."""

import re
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from madoguchi.booking.models import Service
from madoguchi.foundation.models import LiveEvent
from madoguchi.offices.models import Counter
from madoguchi.reception import actions, queries, rules
from madoguchi.reception.models import Alert, Closing, Support
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    monkeypatch.setattr("django.utils.timezone.now", lambda: make.NOW)
    return make.NOW


@pytest.fixture
def officer() -> User:
    return make.staff(Role.RECEPTION)


@pytest.fixture
def counter() -> Counter:
    return make.counter("1番")


@pytest.fixture
def service(counter: Counter) -> Service:
    return make.service(counters=[counter])


@pytest.fixture
def desk(client: Client, officer: User) -> Client:
    client.force_login(officer)
    return client


def panel() -> str:
    return f"/staff/reception/{make.site().code}/panel/"


class TestClosing:
    def test_a_closed_counter_calls_nobody_until_it_is_open_again(
        self, service: Service, counter: Counter, officer: User
    ) -> None:
        waiting = make.visit(service)
        actions.close_counter(counter=counter, by=officer, at=make.NOW)

        with pytest.raises(rules.StepNotAllowed, match="休止中"):
            actions.call_next(counter=counter, by=officer, at=make.NOW)
        with pytest.raises(rules.StepNotAllowed, match="休止中"):
            actions.call(visit=waiting, counter=counter, by=officer, at=make.NOW)
        actions.open_counter(counter=counter, by=officer, at=make.NOW)
        assert actions.call_next(counter=counter, by=officer, at=make.NOW) == waiting

    def test_it_holds_for_today_only(
        self, service: Service, counter: Counter, officer: User
    ) -> None:
        actions.close_counter(counter=counter, by=officer, at=make.NOW - timedelta(days=1))
        make.visit(service)

        assert actions.call_next(counter=counter, by=officer, at=make.NOW) is not None

    def test_not_while_somebody_waits_for_this_counter_alone(
        self, service: Service, counter: Counter, officer: User
    ) -> None:
        make.visit(service, desk=counter)

        with pytest.raises(rules.StepNotAllowed, match="指定して待っている"):
            actions.close_counter(counter=counter, by=officer, at=make.NOW)

    def test_the_table_holds_one_closing_at_a_time(self, counter: Counter) -> None:
        row = {"counter": counter, "on": make.NOW.date(), "closed_at": make.NOW, "closed_by": "x"}
        Closing.objects.create(**row)

        with pytest.raises(IntegrityError):
            Closing.objects.create(**row)


class TestSupport:
    def test_a_helping_counter_calls_for_the_other_section_until_it_ends(
        self, service: Service, officer: User
    ) -> None:
        helper = make.counter("2番", division=make.division("税務課"))
        waiting = make.visit(service)
        assert actions.call_next(counter=helper, by=officer, at=make.NOW) is None

        actions.begin_support(counter=helper, service=service, by=officer, at=make.NOW)
        actions.begin_support(counter=helper, service=service, by=officer, at=make.NOW)
        assert actions.call_next(counter=helper, by=officer, at=make.NOW) == waiting
        actions.end_support(support=Support.objects.get(), by=officer, at=make.NOW)
        waiting.refresh_from_db()
        actions.return_to_queue(visit=waiting, by=officer, at=make.NOW)
        assert actions.call_next(counter=helper, by=officer, at=make.NOW) is None

    def test_a_closed_counter_does_not_help(
        self, service: Service, counter: Counter, officer: User
    ) -> None:
        helper = make.counter("2番")
        actions.close_counter(counter=helper, by=officer, at=make.NOW)

        with pytest.raises(rules.StepNotAllowed, match="休止中"):
            actions.begin_support(counter=helper, service=service, by=officer, at=make.NOW)

    def test_a_busy_hall_is_told_what_an_idle_counter_would_change(
        self, desk: Client, service: Service
    ) -> None:
        make.counter("2番", division=make.division("税務課"))
        for minute in range(12):
            make.visit(service, arrived_at=make.NOW - timedelta(minutes=minute))

        [help_] = queries.suggested_help(make.site(), at=make.NOW)
        page = desk.get(panel()).content.decode()

        assert help_.then.middle < help_.now.middle * 0.7
        assert "混んでいます" in page
        assert f"{help_.now.words} → <strong>{help_.then.words}" in page
        answer = desk.post(
            f"/staff/counters/{help_.counter.pk}/supports/",
            {"service": service.code, "from": "panel"},
            follow=True,
        )
        assert "応援を終える" in answer.content.decode()

    def test_a_quiet_hall_is_told_nothing(self, desk: Client, service: Service) -> None:
        make.counter("2番", division=make.division("税務課"))
        make.visit(service)

        assert queries.suggested_help(make.site(), at=make.NOW) == []
        assert "混んでいます" not in desk.get(panel()).content.decode()


class TestAlert:
    def test_it_is_shown_to_colleagues_until_one_goes(
        self, desk: Client, counter: Counter, service: Service, officer: User
    ) -> None:
        desk.post(f"/staff/counters/{counter.pk}/alerts/")
        desk.post(f"/staff/counters/{counter.pk}/alerts/")  # pressed twice in fear: one alert

        alert = Alert.objects.get()
        assert (alert.raised_by, alert.raised_at) == (officer.username, make.NOW)
        reception = f"/staff/reception/{make.site().code}/"
        for page in (panel(), reception, f"/staff/counters/{counter.pk}/"):
            assert "緊急" in desk.get(page).content.decode()
            assert "わたしが行く" in desk.get(page).content.decode()
        desk.post(f"/staff/alerts/{alert.pk}/acknowledgement/")
        alert.refresh_from_db()
        assert (alert.acknowledged_by, alert.acknowledged_at) == (officer.username, make.NOW)
        assert "わたしが行く" not in desk.get(panel()).content.decode()

    def test_it_reaches_open_screens_of_staff_and_never_the_public_ones(
        self, counter: Counter, officer: User
    ) -> None:
        actions.raise_alert(counter=counter, by=officer, at=make.NOW)

        assert set(LiveEvent.objects.values_list("topic", "kind")) == {
            (f"reception.{counter.site_id}", "alert.raise")
        }

    def test_who_took_it_first_is_kept(self, counter: Counter, officer: User) -> None:
        alert = actions.raise_alert(counter=counter, by=officer, at=make.NOW)
        actions.acknowledge_alert(alert=alert, by=officer, at=make.NOW)
        actions.acknowledge_alert(
            alert=alert, by=make.staff(Role.RECEPTION), at=make.NOW + timedelta(minutes=1)
        )

        alert.refresh_from_db()
        assert alert.acknowledged_by == officer.username

    def test_the_table_wants_who_and_when(self, counter: Counter) -> None:
        with pytest.raises(IntegrityError):
            Alert.objects.create(
                counter=counter, raised_at=make.NOW, raised_by="x", acknowledged_at=make.NOW
            )


class TestPanel:
    def test_it_says_who_serves_whom_since_when_and_who_waits_longest(
        self, desk: Client, service: Service, counter: Counter, officer: User
    ) -> None:
        first = make.visit(service, ticket=7, arrived_at=make.NOW - timedelta(minutes=50))
        make.visit(service, ticket=8, arrived_at=make.NOW - timedelta(minutes=40))
        actions.call(visit=first, counter=counter, by=officer, at=make.NOW)

        page = desk.get(panel()).content.decode()

        assert "7番" in page
        assert officer.name in page
        assert "10:00" in page
        assert re.search(r"40\s*分", page)

    def test_a_counter_is_closed_and_opened_from_it(
        self, desk: Client, service: Service, counter: Counter
    ) -> None:
        answer = desk.post(
            f"/staff/counters/{counter.pk}/closing/", {"from": "panel"}, follow=True
        )
        assert "休止中" in answer.content.decode()
        desk.post(f"/staff/counters/{counter.pk}/opening/", {"from": "panel"})
        assert not queries.is_closed(counter, on=make.NOW.date())

    def test_another_division_reads_but_changes_nothing(
        self, client: Client, service: Service, counter: Counter
    ) -> None:
        client.force_login(make.staff(Role.OFFICER, division=make.division("衛生課")))

        page = client.get(panel()).content.decode()

        assert "休止する" not in page
        assert client.post(f"/staff/counters/{counter.pk}/closing/").status_code == 404

    def test_more_counters_cost_no_more_queries(
        self,
        desk: Client,
        service: Service,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for number in range(2, 12):
            service.counters.add(make.counter(f"{number}番"))
            make.visit(service)
        desk.get(panel())

        with django_assert_max_num_queries(24):
            desk.get(panel())
