from datetime import UTC, datetime, timedelta

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from pytest_django import DjangoAssertNumQueries, Settings

from madoguchi.foundation import limits
from madoguchi.foundation.limits import Limit, TooMany
from madoguchi.foundation.models import Allowance

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
THREE = Limit(name="test", times=3, span=timedelta(minutes=10))


def visitor(address: str, forwarded: str = "") -> str:
    return limits.visitor(_request(address, forwarded))


def spend(address: str = "192.0.2.1", *, at: datetime = NOW, forwarded: str = "") -> None:
    limits.spend(THREE, _request(address, forwarded), at=at)


def _request(address: str, forwarded: str) -> HttpRequest:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return RequestFactory().get("/", headers=headers, REMOTE_ADDR=address)


@pytest.mark.django_db
class TestSpend:
    def test_the_fourth_time_is_one_too_many_and_says_how_long_to_wait(self) -> None:
        for _ in range(3):
            spend()

        with pytest.raises(TooMany) as refused:
            spend(at=NOW + timedelta(minutes=4))
        assert refused.value.wait == 360

    def test_another_address_is_another_person(self) -> None:
        for _ in range(3):
            spend()

        spend("192.0.2.2")

    def test_the_next_span_begins_anew(self) -> None:
        for _ in range(3):
            spend()

        spend(at=NOW + timedelta(minutes=10))

    def test_no_address_is_kept(self) -> None:
        spend()

        assert "192.0.2.1" not in str(list(Allowance.objects.values()))

    def test_one_statement_each_time(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(1):
            spend()

    def test_counts_of_the_past_are_forgotten(self) -> None:
        spend()

        limits.forget(at=NOW + timedelta(minutes=11))

        assert not Allowance.objects.exists()

    def test_load_tests_switch_it_off(self, settings: Settings) -> None:
        settings.RATE_LIMITS = False

        for _ in range(10):
            spend()

        assert not Allowance.objects.exists()

    def test_a_forged_header_does_not_make_a_new_person(self) -> None:
        for number in range(3):
            spend(forwarded=f"203.0.113.{number}")

        with pytest.raises(TooMany):
            spend(forwarded="203.0.113.99")


class TestVisitor:
    def test_without_a_trusted_proxy_the_header_is_not_read(self) -> None:
        assert visitor("192.0.2.1", "203.0.113.9") == "192.0.2.1"

    @pytest.mark.parametrize(
        ("forwarded", "who"),
        [
            ("203.0.113.9", "203.0.113.9"),
            ("203.0.113.9:50123", "203.0.113.9"),
            ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
            ("203.0.113.9, 10.0.0.2", "203.0.113.9"),
            ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("nonsense", "10.0.0.1"),
            ("203.0.113.9, nonsense", "10.0.0.1"),
            ("", "10.0.0.1"),
        ],
    )
    def test_behind_the_proxy_the_last_unknown_hop_counts(
        self, forwarded: str, who: str, settings: Settings
    ) -> None:
        settings.TRUSTED_PROXIES = ["10.0.0.0/8"]

        assert visitor("10.0.0.1", forwarded) == who

    def test_a_server_without_addresses_still_answers(self) -> None:
        assert visitor("") == "unknown"
