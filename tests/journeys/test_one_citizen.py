"""
One citizen's journey: from the first question to an answer that stays.

The citizen has a phone 360 px wide and no JavaScript; the officers use the keyboard only.
"""

import base64
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import openpyxl
import pytest
from django_otp.oath import totp
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import sign_in
from tests.server.serve import Served

expect.set_options(timeout=20_000)

OWN_PASSWORD = "mado-guchi-hiraku-7"
CHILD = "渡邉 さくら"
STORY = (
    "来年4月から、渡邉さくらさん（2歳）を保育所に預けて働きたい。電話は090-1234-5678。"
    "会社が就労証明書をまだ書いてくれず、締め切りに間に合うか心配している。"
)


FOUND_A_CITY = """
import json
from datetime import time
from django.utils import timezone
from madoguchi.booking import actions as booking
from madoguchi.offices import actions as offices
from madoguchi.offices.models import Counter, Division, Room, Site
from madoguchi.staff import actions as staff
from madoguchi.staff.rules import Role

at = timezone.now()
admin, password = staff.add_admin(username="admin", name="山口", division="総務課", at=at)
given = {"admin": password}
offices.name_city(name="新しい市", kana="", phone="000-0000-0000", by=admin, at=at)
site = offices.add(row=Site(code="center", name="市民相談センター"), by=admin, at=at)
centre = offices.add(row=Division(name="相談課", is_centre=True), by=admin, at=at)
nursery = offices.add(row=Division(name="保育課"), by=admin, at=at)
desk = offices.add(row=Counter(site=site, division=centre, name="相談1番"), by=admin, at=at)
offices.add(row=Room(site=site, name="相談室1"), by=admin, at=at)
for username, role, division in [
    ("uketsuke", Role.RECEPTION, centre),
    ("soudan", Role.COUNSELLOR, centre),
    ("kakari", Role.OFFICER, nursery),
    ("center", Role.CENTRE_HEAD, centre),
]:
    given[username] = staff.add_person(
        username=username, name=username, role=role, division=division, by=admin, at=at
    )[1]
booking.save_service(
    service=None,
    fields={
        "code": "hoiku",
        "name": "保育所の入所相談",
        "minutes": 30,
        "division": nursery,
        "bring": "母子健康手帳",
    },
    counters=[desk],
    by=admin,
    at=at,
)
booking.add_opening_rule(
    counter=desk,
    weekdays=0b0011111,
    opens_at=time(9),
    closes_at=time(16, 30),
    valid_from=timezone.localdate(),
    by=admin,
    at=at,
)
print(json.dumps(given))
"""


@dataclass
class Citizen:
    """Somebody with an old phone; every tap is counted."""

    page: Page
    taps: int = 0

    def tap(self, target: Locator) -> None:
        self.taps += 1
        target.tap()


@dataclass
class Officer:
    """Somebody at a desk who leaves the mouse alone."""

    page: Page

    def reach(self, target: Locator) -> Locator:
        """Press Tab until the target has the focus, as one does without a mouse."""
        expect(target).to_be_visible()
        for _ in range(250):
            if target.evaluate("element => element === document.activeElement"):
                return target
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {target}")

    def press(self, target: Locator) -> None:
        self.reach(target)
        self.page.keyboard.press("Enter")

    def press_button(self, name: str | re.Pattern[str]) -> None:
        self.press(self.page.get_by_role("button", name=name).first)

    def follow(self, name: str | re.Pattern[str]) -> None:
        self.press(self.page.get_by_role("link", name=name).first)

    def write(self, label: str, text: str) -> None:
        self.reach(self.page.get_by_role("textbox", name=label).first)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def choose(self, label: str, option: str) -> None:
        """Choose from a list by typing ahead, or by the arrows in a group of radio buttons."""
        target = self.page.get_by_role("combobox", name=label).first
        self.reach(target)
        values: list[str] = target.evaluate("list => [...list.options].map(o => o.label.trim())")
        wanted = next(index for index, value in enumerate(values) if option in value)
        now = target.evaluate("list => list.selectedIndex")
        key = "ArrowDown" if wanted > now else "ArrowUp"
        for _ in range(abs(wanted - now)):
            self.page.keyboard.press(key)
        assert option in target.evaluate("list => list.selectedOptions[0].label")

    def tick(self, name: str) -> None:
        """Turn on a check box or a radio button with the space bar."""
        target = self.page.get_by_role("radio", name=name).or_(
            self.page.get_by_role("checkbox", name=name)
        )
        target = target.first
        if target.get_attribute("type") == "radio":
            group = f'input[type=radio][name="{target.get_attribute("name")}"]'
            first = self.page.locator(group).first
            self.reach(first)
            self.page.keyboard.press("Space")
            for _ in range(20):
                if target.is_checked():
                    return
                self.page.keyboard.press("ArrowDown")
            raise AssertionError(f"the arrows do not reach {name}")
        self.reach(target)
        if not target.is_checked():
            self.page.keyboard.press("Space")

    def tick_this(self, option: Locator) -> None:
        """Turn on one radio button of a group of two with the keys."""
        group = f'input[type=radio][name="{option.get_attribute("name")}"]'
        self.reach(self.page.locator(group).first)
        self.page.keyboard.press("Space")
        if not option.is_checked():
            self.page.keyboard.press("ArrowDown")
        assert option.is_checked()


@dataclass
class Town:
    """Everybody who has a part in the story."""

    browser: Browser
    served: Served
    contexts: list[BrowserContext] = field(default_factory=list)
    first_passwords: dict[str, str] = field(default_factory=dict)
    signed_in: dict[str, Officer] = field(default_factory=dict)

    @property
    def is_new(self) -> bool:
        return bool(self.first_passwords)

    def leave(self) -> None:
        for context in self.contexts:
            context.close()

    def citizen(self, *, scripts: bool = False) -> Citizen:
        context = self.browser.new_context(
            base_url=self.served.root,
            locale="ja-JP",
            timezone_id="Asia/Tokyo",
            viewport={"width": 360, "height": 740},
            has_touch=True,
            java_script_enabled=scripts,
        )
        self.contexts.append(context)
        return Citizen(context.new_page())

    def officer(self, username: str) -> Officer:
        if username not in self.signed_in:
            self.signed_in[username] = self._sign_in(username)
        return self.signed_in[username]

    def _sign_in(self, username: str) -> Officer:
        context = self.browser.new_context(
            base_url=self.served.root,
            locale="ja-JP",
            timezone_id="Asia/Tokyo",
            viewport={"width": 1366, "height": 768},
        )
        self.contexts.append(context)
        officer = Officer(context.new_page())
        if self.is_new:
            sign_in_for_the_first_time(officer.page, username, self.first_passwords[username])
        else:
            sign_in(officer.page, username)
        return officer


def sign_in_for_the_first_time(page: Page, username: str, password: str) -> None:
    """Sign in with the password handed over: first the second factor, then an own password."""
    page.goto("/staff/login/")
    page.get_by_label("職員ID").fill(username)
    page.get_by_label("パスワード").fill(password)
    page.get_by_role("button", name="ログイン").click()
    key = base64.b32decode(page.locator("main code").inner_text().replace(" ", ""))
    page.get_by_label("確認コード").fill(f"{totp(key):06d}")
    page.get_by_role("button", name="設定する").click()
    page.get_by_role("link", name="次へ進む").click()
    page.get_by_label("今のパスワード").fill(password)
    page.get_by_label(re.compile("新しいパスワード")).nth(0).fill(OWN_PASSWORD)
    page.get_by_label(re.compile("新しいパスワード")).nth(1).fill(OWN_PASSWORD)
    page.get_by_role("button", name="変更する").click()
    page.wait_for_url(re.compile(r"/staff/(offices/set-up/)?$"))


@pytest.fixture
def demo_city(chromium: Browser, morning: Served) -> Iterator[Town]:
    people = Town(chromium, morning)
    yield people
    people.leave()


@pytest.fixture
def new_city(chromium: Browser, first_morning: Served) -> Iterator[Town]:
    """A city of one site, one counter and five people, who sign in with two factors."""
    given = json.loads(first_morning.run(FOUND_A_CITY))
    people = Town(chromium, first_morning, first_passwords=given)
    yield people
    people.leave()


def text_of(page: Page, selector: str) -> str:
    return page.locator(selector).first.inner_text().strip()


def fetch(page: Page, link: Locator) -> bytes:
    answer = page.request.get(link.get_attribute("href") or link.get_attribute("src") or "")
    assert answer.status == 200
    return answer.body()


@pytest.mark.browser
def test_on_the_demo_city(demo_city: Town) -> None:
    from_a_booking_to_a_published_answer(demo_city)


@pytest.mark.browser
def test_on_an_empty_city(new_city: Town) -> None:
    from_a_booking_to_a_published_answer(new_city)


def from_a_booking_to_a_published_answer(town: Town) -> None:
    number = citizen_books(town)

    hall = town.citizen(scripts=True).page
    hall.goto("/display/center/")
    reception = town.officer("uketsuke")
    ticket = check_in(reception, number)
    walk_in_without_a_smartphone(reception)
    counsellor = town.officer("soudan")
    call(counsellor, hall, ticket, is_busy=not town.is_new)

    case = record_while_talking(counsellor)
    division = ask_the_division_to_come(town, counsellor, case)
    return_the_record(division, counsellor)
    code = close_with_a_reason(counsellor)
    answer_the_survey(town, code)
    publish_a_faq(town, counsellor, case)
    count_it(town)


def citizen_books(town: Town) -> str:
    """1. Six taps at most, no account, no JavaScript."""
    citizen = town.citizen()
    page = citizen.page
    page.goto("/")
    page.get_by_label("手続き・相談を探す").fill("保育所の入所相談")
    citizen.tap(page.get_by_role("button", name="探す", exact=True))
    citizen.tap(page.get_by_role("link", name=re.compile("^保育所の入所相談")))
    if not town.is_new:
        citizen.tap(page.get_by_role("link", name="市民相談センター", exact=True))
    citizen.tap(page.locator(".times button").first)
    page.get_by_label("お名前").fill(CHILD)
    page.get_by_label("ふりがな").fill("わたなべ さくら")
    page.get_by_label("メールアドレス").fill("sakura@example.jp")
    citizen.tap(page.get_by_role("button", name="この内容で予約する"))

    expect(page.get_by_role("heading", level=1)).to_have_text("予約できました")
    assert citizen.taps <= 6
    number = text_of(page, ".reference__number")
    assert re.fullmatch(r"[2-9A-Y]{4}-[2-9A-Y]{4}", number)
    expect(page.get_by_text("母子健康手帳")).to_be_visible()
    assert b"BEGIN:VEVENT" in fetch(page, page.get_by_role("link", name="カレンダーに入れる"))
    assert b"<svg" in fetch(page, page.locator("img.qr"))
    assert number.encode() in fetch(page, page.get_by_role("link", name="予約票を印刷する"))

    if not town.is_new:
        post = town.officer("admin").page
        post.goto("/staff/mails/")
        expect(post.get_by_text("sakura@example.jp").first).to_be_visible()

    page.get_by_role("link", name="日時を変更する").tap()
    page.locator(".times a").nth(1).tap()
    page.get_by_role("button", name=re.compile("変更")).tap()
    expect(page.locator(".reference__number")).to_have_text(number)
    return number


def check_in(reception: Officer, number: str) -> str:
    """2. 「予約していますか？」 — yes."""
    page = reception.page
    page.goto("/staff/reception/center/")
    expect(page.get_by_role("row", name=number)).to_be_visible()
    reception.write("予約番号・お名前・QRコード", "わたなべさくら")
    page.keyboard.press("Enter")
    expect(page.locator(".ticket-given")).to_be_visible()
    expect(page.get_by_role("row", name=number)).to_have_count(0)
    return text_of(page, ".ticket-given .reference__number")


def walk_in_without_a_smartphone(reception: Officer) -> None:
    """2. — no: a number, and the reason is counted."""
    page = reception.page
    page.goto("/staff/reception/center/remarks/")
    before = page.get_by_role("row", name="スマートフォンがない").inner_text()
    page.goto("/staff/reception/center/")
    reception.choose("手続き・相談", "保育所の入所相談")
    reception.tick("スマートフォンがない")
    reception.press_button("番号を出す")
    expect(page.locator(".ticket-given")).to_be_visible()
    page.goto("/staff/reception/center/remarks/")
    assert page.get_by_role("row", name="スマートフォンがない").inner_text() != before


def call(counsellor: Officer, hall: Page, ticket: str, *, is_busy: bool) -> None:
    """2. The counter calls; the display in the hall shows it without being touched."""
    page = counsellor.page
    page.goto("/staff/counters/")
    counsellor.follow("相談1番")
    if is_busy:
        counsellor.press_button("対応を終える")
    counsellor.press_button(f"{ticket}番を呼ぶ")
    expect(hall.get_by_role("row", name=f"{ticket} 相談1番")).to_be_visible()
    counsellor.press_button("来られた（対応を始める）")


def record_while_talking(counsellor: Officer) -> str:
    """3. Notes are kept while they are typed; a browser that dies loses none of them."""
    page = counsellor.page
    counsellor.press_button("相談記録をひらく")
    expect(page).to_have_url(re.compile(r"/staff/cases/R\d+-\d{5}/record/$"))
    case = page.url.split("/")[-3]
    counsellor.write("相談内容", STORY)
    expect(page.locator(".draft-state")).to_contain_text("保存しました")
    page.close()

    counsellor.page = page = page.context.new_page()
    page.goto(f"/staff/cases/{case}/record/")
    expect(page.get_by_label("相談内容")).to_have_value(STORY)
    counsellor.write("今回の対応", "申込みの締め切りと、就労証明書が後からでもよいことを説明。")
    counsellor.choose("分野", "子育て")
    counsellor.press_button("保存して案件へ")
    expect(page.get_by_role("heading", level=1)).to_contain_text(case)
    expect(page.get_by_text("就労証明書が後からでもよい")).to_be_visible()
    return case


def ask_the_division_to_come(town: Town, counsellor: Officer, case: str) -> Officer:
    """4. The officer in charge comes to the citizen; nobody has to tell it twice."""
    division = town.officer("kakari")
    division.page.goto("/staff/requests/")
    expect(division.page.get_by_text(case)).to_have_count(0)

    page = counsellor.page
    counsellor.follow("所管課に依頼する")
    counsellor.choose("依頼先", "保育課")
    counsellor.choose("相談室", "相談室")
    expect(page.get_by_label("申し送り")).to_have_value(re.compile("会社が就労証明書"))
    counsellor.press_button("依頼する")

    request = division.page.get_by_role("link", name=re.compile(case))
    expect(request).to_be_visible()  # it came by itself
    division.press(request)
    expect(division.page.get_by_text("会社が就労証明書").first).to_be_visible()
    division.press_button("10分後に行く")
    expect(page.get_by_text("ごろ到着").first).to_be_visible()
    division.press_button("到着した")
    expect(page.get_by_text("同席中").first).to_be_visible()
    return division


def return_the_record(division: Officer, counsellor: Officer) -> None:
    """5. What the division did comes back to the centre."""
    division.follow("対応記録を書く")
    division.write(
        "対応記録", "内定でも申込みできること、証明書の後日提出を説明し、申込書を受け付けた。"
    )
    division.press_button("対応記録を返す")
    expect(counsellor.page.get_by_text("申込書を受け付けた").first).to_be_visible()


def close_with_a_reason(counsellor: Officer) -> str:
    """6. No end without a conclusion, its reason, and whether it was understood."""
    page = counsellor.page
    counsellor.follow("終了する")
    counsellor.press_button("終了する")
    expect(page.get_by_role("alert").or_(page.locator(".error-summary")).first).to_be_visible()
    counsellor.choose("結果", "同席")
    counsellor.write("結論", "保育所の申込みは、就労証明書を後から出す形で受け付けました。")
    counsellor.write(
        "理由", "内定でも申込みができ、証明書は就労開始後の提出が認められているため。"
    )
    counsellor.tick("理解")
    counsellor.press_button("終了する")
    return text_of(page, ".survey-card__code")


def answer_the_survey(town: Town, code: str) -> None:
    """6. A short survey, by the number on the paper card."""
    page = town.citizen().page
    page.goto("/survey/")
    page.get_by_label("アンケートの番号").fill(code)
    page.get_by_role("button", name="進む").tap()
    expect(page.get_by_role("button", name="送る")).to_be_visible()
    for group in page.locator("main").get_by_role("group").all():
        group.get_by_role("radio").first.check()
    page.get_by_role("button", name="送る").tap()
    expect(page).to_have_url(re.compile(r"/survey/thanks/$"))

    page.goto("/survey/")
    page.get_by_label("アンケートの番号").fill(code)
    page.get_by_role("button", name="進む").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("窓口アンケート")
    expect(page.get_by_role("button")).to_have_count(0)  # one reply for each card


def publish_a_faq(town: Town, counsellor: Officer, case: str) -> None:
    """7. From the closed case a draft without the person in it; a second person approves."""
    page = counsellor.page
    page.goto(f"/staff/cases/{case}/")
    counsellor.follow("FAQの下書きを作る")
    counsellor.write(
        "質問", "渡邉さくらさんの就労証明書がまだないのですが、保育所に申し込めますか。"
    )
    counsellor.write(
        "回答", "内定でも申し込めます。証明書は働き始めてから出してください。090-1234-5678"
    )
    counsellor.press_button("確かめて下書きを作る")
    expect(page.get_by_role("alert")).to_contain_text("個人情報かもしれません")
    for hide in page.locator("input[type=radio][value^='hide:']").all():
        counsellor.tick_this(hide)  # a person decides about each of them
    counsellor.press_button("確かめて下書きを作る")
    expect(page).to_have_url(re.compile(r"/staff/faqs/[^/]+/$"))
    article = page.locator("article")
    expect(article).to_contain_text("［氏名］")
    expect(article).not_to_contain_text("さくら")
    expect(article).not_to_contain_text("090-1234-5678")
    key = page.url.split("/")[-2]
    counsellor.press_button("承認を依頼する")
    expect(page.get_by_role("button", name="承認して公開する")).to_have_count(0)

    head = town.officer("center")
    head.page.goto(f"/staff/faqs/{key}/")
    head.press_button("承認して公開する")
    expect(head.page.get_by_role("link", name="公開中のページを見る")).to_be_visible()

    reader = town.citizen()
    reader.page.goto("/faq/")
    reader.page.get_by_role("searchbox").first.fill("保育園の申し込み、会社の証明がまだ")
    reader.tap(reader.page.get_by_role("button", name="探す", exact=True))
    reader.tap(reader.page.get_by_role("link", name=re.compile("の就労証明書がまだない")))
    expect(reader.page.get_by_text("内定でも申し込めます").first).to_be_visible()


def count_it(town: Town) -> None:
    """8. The month beside the same month last year; every number opens its list; Excel out."""
    head = town.officer("center")
    page = head.page
    page.goto("/staff/statistics/")
    link = page.locator("table a").first
    shown = int(re.sub(r"\D", "", link.inner_text()))
    head.press(link)
    expect(page.get_by_text(re.compile(rf"{shown:,}件|{shown}件")).first).to_be_visible()

    page.goto("/staff/statistics/")
    excel = page.get_by_role("link", name="Excel").first
    book = openpyxl.load_workbook(io.BytesIO(fetch(page, excel)))
    values = [cell.value for sheet in book for row in sheet.iter_rows() for cell in row]
    assert shown in values
