"""A centre's rota from an empty plan to a published one, with the keyboard alone."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_every_page import faults

pytestmark = pytest.mark.browser

FAR = ("R12.4.1", "R12.4.30")  # a month that no rota of the demo city covers
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


def test_plan_change_by_hand_and_publish_with_the_keyboard(open_page: OpenPage) -> None:
    page = open_page(user="center")
    page.goto("/staff/rota/rotas/")
    press(page, page.get_by_role("link", name="新しい当番表").first)
    page.wait_for_url("**/rotas/new/**")
    for label, day in zip(("最初の日", "最後の日"), FAR, strict=True):
        reach(page, page.get_by_label(label))
        page.keyboard.press("Control+A")
        page.keyboard.type(day)
    press(page, page.get_by_role("button", name="枠を作る"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("令和12年4月1日")

    press(page, page.get_by_role("button", name="自動で組む"))
    expect(page.get_by_text("最良と証明済み")).to_be_visible(timeout=60_000)  # drawn live
    expect(page.get_by_role("heading", name="公平さ")).to_be_visible()
    assert faults(page) == []

    press(page, page.get_by_role("link", name="カレンダーで見る"))
    expect(page.get_by_text("まだ公開していない案です")).to_be_visible()
    assert faults(page) == []
    press(page, page.locator("a.rota-month__who").nth(3))
    reach(page, page.get_by_label("当番に入る人"))
    page.keyboard.press("Home")
    press(page, page.get_by_role("button", name="決める"))
    expect(page.get_by_text("当番を変えました。")).to_be_visible()
    press(page, page.get_by_role("link", name="案に戻る"))
    expect(page.get_by_role("heading", name=re.compile("空きが1か所"))).to_be_visible()

    press(page, page.get_by_role("button", name="公開する", exact=True))
    expect(page.get_by_role("alert")).to_contain_text("空きが1か所あります")
    reach(page, page.get_by_label("空きがあるまま公開する"))
    page.keyboard.press("Space")
    press(page, page.get_by_role("button", name="公開する", exact=True))
    expect(page.get_by_text("公開しました。")).to_be_visible()

    page.set_viewport_size({"width": 320, "height": 740})
    assert faults(page) == []


def test_an_absence_appears_on_an_open_board_without_reloading(open_page: OpenPage) -> None:
    board = open_page(user="uketsuke")
    board.goto("/staff/rota/today/")
    expect(board.get_by_role("heading", name="担当者不在")).to_be_visible()

    desk = open_page(user="soudan")
    desk.goto("/staff/rota/absences/new/")
    desk.get_by_label("不在の人").select_option(label="石田 美咲（市民相談センター）")
    desk.get_by_label("代わりの人", exact=True).select_option(
        label="三好 恵子（市民相談センター）"
    )
    desk.get_by_label("代わりの人への申し送り").fill("受付の鍵は棚にあります。")
    desk.get_by_role("button", name="登録する").click()

    expect(board.get_by_role("heading", name=re.compile("石田 美咲"))).to_be_visible(
        timeout=10_000
    )
    expect(board.get_by_text("受付の鍵は棚にあります。")).to_be_visible()
    assert faults(board) == []
    board.set_viewport_size({"width": 320, "height": 740})
    assert faults(board) == []
