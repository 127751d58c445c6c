"""What is typed is kept before it is saved: by the page, every few seconds."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from madoguchi.staff import queries, rules
from madoguchi.staff.models import Draft, User
from tests import make

pytestmark = pytest.mark.django_db
FORM = "case.R8-00012.contact"
ADDRESS = "/staff/drafts/case.R8-00012.contact/"


@pytest.fixture
def person(client: Client) -> User:
    person = make.staff()
    client.force_login(person)
    return person


def send(client: Client, fields: object) -> Any:
    return client.post(
        reverse("staff:save_draft", args=[FORM]), fields, content_type="application/json"
    )


def test_the_last_one_is_given_back(client: Client, person: User) -> None:
    send(client, {"text": "書き"})
    response = send(client, {"text": "書きかけ\n2行目", "csrfmiddlewaretoken": "x"})

    assert response.status_code == 204
    assert queries.draft_fields(user=person, form=FORM) == {"text": "書きかけ\n2行目"}


def test_a_form_sent_as_it_is_is_kept_too(client: Client, person: User) -> None:
    client.post(reverse("staff:save_draft", args=[FORM]), {"text": "紙", "kinds": ["a", "b"]})

    assert queries.draft_fields(user=person, form=FORM) == {"text": "紙", "kinds": ["a", "b"]}


def test_nobody_else_gets_it(client: Client, person: User) -> None:
    send(client, {"text": "書きかけ"})

    assert queries.draft_fields(user=make.staff(), form=FORM) == {}


@pytest.mark.parametrize(
    ("characters", "status"),
    [(rules.DRAFT_BYTES // 3 - 20, 204), (rules.DRAFT_BYTES // 3 + 20, 413)],
)
def test_the_limit_counts_the_bytes_that_are_kept(
    client: Client, person: User, characters: int, status: int
) -> None:
    response = client.post(reverse("staff:save_draft", args=[FORM]), {"text": "あ" * characters})

    assert response.status_code == status
    assert Draft.objects.exists() is (status == 204)


def test_a_draft_that_is_too_long_leaves_the_one_before(client: Client, person: User) -> None:
    send(client, {"text": "前"})

    response = send(client, {"text": "あ" * rules.DRAFT_BYTES})

    assert (response.status_code, response.json()["code"]) == (413, "too_long")
    assert queries.draft_fields(user=person, form=FORM) == {"text": "前"}


@pytest.mark.parametrize("body", ["[1, 2]", "no json", '"text"'])
def test_what_is_no_form_is_refused(client: Client, person: User, body: str) -> None:
    assert send(client, body).status_code == 400


def test_a_lost_session_is_told_where_to_log_in_and_come_back(client: Client) -> None:
    response = client.post(
        ADDRESS,
        {"text": "書きかけ"},
        content_type="application/json",
        headers={
            "Accept": "application/json",
            "HX-Current-URL": "http://testserver/staff/cases/R8-00012/",
        },
    )

    assert response.status_code == 401
    assert response.json() == {
        "code": "signed_out",
        "url": "/staff/login/?next=%2Fstaff%2Fcases%2FR8-00012%2F",
    }
    assert not Draft.objects.exists()
