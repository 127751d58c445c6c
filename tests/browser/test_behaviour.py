"""What the pages do by themselves: ask first, send once, show keys, follow what others do."""

import io
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect
from pypdf import PdfReader

from tests.browser.conftest import OpenPage
from tests.server.serve import Served

pytestmark = pytest.mark.browser

SAMPLE = "/staff/components/"
WALK_IN = """
import sys
from django.utils import timezone
from madoguchi.booking.models import Service
from madoguchi.reception import actions, rules
from madoguchi.offices.models import Site
from madoguchi.staff.models import User
site = Site.objects.get(code=sys.argv[1])
service = Service.objects.shown().filter(counters__site=site).first()
visit = actions.walk_in(
    site=site, service=service, reason=next(iter(rules.Remark)),
    by=User.objects.get(username="uketsuke"), at=timezone.now(),
)
print(visit.ticket)
"""

# Somebody waits for what a counter with nobody at it receives, and is called there.
TICKET = """
from django.utils import timezone
from madoguchi.offices.models import Counter
from madoguchi.reception import actions, rules
from madoguchi.staff.models import User
free = Counter.objects.exclude(visits__status__in=["called", "serving"])
counter = free.filter(is_active=True, services__is_active=True).first()
visit = actions.walk_in(
    site=counter.site, service=counter.services.shown().first(), reason=next(iter(rules.Remark)),
    by=User.objects.get(username="uketsuke"), at=timezone.now(),
)
print(visit.address)
"""
# The booking with the most to bring: the longest slip.
LONGEST = """
from django.utils import timezone
from madoguchi.booking.models import Appointment
coming = Appointment.objects.filter(status="booked", start__gt=timezone.now())[:60]
print(max(coming, key=lambda one: len(one.errand.things_to_bring)).address)
"""
CALL = """
import sys
from django.utils import timezone
from madoguchi.offices.models import Counter
from madoguchi.reception import actions
from madoguchi.reception.models import Visit
from madoguchi.staff.models import User
visit = Visit.objects.get(pk=sys.argv[1])
free = Counter.objects.exclude(visits__status__in=["called", "serving"])
counter = free.filter(is_active=True, services=visit.service).first()
actions.call(
    visit=visit, counter=counter, by=User.objects.get(username="soudan"), at=timezone.now()
)
print(counter)
"""


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


class TestSubmitOnce:
    @pytest.fixture
    def held(self, desk: Page) -> list[Route]:
        """What the browser sends while the server is slow to answer."""
        waiting: list[Route] = []
        desk.route(
            "**/staff/residents/new/",
            lambda it: waiting.append(it) if it.request.method == "POST" else it.continue_(),
        )
        return waiting

    def press_twice(self, page: Page, name: str) -> None:
        page.goto("/staff/residents/new/")
        page.get_by_label("氏名").fill(name)
        button = page.get_by_role("button", name="登録する")
        button.scroll_into_view_if_needed()
        place = button.bounding_box()
        assert place
        for _ in range(2):  # the mouse does not wait for the page that is on its way
            page.mouse.click(place["x"] + 10, place["y"] + 10)
            page.wait_for_timeout(500)

    def test_a_second_press_registers_no_second_row(
        self, desk: Page, held: list[Route], live_site: Served
    ) -> None:
        self.press_twice(desk, "二度 押子")
        for one in held:
            one.continue_()
        desk.wait_for_url(re.compile(r"/staff/residents/\d+/"))

        rows = live_site.run(
            "from madoguchi.residents.models import Resident\n"
            "print(Resident.objects.filter(name__contains='押子').count())"
        )
        assert (len(held), rows) == (1, "1")

    def test_without_the_guard_it_is_sent_twice(self, desk: Page, held: list[Route]) -> None:
        desk.route(
            "**/submit_once*.js", lambda it: it.fulfill(content_type="text/javascript", body="")
        )

        self.press_twice(desk, "三度 押男")

        assert len(held) == 2


class TestKeys:
    def test_a_question_mark_shows_the_keys_of_this_page(self, desk: Page) -> None:
        desk.goto(SAMPLE)
        desk.keyboard.press("?")

        sheet = desk.get_by_role("dialog", name="キー操作")
        expect(sheet).to_be_visible()
        expect(sheet.get_by_text("小さな画面を開く")).to_be_visible()
        desk.keyboard.press("Escape")
        desk.keyboard.press("d")
        expect(desk.get_by_role("dialog", name="小さな画面")).to_be_visible()

    def test_typed_into_a_field_it_is_a_question_mark(self, desk: Page) -> None:
        desk.goto(SAMPLE)
        desk.get_by_label("氏名").press("?")

        expect(desk.get_by_role("dialog")).to_have_count(0)
        expect(desk.get_by_label("氏名")).to_have_value(
            re.compile(r"\?")
        )  # a draft may stand there

    def test_turned_off_they_stay_off(self, desk: Page) -> None:
        desk.goto(SAMPLE)
        desk.keyboard.press("?")
        desk.get_by_label("キー操作を使う").uncheck()
        desk.get_by_role("dialog").get_by_role("button", name="閉じる").click()
        desk.reload()

        desk.keyboard.press("d")

        expect(desk.get_by_role("dialog")).to_have_count(0)


class TestTimer:
    def test_it_counts_the_minutes_by_the_clock_of_the_server(self, desk: Page) -> None:
        desk.clock.install(time="2030-01-01T00:00:00")  # the clock of this desk is wrong
        desk.goto(SAMPLE)
        timer = desk.locator("madoguchi-timer")
        expect(timer).to_have_text("0分")

        desk.clock.fast_forward("29:30")
        expect(timer).to_have_text("29分")
        expect(timer).not_to_have_class(re.compile("is-late"))

        desk.clock.fast_forward("45:00")
        expect(timer).to_have_text("1時間14分")
        expect(timer).to_have_class(re.compile("is-late"))


class TestLive:
    @pytest.fixture
    def hall(self, open_page: OpenPage) -> Page:
        page = open_page(user="uketsuke")
        page.goto("/staff/reception/")
        if not page.locator("madoguchi-live").count():
            page.locator("main a[href^='/staff/reception/']").first.click()
        page.wait_for_url("**/staff/reception/*/")
        return page

    @pytest.fixture
    def alive(self, live_site: Served) -> Iterator[Served]:
        yield live_site
        assert live_site.process is not None
        if live_site.process.poll() is not None:
            live_site.start()

    def walk_in(self, site: Served, hall: Page) -> str:
        """Somebody comes to the hall, and another desk gives the number."""
        code = hall.url.rstrip("/").rpartition("/")[2]
        return site.run(WALK_IN, code)

    def ticket(self, hall: Page, number: str) -> None:
        queue = hall.get_by_role("table", name="呼び出される順")
        expect(queue.get_by_role("rowheader", name=number, exact=True)).to_be_visible(
            timeout=20_000
        )

    def test_what_another_desk_does_appears_and_what_is_typed_stays(
        self, hall: Page, live_site: Served
    ) -> None:
        code = hall.get_by_role("textbox").first
        code.fill("書きかけ")

        self.ticket(hall, self.walk_in(live_site, hall))

        expect(code).to_have_value("書きかけ")  # the page was not loaded again

    def test_ones_own_ticket_calls_its_owner(self, phone: Page, live_site: Served) -> None:
        phone.goto(live_site.run(TICKET))
        expect(phone.get_by_text("前にお待ちの方")).to_be_visible()

        counter = live_site.run(CALL, phone.url.rstrip("/").rpartition("/")[2].partition(":")[0])

        expect(phone.get_by_role("alert")).to_have_text(
            f"{counter}へお越しください", timeout=20_000
        )

    def test_after_the_server_was_away_the_page_says_so_and_catches_up(
        self, hall: Page, alive: Served, problems: list[str]
    ) -> None:
        hall.get_by_role("textbox").first.fill("書きかけ")
        notice = hall.get_by_text("から画面が更新されていません")
        expect(notice).to_have_count(0)

        alive.stop()
        expect(notice).to_be_visible(timeout=15_000)
        missed = self.walk_in(alive, hall)
        alive.start()

        self.ticket(hall, missed)
        expect(notice).to_have_count(0)
        expect(hall.get_by_role("textbox").first).to_have_value("書きかけ")
        problems.clear()  # the broken stream stands in the console

    def test_a_short_break_is_not_mentioned(self, hall: Page) -> None:
        hall.evaluate("document.dispatchEvent(new CustomEvent('madoguchi:stale'))")
        hall.wait_for_timeout(1_000)
        hall.evaluate("document.dispatchEvent(new CustomEvent('madoguchi:fresh'))")
        hall.wait_for_timeout(4_500)  # longer than the page waits before it says anything

        expect(hall.get_by_text("から画面が更新されていません")).to_have_count(0)


def test_the_slip_is_one_sheet_of_a5(phone: Page, live_site: Served) -> None:
    phone.goto(f"{live_site.run(LONGEST)}slip/")

    [sheet] = PdfReader(io.BytesIO(phone.pdf(prefer_css_page_size=True))).pages
    box = sheet.mediabox
    assert (round(box.width / 72 * 25.4), round(box.height / 72 * 25.4)) == (148, 210)
