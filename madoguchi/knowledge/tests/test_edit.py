"""What is typed into the form of a FAQ is given back until it is saved."""

import pytest
from django.test import Client

from madoguchi.knowledge.models import Faq
from madoguchi.staff import actions as staff
from madoguchi.staff.models import Draft, User
from tests import make

pytestmark = pytest.mark.django_db

TEXTS = {
    "question": "住民票はどこで取れますか。",
    "answer": "市民課で取れます。",
    "category": "行政手続・市政",
    "asked": "",
    "division": "",
    "review_on": "",
}


@pytest.fixture
def author(client: Client) -> User:
    author = make.staff()
    client.force_login(author)
    return author


def typed(user: User, form: str, **fields: str) -> None:
    staff.save_draft(user=user, form=form, fields=fields, at=make.NOW)


def test_a_new_faq_begins_with_what_was_being_typed(client: Client, author: User) -> None:
    typed(author, "faq.new", question="書きかけの質問", division=str(make.division().pk))

    page = client.get("/staff/faqs/new/").content.decode()

    assert "書きかけの内容を戻しました" in page
    assert ">\n書きかけの質問</textarea>" in page
    assert f'<option value="{make.division().pk}" selected>' in page


def test_a_faq_that_is_rewritten_begins_with_it_too(client: Client, author: User) -> None:
    faq = make.faq(author=author)
    typed(author, f"faq.{faq.key}", answer="書きかけの回答")

    page = client.get(f"/staff/faqs/{faq.key}/text/").content.decode()

    assert "書きかけの回答" in page and faq.question in page


@pytest.mark.parametrize("is_new", [True, False])
def test_saving_it_puts_the_draft_away(client: Client, author: User, is_new: bool) -> None:
    faq = make.faq(author=author)
    form, address = (
        ("faq.new", "/staff/faqs/new/")
        if is_new
        else (f"faq.{faq.key}", f"/staff/faqs/{faq.key}/text/")
    )
    typed(author, form, question="書きかけ")

    client.post(address, TEXTS)

    assert Faq.objects.filter(question=TEXTS["question"]).count() == 1
    assert not Draft.objects.exists()


def test_what_cannot_be_saved_stays_a_draft_and_is_shown_as_sent(
    client: Client, author: User
) -> None:
    typed(author, "faq.new", question="書きかけ")

    page = client.post("/staff/faqs/new/", TEXTS | {"answer": ""}).content.decode()

    assert TEXTS["question"] in page and "書きかけの内容を戻しました" not in page
    assert Draft.objects.count() == 1


def test_the_desk_of_the_day_leads_back_to_it(client: Client, author: User) -> None:
    faq = make.faq(author=author)
    typed(author, "faq.new", question="書きかけ")
    typed(author, f"faq.{faq.key}", question="書きかけ")

    page = client.get("/staff/").content.decode()

    assert page.count('href="/staff/faqs/new/"') == 1
    assert page.count(f'href="/staff/faqs/{faq.key}/text/"') == 1
