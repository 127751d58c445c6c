"""
A booking while somebody is on the telephone: by keys alone, few of them, within forty seconds.

Keys are struck at five a second, as an officer does who also listens.
"""

import re
import time

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import sign_in
from tests.server.serve import Served

NAME = "髙橋 花子"
PAUSE = 0.2


class Hands:
    """Strike keys and count them; the name is typed, and not counted."""

    def __init__(self, page: Page) -> None:
        self.page, self.struck = page, 0

    def strike(self, key: str) -> None:
        time.sleep(PAUSE)
        self.page.keyboard.press(key)
        self.struck += 1

    def say(self, name: str) -> None:
        self.page.keyboard.type(name, delay=PAUSE * 1000)


@pytest.mark.browser
@pytest.mark.parametrize("waits_a_day", [False, True], ids=["nearest time", "another day"])
def test_twelve_keys_are_enough(chromium: Browser, morning: Served, waits_a_day: bool) -> None:
    context = chromium.new_context(
        base_url=morning.root, locale="ja-JP", timezone_id="Asia/Tokyo", viewport=None
    )
    page = context.new_page()
    sign_in(page, "soudan")
    page.goto("/staff/")
    hands, began = Hands(page), time.monotonic()

    hands.strike("b")
    expect(page.get_by_role("heading", level=1)).to_have_text("代理で予約")
    hands.strike("1")
    expect(page.get_by_role("heading", level=1)).to_contain_text("代理で予約　")
    times = page.get_by_role("heading", name=re.compile("の時刻をえらぶ"))
    day = times.inner_text()
    if waits_a_day:
        hands.strike(".")
        expect(times).not_to_have_text(day)
    hands.strike("1")
    expect(page.get_by_label("お名前")).to_be_focused()
    hands.say(NAME)
    hands.strike("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"予約　\w{4}-\w{4}"))
    assert hands.struck <= 12
    assert time.monotonic() - began <= 40
    expect(page.locator("main dl.facts")).to_contain_text(NAME)
    expect(page.get_by_text("電話で伝えるとき")).to_be_visible()
    context.close()
