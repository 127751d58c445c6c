"""A resident writes on a telephone, reads the answer by number and code, and leaves no trace."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.server.serve import Served

pytestmark = pytest.mark.browser
TOPIC = re.compile("騒音|眠れ|相談|DV")
ANSWER = """
import sys
from uuid import uuid4
from django.utils import timezone
from madoguchi.intake import actions
from madoguchi.intake.models import Submission
from madoguchi.staff.models import User
found = Submission.objects.get(number=sys.argv[1])
by = User.objects.select_related("division").get(username="soudan")
actions.take_up(
    submission=found, kind=found.kind, category=found.category, title="夜の騒音",
    owner=by.division, by=by, at=timezone.now(),
)
actions.reply(
    submission=found, text="測定に伺います。", key=uuid4(), by=by, at=timezone.now()
)
"""


def write(page: Page) -> tuple[str, str]:
    page.goto("/sitemap/")
    page.get_by_role("main").get_by_role("link", name="相談・意見を送る").click()
    page.get_by_label("困っていることを相談したい").check()
    page.get_by_label("内容").fill("夜の騒音で眠れません。")
    page.get_by_role("button", name="送る").click()
    expect(page.get_by_role("heading", name="届きました")).to_be_visible()
    number, code = page.locator(".receipt").all_inner_texts()
    return number, code


def open_own_page(page: Page, number: str, code: str) -> None:
    page.goto("/post/box/")
    page.get_by_label("控えの番号").fill(number)
    page.get_by_label("合言葉").fill(code)
    page.get_by_role("button", name="開く").click()
    expect(page.get_by_text("夜の騒音で眠れません。")).to_be_visible()


def test_without_scripts_one_writes_reads_the_answer_and_writes_again(
    open_page: OpenPage, live_site: Served
) -> None:
    page = open_page(width=360, scripts=False)
    number, code = write(page)
    live_site.run(ANSWER, number)

    open_own_page(page, number, code)
    expect(page.get_by_text("測定に伺います。")).to_be_visible()
    expect(page.get_by_text("担当が対応しています。")).to_be_visible()
    page.get_by_label("内容").fill("ありがとうございます。")
    page.get_by_role("button", name="送る").click()
    expect(page.get_by_text("ありがとうございます。")).to_be_visible()

    page.get_by_role("button", name="画面を消す").click()
    page.wait_for_url("**/")
    page.goto("/post/box/page/")
    expect(page.get_by_label("合言葉")).to_be_visible()


@pytest.mark.parametrize("way", ["button", "keys"])
def test_leaving_takes_the_page_out_of_the_history(open_page: OpenPage, way: str) -> None:
    page = open_page(width=360)
    number, code = write(page)
    open_own_page(page, number, code)
    steps = page.evaluate("history.length")
    assert not TOPIC.search(page.title() + page.url)

    if way == "button":
        page.get_by_role("button", name="画面を消す").click()
    else:
        for _ in range(3):
            page.keyboard.press("Shift")
    expect(page.get_by_role("heading", name="どんなご用件ですか")).to_be_visible()

    assert page.evaluate("history.length") == steps  # its place was taken, none was added
    page.go_back()
    expect(page.get_by_label("合言葉")).to_be_visible()  # what came before asks for the code
    assert "夜の騒音" not in page.content()
    page.goto("/post/box/page/")
    expect(page.get_by_text("夜の騒音で眠れません。")).to_have_count(0)


def test_two_presses_of_shift_are_typing(open_page: OpenPage) -> None:
    page = open_page(width=360)
    page.goto("/post/new/")

    page.keyboard.press("Shift")
    page.keyboard.press("Shift")
    page.keyboard.press("a")
    page.keyboard.press("Shift")

    assert page.url.endswith("/post/new/")


@pytest.mark.parametrize("language", ["Português", "Tiếng Việt"])
def test_long_words_fit_a_small_telephone(open_page: OpenPage, language: str) -> None:
    page = open_page(width=320)
    page.goto("/post/new/")
    page.get_by_text("Language").click()
    page.get_by_role("button", name=language).click()

    for address in ("/post/new/", "/post/box/", "/", "/services/", "/congestion/", "/faq/"):
        page.goto(address)
        wide = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, address
