"""
A family on the waiting list: father and child need a longer place than one that comes alone.

Everybody has a phone without JavaScript; the offer is made by the running product itself.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.server.serve import Served

AT_ONCE = 5.0  # seconds within which a place that was given up is offered
# One counter, one morning of an hour: a family of two fills it, somebody alone fills half of it.
ONE_HOUR = """
from datetime import time, timedelta
from django.utils import timezone
from madoguchi.booking import actions as booking
from madoguchi.booking import rules
from madoguchi.offices import actions as offices
from madoguchi.offices.models import Counter, Division, Site
from madoguchi.offices.rules import closed_day_reason
from madoguchi.staff.models import User

at, day = timezone.now(), timezone.localdate() + timedelta(days=3)
while closed_day_reason(day):
    day += timedelta(days=1)
admin = User.objects.filter(role="admin").first()
site, division = Site.objects.order_by("pk").first(), Division.objects.get(is_centre=True)
desk = Counter(site=site, division=division, name="親子の窓口")
desk = offices.add(row=desk, by=admin, at=at)
fields = {"code": "oyako", "name": "親子の相談", "kana": "おやこのそうだん", "division": division}
fields |= {"minutes": 30, "most_people": 3, "minutes_per_person": 30}
service = booking.save_service(service=None, fields=fields, counters=[desk], by=admin, at=at)
booking.add_opening_rule(
    counter=desk, weekdays=0b1111111, opens_at=time(9, 30), closes_at=time(10, 30),
    valid_from=day, valid_until=day, by=admin, at=at,
)
start = rules.start_of(day, 10)
first = booking.book(service=service, site=site, start=start, name="先の家族", people=2, at=at)
print(first.address)
"""
MAILS = """
import sys
from madoguchi.messaging.models import OutboundMessage
mails = OutboundMessage.objects.filter(to=sys.argv[1]).order_by("pk")
print("\\f".join(f"{mail.subject} {mail.body}" for mail in mails))
"""


@dataclass
class Phone:
    page: Page

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).tap()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name).first.tap()


@pytest.fixture
def phones(chromium: Browser, morning: Served) -> Iterator[list[Phone]]:
    """Three phones, 360 px wide, on which no script runs."""
    contexts: list[BrowserContext] = [
        chromium.new_context(
            base_url=morning.root,
            locale="ja-JP",
            timezone_id="Asia/Tokyo",
            viewport={"width": 360, "height": 740},
            has_touch=True,
            java_script_enabled=False,
        )
        for _ in range(3)
    ]
    yield [Phone(context.new_page()) for context in contexts]
    for context in contexts:
        context.close()


def join(phone: Phone, name: str, *, people: int) -> str:
    """Come by the service's page as everybody does; return the address of the own page."""
    page = phone.page
    page.goto("/services/oyako/")
    if people > 1:
        page.get_by_label(re.compile("一緒に来られる人数")).fill(str(people))
        page.get_by_role("button", name=re.compile("^この(人数|内容)")).tap()
    phone.follow("キャンセル待ちの申し込み")
    page.get_by_label("お名前").fill(name)
    page.get_by_label("メールアドレス").fill(f"people{people}@example.jp")
    phone.press("キャンセル待ちを申し込む")
    expect(page.get_by_text("申し込みを受け付けました")).to_be_visible()
    return page.url


def cancel(phone: Phone, address: str) -> None:
    phone.page.goto(f"{address}cancellation/")
    phone.press("予約を取り消す")
    expect(phone.page.get_by_text("予約を取り消しました").first).to_be_visible()


@pytest.mark.browser
def test_a_family_is_offered_the_hour_and_takes_it(morning: Served, phones: list[Phone]) -> None:
    before, family, alone = phones
    address = morning.run(ONE_HOUR)

    own_page = join(family, "渡邉 さくら", people=2)
    others_page = join(alone, "髙橋 花子", people=1)
    cancel(before, address)
    began = time.monotonic()
    offered = family.page.get_by_text("空きが出ました")
    while not offered.count():
        assert time.monotonic() - began < AT_ONCE
        family.page.goto(own_page)
    alone.page.goto(others_page)

    expect(family.page.get_by_role("main")).to_contain_text("親子の相談（2人）")
    expect(family.page.get_by_role("main")).to_contain_text("9:30")
    expect(alone.page.get_by_text("申し込みを受け付けました")).to_be_visible()
    [notice] = morning.run(MAILS, "people2@example.jp").split("\f")
    assert "空きが出ました" in notice
    assert "渡邉" not in notice
    assert "親子の相談" not in notice

    family.press("この日時で予約する")
    expect(family.page.get_by_role("heading", level=1)).to_have_text("予約できました")
    expect(family.page.get_by_role("main")).to_contain_text("およそ1時間")
    expect(family.page.get_by_role("main")).to_contain_text("親子の相談（2人）")
