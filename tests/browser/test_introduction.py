"""A service on its way from queueing to bookings, with the keyboard alone."""

import time

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_every_page import faults

pytestmark = pytest.mark.browser

DAY = "R12.4.1"
MOST_TABS = 120


def reach(page: Page, target: Locator) -> None:
    """Walk to the control with the Tab key, as who uses no mouse does."""
    for _ in range(MOST_TABS):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"not reached by Tab: {target}")


def press(page: Page, target: Locator) -> None:
    reach(page, target)
    page.keyboard.press("Enter")


def test_plan_try_and_approve_with_the_keyboard(open_page: OpenPage) -> None:
    page = open_page(user="admin")
    begun = time.monotonic()
    page.goto("/staff/introductions/seikatsu/")
    press(page, page.get_by_role("link", name="前の段階に戻す"))
    reach(page, page.get_by_label("告知"))
    page.keyboard.press("Space")
    reach(page, page.get_by_label("理由"))
    page.keyboard.type("電話がつながらないため")
    press(page, page.get_by_role("button", name="戻す"))
    expect(page.get_by_text("前の段階に戻しました。")).to_be_visible()

    press(page, page.get_by_role("link", name="段階と日を決める").last)
    reach(page, page.get_by_label("切り替える日"))
    page.keyboard.type(DAY)
    press(page, page.get_by_role("button", name="計画する"))
    expect(page.get_by_text("ほかの人の承認（GO）が要ります。")).to_be_visible()
    assert page.get_by_role("button", name="承認する（GO）").count() == 0

    press(page, page.get_by_role("link", name="先月の来庁で試算する"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("試算")

    head = open_page(user="center")
    head.goto("/staff/introductions/seikatsu/")
    press(head, head.get_by_role("button", name="承認する（GO）"))
    press(head, head.get_by_role("dialog").get_by_role("button", name="承認する"))
    expect(head.get_by_text("承認しました。")).to_be_visible()
    assert faults(head) == []

    citizen = open_page()
    citizen.goto("/services/seikatsu/")
    expect(citizen.get_by_text("令和12年4月1日から予約制になります。")).to_be_visible()
    assert time.monotonic() - begun < 30
