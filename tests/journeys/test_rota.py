"""
Two weeks of duties, a swap and a sick call at 8:35, as the people of the centre live them.

The head of the centre plans with the keyboard alone; a counsellor swaps on a phone 360 px wide;
reception looks at a page that stays open.
"""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import sign_in
from tests.browser.test_every_page import faults
from tests.journeys.test_one_citizen import Town
from tests.server.serve import Served

pytestmark = pytest.mark.browser

FAR = ("R12.4.1", "R12.4.14")  # two weeks that no rota of the demo city covers
WHO = """
import json
from datetime import timedelta
from django.utils import timezone
from madoguchi.rota import queries
from madoguchi.rota.models import Duty

coming = Duty.objects.published().filter(on__gt=timezone.localdate() + timedelta(days=1))
mine = coming.filter(member__user__username="soudan").select_related("rota__site", "skill").first()
others = (each for each in queries.candidates(mine) if each.member != mine.member)
free = next(each.member for each in others if each.is_free)
sick = (
    Duty.objects.published()
    .filter(on__gte=timezone.localdate(), skill=mine.skill)
    .exclude(member__user__username__in=("soudan", free.user.username))
    .select_related("member__user__division")
    .first()
)
print(json.dumps({
    "duty": mine.pk,
    "colleague": free.user.name,
    "username": free.user.username,
    "sick": sick.member.user.name,
    "division": sick.member.user.division.name,
}))
"""


@pytest.fixture
def town(chromium: Browser, morning: Served) -> Iterator[Town]:
    people = Town(chromium, morning)
    yield people
    people.leave()


def phone(town: Town, username: str) -> Page:
    page = town.citizen(scripts=True).page
    sign_in(page, username)
    return page


def option_of(page: Page, name: str) -> str:
    """Return the whole label of the option that begins with the name."""
    return page.get_by_role("option", name=re.compile(f"^{name}（")).first.inner_text().strip()


def test_two_weeks_are_planned_changed_by_hand_and_published(town: Town) -> None:
    head = town.officer("center")
    page = head.page
    page.goto("/staff/rota/rotas/")
    head.follow("新しい当番表")
    for label, day in zip(("最初の日", "最後の日"), FAR, strict=True):
        head.write(label, day)
    head.press_button("枠を作る")
    expect(page.get_by_role("heading", level=1)).to_contain_text("令和12年4月1日")

    head.press_button("自動で組む")
    expect(page.get_by_text("最良と証明済み")).to_be_visible(timeout=60_000)  # drawn live
    expect(page.get_by_role("heading", name="公平さ")).to_be_visible()

    head.follow("カレンダーで見る")
    expect(page.get_by_text("まだ公開していない案です")).to_be_visible()
    head.press(page.locator("a.rota-month__who").nth(3))
    head.choose("当番に入る人", "空きにする")
    head.press_button("決める")
    expect(page.get_by_text("当番を変えました。")).to_be_visible()
    head.follow("案に戻る")
    expect(page.get_by_role("heading", name=re.compile("空きが1か所"))).to_be_visible()
    assert faults(page) == []

    head.press_button(re.compile("^公開する"))
    expect(page.get_by_role("alert")).to_contain_text("空きが1か所あります")
    head.tick("空きがあるまま公開する")
    head.press_button(re.compile("^公開する"))
    expect(page.get_by_text("公開しました。")).to_be_visible()


def test_a_swap_on_the_phone_and_a_sick_call_before_the_doors_open(town: Town) -> None:
    who = json.loads(town.served.run(WHO))
    board = town.officer("uketsuke").page
    board.goto("/staff/reception/center/")

    asker = phone(town, "soudan")
    asker.goto("/staff/rota/mine/")
    assert faults(asker) == []
    asker.locator(f"a[href$='/duties/{who['duty']}/swap/']").tap()
    asker.get_by_label("代わってほしい人").select_option(label=option_of(asker, who["colleague"]))
    asker.get_by_label("理由").fill("家族の通院のため")
    asker.get_by_role("button", name="申し出る").tap()
    expect(asker.get_by_text("返事待ち").first).to_be_visible()

    colleague = phone(town, who["username"])
    colleague.goto("/staff/")
    colleague.get_by_role("link", name=re.compile("三好 恵子 → ")).tap()
    colleague.get_by_role("button", name="引き受ける").first.tap()
    expect(colleague.get_by_text("承認待ち").first).to_be_visible()

    head = town.officer("center")
    head.page.goto("/staff/")
    head.follow(re.compile("三好 恵子 → "))
    head.press_button("承認する")
    expect(head.page.get_by_text("承認しました。")).to_be_visible()
    expect(asker.get_by_text("承認", exact=True)).to_be_visible()  # drawn live
    asker.goto("/staff/rota/mine/")
    expect(asker.locator(f"a[href$='/duties/{who['duty']}/swap/']")).to_have_count(0)

    head.page.goto("/staff/rota/absences/new/")
    head.choose("不在の人", f"{who['sick']}（{who['division']}）")
    head.write("代わりの人への申し送り", "10時の電話はR8-00012の件です。")
    head.press_button("登録する")
    expect(head.page.get_by_text(re.compile("この期間に当番が1回あります"))).to_be_visible()
    away = board.get_by_role("region", name=re.compile("担当者不在"))
    expect(away).to_contain_text(who["sick"])  # on the open page, without reloading

    head.press_button("ほかの当番をなるべく変えずに組み直す")
    expect(head.page.get_by_text("これより少なくできないことを証明済み").first).to_be_visible(
        timeout=60_000
    )
    assert faults(head.page) == []
    head.press_button("この変更を適用する")
    expect(head.page.get_by_text(re.compile("か所の当番を変え"))).to_be_visible()

    head.page.goto("/staff/rota/today/")
    head.page.set_viewport_size({"width": 320, "height": 740})
    expect(head.page.get_by_role("heading", name=re.compile(who["sick"]))).to_be_visible()
    assert faults(head.page) == []
