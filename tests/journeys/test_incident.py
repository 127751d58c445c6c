"""
Difficult talks in a real browser: to the police by keys alone; a call that runs over its limit;
one that was no harassment and goes on as the complaint that it is.
"""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import sign_in
from tests.server.serve import Served

pytestmark = pytest.mark.browser


@pytest.fixture
def context(chromium: Browser, morning: Served) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=morning.root, locale="ja-JP", timezone_id="Asia/Tokyo")
    yield context
    context.close()


def begin(page: Page, *, channel: str, minutes_ago: int = 0) -> None:
    page.goto("/staff/incidents/new/")
    page.get_by_label("経路").select_option(label=channel)
    page.get_by_label("何分前に始まりましたか").fill(str(minutes_ago))
    page.get_by_role("button", name=re.compile("^始める")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"　{channel}")


def press(page: Page, key: str, stage: str) -> None:
    page.wait_for_load_state("load")  # keys work once the page's script does
    page.keyboard.press(key)
    expect(page.get_by_text(f"今の段階: {stage}")).to_be_visible()


def test_from_the_first_shout_to_the_police(context: BrowserContext) -> None:
    page = context.new_page()
    sign_in(page, "kakari")
    begin(page, channel="窓口")
    assert Axe().run(page).violations_count == 0

    press(page, "2", "組織で判断")
    page.get_by_role("button", name="大きな声は、おやめください。").click()  # the card's own words
    expect(page.get_by_text("今の段階: やめるよう求める")).to_be_visible()
    press(page, "3", "やめるよう求める")
    press(page, "0", "やめるよう求める")  # pressed once too often: the first one stays
    expect(page.locator(".step__undone")).to_have_count(1)
    press(page, "4", "対応の終了を告げる")
    page.wait_for_load_state("load")
    page.keyboard.press("5")  # nobody who manages the building has ordered it
    expect(page.get_by_text("庁舎管理者か委任された人が決めます")).to_be_visible()

    page.get_by_label("決めた人").first.select_option(label="藤田 和夫")
    page.get_by_role("button", name="ご用件は終わりました。").click()
    expect(page.get_by_text("今の段階: 退去を求める")).to_be_visible()
    page.get_by_label("決めた人").last.select_option(label="藤田 和夫")
    page.get_by_role("button", name=re.compile("最後の警告")).last.click()
    expect(page.get_by_text("今の段階: 最後の警告")).to_be_visible()
    press(page, "7", "110番・警察")
    page.get_by_label("言葉は「　」に入れて").fill("「覚えていろ」")
    page.get_by_role("button", name="今の時刻で残す").click()
    press(page, "8", "その場は終わった")

    page.get_by_role("link", name="報告書を印刷").click()
    report = page.locator("main")
    for words in ("組織で判断", "大きな声は", "決めた人 藤田 和夫", "110番", "「覚えていろ」"):
        expect(report).to_contain_text(words)
    assert Axe().run(page).violations_count == 0


def test_two_screens_show_the_same_and_a_telephone_call_runs_over(context: BrowserContext) -> None:
    first = context.new_page()
    sign_in(first, "kakari")
    begin(first, channel="電話", minutes_ago=31)
    expect(first.get_by_text("終わりを告げる時間です")).to_be_visible()
    second = context.new_page()
    second.goto(first.url)
    second.set_viewport_size({"width": 360, "height": 740})

    first.get_by_role("button", name="お電話が長くなりました。").click()
    expect(second.get_by_text("今の段階: 対応の終了を告げる")).to_be_visible()  # by itself
    expect(second.get_by_role("button", name=re.compile("退去"))).to_have_count(0)  # on the phone
    assert second.evaluate("document.documentElement.scrollWidth") <= 360
    press(second, "8", "その場は終わった")
    expect(first.get_by_text("今の段階: その場は終わった")).to_be_visible()


def test_no_harassment_goes_on_as_a_complaint(context: BrowserContext) -> None:
    page = context.new_page()
    sign_in(page, "kacho")
    begin(page, channel="電話")
    press(page, "8", "その場は終わった")
    page.get_by_role("link", name="判定する").click()
    for group, answer in (
        ("求めていることは妥当か", "妥当"),
        ("言い方・やり方は相当か", "相当"),
        ("職場への影響", "軽微"),
        ("配慮すべき事情", "事情はない"),
        ("市の側の不備", "あり"),
    ):
        chosen = page.get_by_role("group", name=re.compile(group))
        chosen.get_by_label(answer, exact=True).check()
    page.get_by_role("button", name="基準と照らし合わせる").click()
    expect(page.get_by_text("基準の示す結果: 該当しない")).to_be_visible()
    assert Axe().run(page).violations_count == 0
    page.get_by_role("group", name="判定").get_by_label(re.compile("該当しない")).check()
    page.get_by_label("理由").fill("声は大きいが罵声はなく、市の遅れが原因である。")
    page.get_by_role("button", name="判定を記録する").click()
    page.get_by_role("link", name="通常の苦情として受け付ける").click()
    page.get_by_label("件名").fill("回答の遅れ")
    page.get_by_label("分野").select_option(index=1)
    page.get_by_role("button", name="苦情として受け付ける").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("苦情")
