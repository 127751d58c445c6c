from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from madoguchi.casework import actions as casework
from madoguchi.casework.models import Case, Category, Handover
from madoguchi.staff.models import User
from madoguchi.staff.rules import Role
from madoguchi.statistics import access, queries, rules
from tests import make

pytestmark = pytest.mark.django_db

NOVEMBER = rules.month(2026, 11)
URL = "/staff/statistics/"
QUERIES = 14


def received(at: datetime, **more: Any) -> Case:
    return make.case(received_at=at, changed_at=at, **more)


def last_year(day: int = 10) -> datetime:
    return make.NOW.replace(year=2025, day=day)


def close(case: Case, result: str = "advised") -> Case:
    casework.close(
        case=case,
        conclusion="説明した。",
        result=result,
        reason="理解されたため。",
        understanding="agreed",
        by=case.received_by,
        at=case.received_at + timedelta(hours=1),
    )
    return case


@pytest.fixture
def head(client: Client) -> Client:
    client.force_login(make.staff(Role.CENTRE_HEAD))
    return client


def report_for(user: User) -> queries.Report:
    return queries.report(
        cases=access.countable_cases(user),
        everything=access.all_cases(user),
        period=NOVEMBER,
        today=make.NOW.date(),
    )


def test_every_number_is_the_length_of_the_list_it_opens(head: Client) -> None:
    for day in (1, 10, 30):
        close(received(make.NOW.replace(day=day), channel="phone"), "joined")
    close(received(last_year(), channel="phone", kind="complaint"))
    received(make.NOW, channel="mail", category=make.category("消費生活", code="CONSUMER"))
    received(make.NOW.replace(month=10, day=31, hour=23, minute=59))
    received(make.NOW.replace(month=12, day=1, hour=0, minute=0))

    page = head.get(f"{URL}?period=2026-11")

    shown = page.context["report"]
    assert [table.total.now for table in shown.tables] == [4] * 5
    for table in shown.tables:
        for line in (*table.lines, table.total):
            for count, url in ((line.now, line.now_url), (line.before, line.before_url)):
                listed = head.get(urljoin(URL, url)).context["page"]
                found = getattr(listed, "paginator", listed).count
                assert found == count, (table.name, line.label, url)


def test_the_month_stands_beside_the_same_month_last_year(head: Client) -> None:
    received(make.NOW, channel="phone")
    received(make.NOW, channel="phone")
    received(last_year(), channel="phone")

    content = head.get(f"{URL}?period=2026-11").content.decode()

    for words in ("令和8年11月", "令和7年11月", "電話", "+100%"):
        assert words in content


def test_a_whole_fiscal_year_runs_from_april_to_march(head: Client) -> None:
    received(make.NOW.replace(month=4, day=1, hour=0, minute=0))
    received(make.NOW.replace(year=2027, month=3, day=31, hour=23))
    received(make.NOW.replace(month=3, day=31, hour=23))

    shown = head.get(f"{URL}?period=2026").context["report"]

    assert shown.period.words == "令和8年度"
    assert (shown.tables[0].total.now, shown.tables[0].total.before) == (2, 1)


def test_cases_not_closed_are_counted_as_open_not_forgotten(head: Client) -> None:
    close(received(make.NOW))
    received(make.NOW)

    result = head.get(f"{URL}?period=2026-11").context["report"].tables[2]

    assert {line.label: line.now for line in result.lines} == {
        "助言・情報提供で終了": 1,
        "対応中": 1,
    }
    assert result.total.now == 2


class TestRestrictedCases:
    def secret(self, count: int) -> None:
        violence = Category.objects.filter(code="DV").first() or make.category("DV", code="DV")
        psychologist = make.staff(Role.PSYCHOLOGIST)
        for _ in range(count):
            received(make.NOW, category=violence, is_sensitive=True, by=psychologist)

    def test_who_may_not_see_them_is_not_told_a_small_number(self) -> None:
        self.secret(2)

        shown = report_for(make.staff(Role.COUNSELLOR))

        assert shown.hidden == "5件未満"
        assert shown.tables[0].total.now == 0

    def test_a_number_that_points_at_nobody_is_told(self) -> None:
        self.secret(7)

        assert report_for(make.staff(Role.COUNSELLOR)).hidden == "7件"

    def test_the_head_of_the_centre_counts_them_with_the_others(self) -> None:
        self.secret(2)

        shown = report_for(make.staff(Role.CENTRE_HEAD))

        assert shown.hidden == ""
        assert shown.tables[0].total.now == 2

    def test_another_division_does_not_learn_that_there_are_any(self) -> None:
        self.secret(7)

        shown = report_for(make.staff(Role.SUPERVISOR, division=make.division()))

        assert shown.hidden == ""


class TestVisits:
    def test_bookings_and_reasons_are_counted_and_open_their_lists(self, head: Client) -> None:
        service = make.service()
        make.visit(service, booked_for=make.NOW)
        make.visit(service, reason_without_booking="no_smartphone")
        make.visit(service, reason_without_booking="no_smartphone")

        table = head.get(f"{URL}?period=2026-11").context["report"].visits

        assert {line.label: line.now for line in table.lines} == {
            "予約あり": 1,
            "予約なし: スマートフォンがない": 2,
        }
        for line in (*table.lines, table.total):
            found = head.get(urljoin(URL, line.now_url)).context["page"].paginator.count
            assert found == line.now


class TestRecords:
    def asked(self, *, due: date, returned: datetime | None = None) -> Handover:
        officer = make.staff(Role.OFFICER, division=make.division())
        more: dict[str, object] = {"state": "asked"}
        if returned:
            more = {
                "state": "returned",
                "accepted_at": make.NOW,
                "accepted_by": officer,
                "returned_at": returned,
                "returned_by": officer,
                "outcome": "受け付けた。",
            }
        return make.handover(make.case(), kind="take", due_on=due, **more)

    def test_records_are_in_time_late_or_missing(self, head: Client) -> None:
        today = make.NOW.date()
        self.asked(due=date(2026, 11, 27), returned=make.NOW.replace(day=27, hour=23))
        self.asked(due=date(2026, 11, 27), returned=make.NOW.replace(day=28, hour=0))
        self.asked(due=date(2026, 11, 20))
        self.asked(due=date(2026, 11, 24))

        cases = access.countable_cases(make.staff(Role.CENTRE_HEAD))
        [row] = queries.punctuality(cases=cases, period=NOVEMBER, today=today)

        assert (row.asked, row.in_time, row.late, row.overdue, row.waiting) == (4, 1, 1, 1, 1)
        assert row.rate == "33%"

    def test_each_number_opens_its_list(self, head: Client) -> None:
        today = timezone.localdate()
        self.asked(due=today - timedelta(days=1))

        [row] = head.get(f"{URL}?period=2026-11").context["report"].records
        page = head.get(urljoin(URL, f"{row.url}&standing=overdue"))

        assert page.context["page"].paginator.count == row.overdue == 1
        assert Case.objects.get().number in page.content.decode()

    def test_the_list_of_another_division_stays_closed(self, client: Client) -> None:
        self.asked(due=date(2026, 11, 20))
        client.force_login(make.staff(Role.SUPERVISOR, division=make.division("納税課")))

        page = client.get(f"{reverse('statistics:records')}?period=2026-11")

        assert page.context["page"].paginator.count == 0


def test_the_page_takes_the_same_queries_however_many_cases(
    head: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    received(make.NOW)
    url = f"{URL}?period=2026-11"
    head.get(url)
    with django_assert_num_queries(QUERIES):
        head.get(url)

    for day in range(1, 20):
        close(received(make.NOW.replace(day=day), owner=make.division(f"課{day}")))
    with django_assert_num_queries(QUERIES):
        head.get(url)


def test_the_numbers_come_out_as_an_excel_file(head: Client) -> None:
    received(make.NOW, channel="phone")

    answer = head.get(f"{reverse('statistics:month_excel')}?period=2026-11")

    rows = list(openpyxl.load_workbook(BytesIO(answer.content)).active.values)
    assert rows[0][:4] == ("表", "項目", "令和8年11月", "令和7年11月")
    assert ("経路", "電話", 1, 0, 1) in rows


@pytest.mark.parametrize("text", ["", "2026-13", "x", "99999", "2026-", "-1", "0000"])
def test_a_period_that_does_not_exist_is_this_month(text: str) -> None:
    assert rules.read_period(text, today=make.NOW.date()).words in ("令和8年11月", "令和8年度")


def test_who_may_not_read_statistics_is_refused(client: Client) -> None:
    client.force_login(make.staff(Role.OFFICER, division=make.division()))

    for name in ("month", "month_excel", "visits", "records"):
        assert client.get(reverse(f"statistics:{name}")).status_code == 403


def test_an_empty_city_says_what_to_do(head: Client) -> None:
    assert "この期間の記録はまだありません" in head.get(URL).content.decode()


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [(0, 0, "—"), (3, 0, "皆増"), (2, 1, "+100%"), (1, 2, "-50%"), (7, 7, "±0%")],
)
def test_a_change_is_told_in_percent(now: int, before: int, words: str) -> None:
    assert rules.change(now, before) == words
