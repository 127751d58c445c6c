"""A telephone memo without a mouse: opened by a key, passed on, within forty-five seconds."""

import time

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import sign_in
from tests.server.serve import Served

PAUSE = 0.2  # five keys a second, as an officer does who also listens


@pytest.mark.browser
def test_a_memo_is_written_and_passed_on_by_keys_alone(chromium: Browser, morning: Served) -> None:
    context = chromium.new_context(base_url=morning.root, locale="ja-JP", timezone_id="Asia/Tokyo")
    page = context.new_page()
    sign_in(page, "soudan")
    page.goto("/staff/")
    began = time.monotonic()

    page.keyboard.press("n")
    expect(page.get_by_label("件名")).to_be_focused()
    page.wait_for_load_state("load")
    page.keyboard.type("公園の街灯が消えている", delay=PAUSE * 1000)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(page.get_by_label("引き継ぐ課")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    while not page.get_by_label("相談内容").evaluate("field => field === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.type("港公園の東の入口。夜は暗くて怖い。", delay=PAUSE * 1000)
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("に引き継ぎました。")).to_be_visible()
    assert time.monotonic() - began <= 45
    expect(page.get_by_role("heading", level=1)).to_contain_text("公園の街灯が消えている")
    context.close()
