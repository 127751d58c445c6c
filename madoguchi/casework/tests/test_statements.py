"""A list asks the database twelve times at most, whatever it is asked for and however long."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from madoguchi.casework import index
from madoguchi.casework.views import cases
from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db
LIST = "/staff/cases/"


def _statements(client: Client, address: str) -> list[str]:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    asked = [query["sql"] for query in captured.captured_queries]
    around = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "SELECT pg_advisory")
    return [sql for sql in asked if not sql.startswith(around)]


@pytest.mark.parametrize(
    "address",
    [
        LIST,
        f"{LIST}?status=",
        f"{LIST}?status=&page=2",
        f"{LIST}?status=open&kind=consultation&channel=counter&mine=on",
        f"{LIST}?status=&since=2026-01-01&until=2026-12-31&result=advised",
        f"{LIST}?status=&category={{category}}&owner={{owner}}&q=書き方の例",
        f"{LIST}?q=転入届の書き方",
        f"{LIST}?q=山",
        f"{LIST}?q={{number}}",
        f"{LIST}?q=0898-00-1111",
        "/staff/requests/overdue/",
        "/staff/residents/{resident}/",
    ],
)
@pytest.mark.parametrize("role", [Role.COUNSELLOR, Role.CENTRE_HEAD, Role.SUPERVISOR])
def test_twelve_statements_are_enough(
    client: Client, role: Role, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "PER_PAGE", 3)
    nursery = make.division("保育課")
    reader = make.staff(role, division=nursery if role == Role.SUPERVISOR else None)
    person = make.resident(phone="0898-00-1111")
    for number in range(8):
        case = make.case(
            "転入届の書き方の例",
            by=reader,
            owner=reader.division,
            resident=person,
            category=make.category(f"分野{number % 3}"),
        )
        if number % 2 == 0:
            make.handover(case, to=nursery, due_on=make.NOW.date() - timedelta(days=900))
    index.merge()
    client.force_login(reader)
    ids = {
        "category": case.category_id,
        "owner": nursery.pk,
        "resident": person.pk,
        "number": case.number,
    }

    asked = _statements(client, address.format(**ids))

    assert len(asked) <= 12, asked
