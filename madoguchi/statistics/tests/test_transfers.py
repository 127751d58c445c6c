from datetime import timedelta
from io import BytesIO
from urllib.parse import urljoin

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from madoguchi.casework.models import Case, Handover
from madoguchi.offices.models import Division
from madoguchi.staff.rules import Role
from madoguchi.statistics.queries import Matrix
from tests import make

pytestmark = pytest.mark.django_db

URL = "/staff/statistics/transfers/"
NOVEMBER = f"{URL}?period=2026-11"
STATEMENTS = 6


@pytest.fixture
def head(client: Client) -> Client:
    client.force_login(make.staff(Role.CENTRE_HEAD))
    return client


def transfer(case: Case, to: Division, hours: int = 0, **more: object) -> Handover:
    at = make.NOW + timedelta(hours=hours)
    return make.handover(case, kind="take", to=to, asked_at=at, **more)


def decline(case: Case, to: Division, hours: int = 0) -> Handover:
    return transfer(
        case,
        to,
        hours,
        state="declined",
        declined_at=make.NOW,
        declined_by=make.staff(),
        declined_reason="所管が異なる。",
    )


def matrix(client: Client, url: str = NOVEMBER) -> Matrix:
    found: Matrix = client.get(url).context["matrix"]
    return found


def sent(found: Matrix) -> dict[tuple[str, str], int]:
    return {
        (sender, row.division): figure.count
        for row in found.receivers
        for sender, figure in zip(found.senders, row.sent, strict=True)
        if figure.count
    }


def test_a_matter_passed_on_again_comes_from_the_division_asked_before(head: Client) -> None:
    tax, welfare, housing = (make.division(name) for name in ("税務課", "福祉課", "住宅課"))
    case = make.case()
    first = decline(case, tax)
    decline(case, welfare, 1)
    transfer(case, housing, 2)

    found = matrix(head)

    assert sent(found) == {
        (first.asked_by.division.name, "税務課"): 1,
        ("税務課", "福祉課"): 1,
        ("福祉課", "住宅課"): 1,
    }
    everybody = found.everybody
    assert (everybody.total.count, everybody.declined.count) == (3, 2)
    assert (everybody.second.count, everybody.further.count) == (1, 1)


def test_the_fourth_time_is_counted_with_the_third(head: Client) -> None:
    case = make.case()
    for hours in range(4):
        transfer(case, make.division(f"課{hours}"), hours)

    assert matrix(head).everybody.further.count == 2


def test_an_earlier_month_counts_for_how_often_and_not_for_how_many(head: Client) -> None:
    case = make.case()
    transfer(case, make.division("税務課"), -24 * 40)
    transfer(case, make.division("福祉課"))

    everybody = matrix(head).everybody

    assert (everybody.total.count, everybody.second.count) == (1, 1)


def test_a_request_to_come_or_one_taken_back_moves_no_matter(head: Client) -> None:
    case = make.case()
    make.handover(case, to=make.division("税務課"), asked_at=make.NOW - timedelta(hours=2))
    transfer(
        case,
        make.division("福祉課"),
        -1,
        state="withdrawn",
        withdrawn_at=make.NOW,
        withdrawn_by=make.staff(),
        withdrawn_reason="誤り",
    )
    transfer(case, make.division("住宅課"))

    everybody = matrix(head).everybody

    assert (everybody.total.count, everybody.second.count) == (1, 0)


def test_every_number_is_the_length_of_the_list_it_opens(head: Client) -> None:
    tax, welfare = make.division("税務課"), make.division("福祉課")
    for _ in range(2):
        case = make.case()
        decline(case, tax)
        transfer(case, welfare, 1)
        transfer(case, tax, 2)

    found = matrix(head)

    for row in (*found.receivers, found.everybody):
        for figure in (*row.sent, row.total, row.declined, row.second, row.further):
            page = head.get(urljoin(URL, figure.url))
            assert page.context["page"].paginator.count == figure.count, figure.url


def test_the_list_tells_from_where_to_where_and_how_often(head: Client) -> None:
    case = make.case()
    decline(case, make.division("税務課"))
    transfer(case, make.division("福祉課"), 1)

    page = head.get(f"{URL}list/?period=2026-11&nth=2").content.decode()

    assert case.number in page
    assert "<td>税務課</td><td>福祉課</td>" in page
    assert "<td>2回目</td>" in page


def test_the_matters_of_others_are_neither_counted_nor_listed(client: Client) -> None:
    transfer(make.case(), make.division("税務課"))
    client.force_login(make.staff(Role.SUPERVISOR, division=make.division("納税課")))

    assert matrix(client).receivers == []
    assert client.get(f"{URL}list/?period=2026-11").context["page"].paginator.count == 0


def test_a_restricted_case_counts_for_the_head_alone(client: Client) -> None:
    transfer(make.case(is_sensitive=True), make.division("税務課"))

    client.force_login(make.staff(Role.COUNSELLOR))
    assert matrix(client).receivers == []
    client.force_login(make.staff(Role.CENTRE_HEAD))
    assert matrix(client).everybody.total.count == 1


def test_the_page_takes_the_same_queries_however_many_transfers(
    head: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    transfer(make.case(), make.division("税務課"))
    head.get(NOVEMBER)
    with django_assert_num_queries(STATEMENTS):
        head.get(NOVEMBER)

    for number in range(12):
        transfer(make.case(), make.division(f"課{number}"))
    with django_assert_num_queries(STATEMENTS):
        head.get(NOVEMBER)


def test_the_matrix_comes_out_as_an_excel_file(head: Client) -> None:
    case = make.case()
    decline(case, make.division("税務課"))
    transfer(case, make.division("福祉課"), 1)

    answer = head.get(f"{reverse('statistics:transfers_excel')}?period=2026-11")

    rows = list(openpyxl.load_workbook(BytesIO(answer.content)).active.values)
    assert rows[0][-4:] == ("引き継ぎの合計", "うち辞退", "うち2回目", "うち3回目以降")
    assert rows[-1][0] == "合計"
    assert rows[-1][-4:] == (2, 1, 1, 0)


@pytest.mark.parametrize("query", ["to=x", "to=99999999999999999999", "nth=²", "sender=-1"])
def test_an_address_that_means_nothing_is_no_error(head: Client, query: str) -> None:
    assert head.get(f"{URL}list/?{query}").status_code == 200


def test_a_month_without_transfers_says_so(head: Client) -> None:
    assert "この期間の引き継ぎはありません" in head.get(NOVEMBER).content.decode()


def test_who_may_not_read_statistics_is_refused(client: Client) -> None:
    client.force_login(make.staff(Role.OFFICER, division=make.division()))

    for name in ("transfers", "transfers_excel", "transfers_listed"):
        assert client.get(reverse(f"statistics:{name}")).status_code == 403
