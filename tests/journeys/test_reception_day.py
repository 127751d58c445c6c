"""
A day at reception: forty people come, three counters call them, one display tells the hall.

The clicks are those of a receptionist, of an officer and of two people at the terminal; the others
come and go through the same pages, without a browser being drawn for each.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import APIRequestContext, Browser, BrowserContext, Page, expect

from tests.browser.conftest import sign_in
from tests.server.serve import Served

VISITORS = 40
PREPARE = """
from datetime import timedelta
from django.utils import timezone
from madoguchi.booking.models import Service
from madoguchi.offices import actions as offices
from madoguchi.offices.models import Counter, Division, Site
from madoguchi.reception import actions
from madoguchi.staff.models import User
at = timezone.now()
admin = User.objects.get(username="admin")
centre = Division.objects.get(is_centre=True)
site = offices.add(row=Site(code="day", name="西の支所"), by=admin, at=at)
desks = [
    offices.add(row=Counter(site=site, division=centre, name=f"{n}番"), by=admin, at=at)
    for n in (1, 2, 3)
]
services = [
    Service.objects.create(code=code, name=name, minutes=minutes, division=centre)
    for code, name, minutes in (("day-move", "転入届", 10), ("day-child", "児童手当", 20))
]
for service in services:
    service.counters.set(desks)
_, key = actions.add_terminal(site=site, name="入口", by=admin, at=at)
print(key, *(desk.pk for desk in desks), *(service.pk for service in services))
"""


@pytest.fixture
def windows(chromium: Browser, morning: Served) -> Iterator[list[BrowserContext]]:
    opened: list[BrowserContext] = []
    yield opened
    for context in opened:
        context.close()


class Hall:
    """The windows of the hall, and the short way through its pages."""

    def __init__(self, browser: Browser, served: Served, opened: list[BrowserContext]) -> None:
        self.browser, self.served, self.opened = browser, served, opened
        key, *numbers = served.run(PREPARE).split()
        self.desks, self.services = numbers[:3], numbers[3:]
        self.display = self.window(width=1920, height=1080)
        self.display.goto("/display/day/")
        self.terminal = self.window(width=1080, height=1920)
        self.terminal.goto(f"/terminal/day/?key={key}")
        self.reception, self.counter = self.staff("uketsuke"), self.staff("soudan")

    def window(self, *, width: int = 1366, height: int = 768) -> Page:
        context = self.browser.new_context(
            base_url=self.served.root,
            locale="ja-JP",
            timezone_id="Asia/Tokyo",
            viewport={"width": width, "height": height},
        )
        self.opened.append(context)
        return context.new_page()

    def staff(self, username: str) -> Page:
        page = self.window()
        sign_in(page, username)
        return page

    def post(self, page: Page, path: str, **form: str) -> None:
        """Send a form as the page's own button would."""
        token = page.locator('meta[name="csrf-token"]').get_attribute("content") or ""
        request: APIRequestContext = page.request
        answer = request.post(
            path,
            form={**form, "csrfmiddlewaretoken": token},
            headers={"Referer": self.served.root},
            max_redirects=0,
        )
        assert answer.status == 302, f"{path} {answer.status}"


def announced(hall: Hall, ticket: str, counter: str) -> None:
    banner = hall.display.locator(".display__call")
    expect(banner.filter(has_text=f"{ticket}番")).to_be_visible()
    expect(banner).to_contain_text(f"{counter}へ")


@pytest.mark.browser
def test_forty_visitors(chromium: Browser, morning: Served, windows: list[BrowserContext]) -> None:
    hall = Hall(chromium, morning, windows)

    # Two at the terminal, with one press each.
    for _ in range(2):
        hall.terminal.get_by_role("button", name=re.compile("転入届")).click()
        expect(hall.terminal.locator(".terminal__number")).to_have_text(re.compile(r"^\d+$"))
        hall.terminal.get_by_role("link", name="おわる").click()
    # One at reception, by hand.
    desk = hall.reception
    desk.goto("/staff/reception/day/")
    desk.get_by_label("手続き・相談").select_option(label="児童手当")
    desk.get_by_label("スマートフォンがない").check()
    desk.get_by_role("button", name="番号を出す").click()
    expect(desk.locator(".ticket-given")).to_contain_text("3")
    # The others arrive.
    for number in range(3, VISITORS):
        hall.post(
            desk,
            "/staff/reception/day/walk-ins/",
            service=hall.services[number % 2],
            reason="did_not_know",
        )
    expect(desk.get_by_role("heading", name=re.compile("お待ちの方"))).to_contain_text(
        f"{VISITORS}人"
    )
    expect(hall.display.locator(".display__foot")).to_contain_text("およそ")

    # The largest thing at the counter is what to do next.
    counter = hall.counter
    counter.goto(f"/staff/counters/{hall.desks[0]}/")
    counter.get_by_role("button", name="次の方を呼ぶ（1番）").click()
    announced(hall, "1", "1番")
    # Two counters at once: both are announced, one after the other, and both stay in the list.
    for second in hall.desks[1:]:
        hall.post(counter, f"/staff/counters/{second}/calls/")
    announced(hall, "2", "2番")
    announced(hall, "3", "3番")
    expect(hall.display.locator("[data-call]")).to_have_count(3)

    counter.get_by_role("button", name=re.compile("来られた")).click()
    counter.get_by_role("link", name="ほかの窓口へ").click()
    counter.get_by_label("次の用件").select_option(label="児童手当")
    counter.get_by_label("申し送り").fill("住所は確かめました")
    counter.get_by_role("button", name="引き継ぐ").click()
    expect(counter.get_by_role("button", name=re.compile("次の方を呼ぶ"))).to_be_visible()

    # The panel sees all of it, and an alert at a counter reaches it by itself.
    panel = hall.reception
    panel.goto("/staff/reception/day/panel/")
    expect(panel.locator("tbody tr")).to_have_count(3)
    counter.get_by_role("button", name="緊急：応援を呼ぶ").click()
    expect(panel.get_by_role("alert")).to_contain_text("1番")
    panel.get_by_role("button", name="わたしが行く").click()
    expect(panel.get_by_role("alert")).to_have_count(0)

    # Everybody is served.
    served = serve_all(hall, counter)

    assert served == VISITORS + 1  # one visitor went to two counters on one ticket
    expect(hall.display.locator(".display__foot")).to_contain_text("お待ちの方　0人")


def serve_all(hall: Hall, page: Page) -> int:
    """Let the three counters call, start and finish until nobody waits; return how many times."""
    done = 1  # the one who was sent on has been served once
    for desk in hall.desks:
        while True:
            shown = page.request.get(f"/staff/counters/{desk}/").text()
            here = re.search(r"/staff/visits/(\d+)/start/", shown)
            if here is None:
                if f"/staff/counters/{desk}/calls/" not in shown or 'id="nobody"' in shown:
                    break
                hall.post(page, f"/staff/counters/{desk}/calls/")
                continue
            hall.post(page, f"/staff/visits/{here[1]}/start/")
            hall.post(page, f"/staff/visits/{here[1]}/finish/")
            done += 1
    return done
