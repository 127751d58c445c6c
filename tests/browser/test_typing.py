"""Typing Japanese: Enter belongs to the conversion, and what is typed is never lost."""

import os
import signal
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import CDPSession, Page, Playwright, StorageState, expect

from tests.browser.conftest import OpenPage, launch, sign_in
from tests.server.serve import Served

pytestmark = pytest.mark.browser

SAMPLE = "/staff/components/"
SAVED = "保存しました"


def compose(page: Page, text: str) -> CDPSession:
    """Type into the focused field as an input method does, before it is confirmed."""
    keys = page.context.new_cdp_session(page)
    end = len(text)
    keys.send(
        "Input.imeSetComposition", {"text": text, "selectionStart": end, "selectionEnd": end}
    )
    return keys


def press_enter(keys: CDPSession) -> None:
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
    keys.send("Input.dispatchKeyEvent", {"type": "keyDown", **enter})
    keys.send("Input.dispatchKeyEvent", {"type": "keyUp", **enter})


def test_enter_while_composing_does_not_submit(phone: Page) -> None:
    phone.goto("/")
    phone.get_by_label("手続き・相談を探す").focus()

    press_enter(compose(phone, "ほいく"))
    phone.wait_for_timeout(500)

    assert "q=" not in phone.url


def test_without_the_guard_enter_while_composing_submits(phone: Page) -> None:
    phone.route(
        "**/input_guard*.js", lambda route: route.fulfill(content_type="text/javascript", body="")
    )
    phone.goto("/")
    phone.get_by_label("手続き・相談を探す").focus()

    press_enter(compose(phone, "ほいく"))

    phone.wait_for_url("**/?q=*")


def test_enter_after_the_conversion_searches(phone: Page) -> None:
    phone.goto("/")
    box = phone.get_by_label("手続き・相談を探す")
    box.fill("保育")
    box.press("Enter")

    phone.wait_for_url("**/?q=*")


def test_enter_in_one_line_of_a_long_form_does_not_send_it(desk: Page) -> None:
    desk.goto(SAMPLE)
    desk.get_by_label("氏名").fill("山田 太郎")
    desk.get_by_label("氏名").press("Enter")
    desk.wait_for_timeout(300)

    expect(desk.locator(".error-summary")).to_have_count(0)


class TestDraft:
    def test_a_killed_browser_loses_at_most_two_seconds(
        self, mortal: Page, open_page: OpenPage
    ) -> None:
        mortal.goto(SAMPLE)
        text = mortal.get_by_label("相談内容")
        text.fill("")
        typed: list[tuple[float, str]] = []
        for number in range(25):
            text.press_sequentially(f"{number},")
            typed.append((time.monotonic(), f"{number},"))
            mortal.wait_for_timeout(120)
        killed = time.monotonic()
        kill(mortal)

        again = open_page(user="shohi")
        again.goto(SAMPLE)

        must = "".join(part for when, part in typed if when <= killed - 2)
        assert must
        assert again.get_by_label("相談内容").input_value().startswith(must)

    def test_all_of_it_is_there_two_seconds_after_the_last_key(
        self, mortal: Page, open_page: OpenPage
    ) -> None:
        mortal.goto(SAMPLE)
        mortal.get_by_label("相談内容").fill("認可園と認可外の違いを知りたい。")
        mortal.locator("input[name=channel][value=phone]").check()
        mortal.wait_for_timeout(2_000)
        kill(mortal)

        again = open_page(user="shohi")
        again.goto(SAMPLE)

        expect(again.get_by_label("相談内容")).to_have_value("認可園と認可外の違いを知りたい。")
        expect(again.locator("input[name=channel][value=phone]")).to_be_checked()

    def test_a_lost_session_keeps_the_text_until_one_has_signed_in_again(
        self, open_page: OpenPage, problems: list[str]
    ) -> None:
        page = open_page(user="shinri")
        page.goto(SAMPLE)
        page.context.clear_cookies()

        page.get_by_label("相談内容").fill("途中でログインが切れた記録")
        dialog = page.get_by_role("dialog", name="ログインが切れました")
        expect(dialog).to_be_visible()
        with page.context.expect_page() as opened:
            dialog.get_by_role("link", name="別のタブでログインする").click()
        sign_in(opened.value, "shinri")
        expect(opened.value.get_by_role("heading", name="ログインしています")).to_be_visible()

        expect(dialog).to_be_hidden(timeout=10_000)
        expect(page.locator(".draft-state")).to_contain_text(SAVED)
        expect(page.get_by_label("相談内容")).to_have_value("途中でログインが切れた記録")
        page.get_by_role("button", name="確かめる").click()  # its own token is a new one, too
        expect(page.locator(".error-summary")).to_be_visible()
        expect(page.get_by_label("相談内容")).to_have_value("途中でログインが切れた記録")
        problems.clear()  # the refused saves stand in the console

    def test_another_person_signing_in_does_not_get_the_text(
        self, open_page: OpenPage, problems: list[str]
    ) -> None:
        page = open_page(user="soudan")
        page.goto(SAMPLE)
        page.context.clear_cookies()
        page.get_by_label("相談内容").fill("前の人の記録")
        expect(page.get_by_role("dialog", name="ログインが切れました")).to_be_visible()

        other = page.context.new_page()
        sign_in(other, "kakari")
        page.wait_for_timeout(5_000)
        other.goto(SAMPLE)

        assert "前の人の記録" not in other.get_by_label("相談内容").input_value()
        page.reload()
        assert "前の人の記録" not in page.get_by_label("相談内容").input_value()
        problems.clear()

    def test_a_cut_network_keeps_the_text_and_saves_it_when_it_is_back(
        self, desk: Page, problems: list[str]
    ) -> None:
        desk.goto(SAMPLE)
        desk.context.set_offline(True)
        desk.get_by_label("相談内容").fill("線が切れている間の記録")
        expect(desk.locator(".draft-state")).to_contain_text("サーバーにつながりません")

        desk.context.set_offline(False)

        expect(desk.locator(".draft-state")).to_contain_text(SAVED, timeout=8_000)
        desk.reload()
        expect(desk.get_by_label("相談内容")).to_have_value("線が切れている間の記録")
        problems.clear()

    def test_a_page_loaded_again_while_the_network_was_cut_still_has_the_text(
        self, desk: Page, problems: list[str]
    ) -> None:
        desk.goto(SAMPLE)
        desk.context.set_offline(True)
        desk.get_by_label("相談内容").fill("届かなかった記録")
        desk.wait_for_timeout(300)

        desk.goto("about:blank")
        desk.context.set_offline(False)
        desk.goto(SAMPLE)

        expect(desk.get_by_label("相談内容")).to_have_value("届かなかった記録")
        expect(desk.locator(".draft-state")).to_contain_text(SAVED)
        problems.clear()

    def test_a_sent_form_leaves_no_draft(self, open_page: OpenPage) -> None:
        page = open_page(user="center")
        page.goto(SAMPLE)
        page.get_by_label("相談日").fill("R8.11.24")
        page.locator("input[name=channel][value=visit]").check()
        page.get_by_label("分野").select_option("tax")
        page.get_by_label("相談内容").fill("済んだ記録")
        page.get_by_role("button", name="確かめる").click()

        expect(
            page.get_by_role("status").filter(has_text="見本の入力を確かめました")
        ).to_be_visible()
        expect(page.get_by_label("相談内容")).to_have_value("")
        page.wait_for_timeout(2_000)
        page.reload()
        expect(page.get_by_label("相談内容")).to_have_value("")


@pytest.fixture
def mortal(
    playwright: Playwright, live_site: Served, states: Callable[[str], StorageState]
) -> Page:
    """A signed-in window of a browser of its own, made to be killed."""
    return launch(playwright).new_page(
        base_url=live_site.root, locale="ja-JP", storage_state=states("shohi")
    )


def kill(page: Page) -> None:
    """End the whole browser without a last word to its scripts, as a power cut does."""
    browser = page.context.browser
    assert browser is not None
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    (main,) = [found["id"] for found in processes["processInfo"] if found["type"] == "browser"]
    os.kill(main, signal.SIGKILL)
