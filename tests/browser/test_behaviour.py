"""What the pages do by themselves: ask before something is taken back."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

SAMPLE = "/staff/components/"


class TestConfirm:
    @pytest.fixture
    def form(self, desk: Page) -> Page:
        desk.goto(SAMPLE)
        desk.get_by_role("button", name="予約を取り消す").click()
        expect(desk.get_by_role("dialog", name="この予約を取り消しますか？")).to_be_visible()
        return desk

    def test_it_offers_the_way_back_first(self, form: Page) -> None:
        expect(form.get_by_role("button", name="やめる")).to_be_focused()

    @pytest.mark.parametrize("key", ["Enter", "Escape"])
    def test_the_way_back_sends_nothing_and_returns_to_the_button(
        self, form: Page, key: str
    ) -> None:
        form.keyboard.press(key)

        expect(form.get_by_role("dialog")).to_have_count(0)
        expect(form.get_by_role("button", name="予約を取り消す")).to_be_focused()
        assert not form.url.endswith("?")

    def test_yes_sends_the_form(self, form: Page) -> None:
        form.get_by_role("dialog").get_by_role("button", name="取り消す").click()

        form.wait_for_url(f"**{SAMPLE}?")
