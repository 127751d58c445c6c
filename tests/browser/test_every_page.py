"""
Every page of the product, found by following its own links as each kind of person.

Each address pattern of the site map is opened in a browser once, by the first person who meets
it: axe finds nothing at 320 px and at desk width, nothing scrolls sideways, numbers stand under
their headings, the browser refuses nothing. A page shows no link that its reader may not follow,
and an address that nobody meets stands here with its reason.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from importlib.resources import files
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve
from playwright.sync_api import APIRequestContext, Page, Playwright, StorageState

from tests.browser.conftest import OpenPage
from tests.server.serve import Served

pytestmark = pytest.mark.browser

PEOPLE = (
    "",  # a citizen
    "uketsuke",
    "soudan",
    "shinri",
    "shohi",
    "kakari",
    "kacho",
    "center",
    "anshin",
    "kansa",
    "admin",
)
WIDTHS = (320, 1366)
STARTS = {True: ("/staff/", "/staff/components/"), False: ("/", "/sitemap/", "/nowhere/")}
EACH = 2  # addresses followed for one pattern: a long list is made of equal pages
AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
LOOK = """async () => {
  const page = document.documentElement;
  const side = (cell) => getComputedStyle(cell).textAlign;
  const first = (head) => head.closest("table").tBodies[0]?.rows[0]?.cells[head.cellIndex];
  const slanted = [...document.querySelectorAll("thead th.number")].filter(
    (head) => head.offsetWidth > 1 && first(head) && side(first(head)) !== side(head));
  const controls = "a.button, button, select, textarea, .choice, " +
    "input:not([type=hidden]):not([type=radio]):not([type=checkbox])";
  const low = [...document.querySelectorAll(controls)].filter(
    (one) => one.checkVisibility() && one.offsetWidth > 1 && one.offsetHeight < 44);
  const says = (one) =>
    [...one.childNodes].some((part) => part.nodeType === 3 && part.data.trim());
  const small = [...document.querySelectorAll("body *")].filter(
    (one) => says(one) && one.checkVisibility() && !one.closest(".sheet, .seals, svg, rt")
      && parseFloat(getComputedStyle(one).fontSize) < 16);
  const {violations} = await axe.run({resultTypes: ["violations"], preload: false});
  return [
    page.scrollWidth - page.clientWidth,
    slanted.map((head) => head.textContent),
    [...low, ...small].slice(0, 5).map((one) => `${one.tagName} ${one.innerText}`),
    violations.map((v) => [v.id, ...v.nodes.slice(0, 3).map((n) => n.target.join(" "))]),
  ];
}"""
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
DARK = {
    "": ("/", "/faq/", "/services/", "/offices/"),
    "soudan": ("/staff/", "/staff/components/", "/staff/cases/", "/staff/cases/new/"),
    "uketsuke": ("/staff/reception/",),
    "center": ("/staff/statistics/",),
    "admin": ("/staff/offices/", "/staff/people/"),
}
# Pages that nobody's first pages lead to: by mail, on paper, or through a search.
RECORDS = """
from django.urls import reverse
from django.utils import timezone
from madoguchi.audit.models import AuditEvent
from madoguchi.booking.models import Appointment
from madoguchi.casework.models import Closure
from madoguchi.residents.models import Resident
coming = Appointment.objects.filter(status="booked", start__gt=timezone.now()).last()
online = Appointment.objects.filter(service__stage="online", start__gt=timezone.now()).last()
place = f"?site={online.site.code}&start={online.start:%Y-%m-%dT%H:%MZ}"
print("-", reverse("booking:book", args=[online.service.code]) + place)
print("soudan", reverse("booking:book_by_phone", args=[online.service.code]) + place)
closures = Closure.objects.filter(case__is_sensitive=False).order_by("closed_at")
print("-", reverse("booking:appointment", args=[coming.token]))
unasked = closures.filter(survey_reply=None).last()
print("-", reverse("casework:survey", args=[unasked.survey_token]))
from madoguchi.reception.models import Visit
print("-", Visit.objects.latest("pk").address)
print("-", reverse("casework:survey_code"), reverse("casework:survey_thanks"))
print("-", reverse("intake:submit"), reverse("intake:open_page"))
print("-", reverse("staff:log_in"))
print("soudan", reverse("booking:appointment_for_resident", args=[coming.number]))
print("soudan", reverse("casework:case", args=[closures.last().case.number]))
print("soudan", reverse("residents:detail", args=[Resident.objects.exclude(name="").last().pk]))
print("soudan", reverse("staff:change_password"), reverse("staffsite:signed_in"))
print("admin", reverse("offices:set_up"))
from madoguchi.introduction.models import StageChange
from madoguchi.booking.models import Service
for change in StageChange.objects.open():
    print("center", reverse("introduction:introduction", args=[change.service.code]))
    print("center", reverse("introduction:save_notice", args=[change.service.code]))
    print("center", reverse("introduction:propose", args=[change.service.code]))
known = AuditEvent.objects.filter(verb="resident.register").last()
print("kansa", f"{reverse('staff:audit')}?person={known.person}")
"""
# What is left is no page, or a button that stands only while something is going on.
NOBODY_MEETS = {
    "api/": "answers programs; its description is tested of its own",
    "healthz": "answers the supervisor of the server",
    "csp-report/": "takes what a browser reports",
    "live/": "a stream",
    "staff/live/": "a stream",
    "language/": "takes the chosen language",
    "open/<str:token>/": "the link of a message by LINE; tested of its own",
    "line/": "LINE's own calls, and the page behind the link of a message",
    "calendars/<str:token>.ics": "asked for by calendar programs",
    "appointments/<str:token>/confirmation/": "the link of a mail, tried in test_confirm",
    "staff/appointments/<str:number>/confirmation/": "a button of an unconfirmed booking",
    "staff/incidents/<int:pk>/steps/undo/": "a button that stays for a minute",
    "staff/calendars/": "buttons of a link for calendar programs",
    "appointments/<str:token>/qr.svg": "a picture on the page of the appointment",
    "services/<slug:code>/hold/": "takes the time that was pressed",
    "waiting/<str:token>/": "answers to an offer, tried in test_waiting",
    "staff/waiting/<str:token>/": "buttons of who waits",
    "staff/^drafts/": "takes what a form saves by itself",
    "staff/login/code/": "asks for a second factor, which the demo leaves out",
    "staff/login/setup/": "sets up a second factor, which the demo leaves out",
    "staff/counters/<int:pk>/calls/<int:visit>/": "the button of somebody who waits",
    "post/box/page/": "opened by number and code, tried in test_own_page",
    "post/box/page/files/<int:attachment_id>/": "what the resident sent",
    "staff/submissions/<str:number>/files/<int:attachment_id>/": "what a resident sent",
    "post/box/page/more/": "the form of that page",
    "post/box/page/note/": "the receipt, tried in test_own_page",
    "staff/submissions/<str:number>/answer/": "a button of a submission that is a case",
    "terminal/": "opened by the key of the machine in the hall; tested of its own",
    "tickets/<str:signed>/qr.svg": "a picture on the ticket",
    "staff/terminals/<int:pk>/withdrawal/": "the button of a machine in the hall",
    "staff/counters/<int:pk>/opening/": "the button of a closed counter",
    "staff/counters/<int:pk>/supports/": "the button of a suggestion while the hall is busy",
    "staff/supports/": "the button of a support that goes on",
    "staff/alerts/": "the button of an open alert",
    "staff/reception/<slug:code>/events/<int:pk>/": "the link of what one has just counted",
    "staff/stage-changes/<int:pk>/approval/": "the button of who did not plan the change",
    "staff/visits/": "buttons of a counter that has called somebody",
    "staff/cases/<str:number>/meetings/": "the button of a meeting that goes on",
    "staff/cases/<str:number>/people/": "of a restricted case",
    "staff/faqs/<str:key>/proposal/": "the button of one's own draft",
    "staff/offices/sites/<int:pk>/calendar/<day:on>/clearance/": "the button of a changed day",
    "staff/people/<int:pk>/return/": "the button of somebody who has left",
    "staff/moves/<int:pk>/progress/": "drawn into the page of the list by itself",
    "staff/operations/messages/": "the button of a message that could not be sent",
    "staff/rota/runs/": "buttons of a plan in the making, pressed in the journey of the rota",
    "staff/requests/<int:handover_id>/arrival/": "the button of an officer on the way",
    "staff/requests/<int:handover_id>/record/": "of an officer who has accepted",
    "staff/rota/needs/standard/": "the button of a site for which no needs are written down",
    "staff/services/<slug:code>/moves/<int:pk>/told/": "the button of a booking that had to move",
    "staff/residents/<int:pk>/accommodations/<int:accommodation>/": "a button beside a need",
    "staff/residents/<int:pk>/contact/": "the button of a hidden address",
    "staff/residents/<int:pk>/restriction/end/": "the button of a hidden address",
}
_LINK = re.compile(r'<a\b[^>]*\bhref="([^"]+)"')
_FORM = re.compile(r'\b(?:form)?action="([^"]+)"')
_NO_PAGE = ("tel:", "mailto:", "javascript:", "data:")


@dataclass
class Found:
    """What following the links brought to light."""

    pages: dict[str, tuple[str, str]] = field(default_factory=dict)  # route → (person, address)
    refused: list[str] = field(default_factory=list)
    met: set[str] = field(default_factory=set)  # routes of all links and forms, whatever answers


def route_of(address: str) -> str:
    try:
        return str(resolve(urlsplit(address).path).route)
    except Resolver404:
        return "(404)"


def follow(
    request: APIRequestContext, person: str, found: Found, more: Sequence[str] = ()
) -> None:
    """Read the pages one person can reach, two of each kind, and note the new ones."""
    seen: dict[str, int] = {}
    waiting = [(start, "") for start in (*STARTS[bool(person)], *more)]
    known = {start for start, _ in waiting}
    while waiting:
        address, came_from = waiting.pop(0)
        route = route_of(address)
        if seen.get(route, 0) >= EACH:
            continue
        seen[route] = seen.get(route, 0) + 1
        answer = request.get(address, timeout=120_000)
        found.met.add(route)
        if not answer.ok and route != "(404)":
            found.refused.append(f"{person or '市民'}: {came_from} → {address} {answer.status}")
            continue
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        found.pages.setdefault(route, (person, address))
        html = answer.text()
        found.met.update(map(route_of, links(_FORM, html, address)))
        for link in links(_LINK, html, address):
            if link not in known:
                known.add(link)
                waiting.append((link, address))


def links(marked: re.Pattern[str], html: str, address: str) -> Iterator[str]:
    for href in marked.findall(html):
        there = urldefrag(urljoin(address, unescape(href))).url
        if not href.startswith(_NO_PAGE) and there.startswith("/"):
            yield there


@pytest.fixture(scope="module")
def found(
    playwright: Playwright, live_site: Served, states: Callable[[str], StorageState]
) -> Found:
    everything = Found()
    more: dict[str, list[str]] = {}
    for line in live_site.run(RECORDS).splitlines():
        person, *addresses = line.split()
        more.setdefault("" if person == "-" else person, []).extend(addresses)
    for person in PEOPLE:
        state = states(person) if person else None
        request = playwright.request.new_context(base_url=live_site.root, storage_state=state)
        follow(request, person, everything, more.get(person, ()))
        request.dispose()
    return everything


def test_no_page_shows_a_link_that_its_reader_may_not_follow(found: Found) -> None:
    assert found.refused == []


def routes(patterns: Sequence[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


def test_every_address_of_the_site_map_is_met_or_has_its_reason(found: Found) -> None:
    alone = set(routes(get_resolver().url_patterns)) - found.met

    assert [route for route in sorted(alone) if not route.startswith(tuple(NOBODY_MEETS))] == []


@pytest.mark.parametrize("is_staff", [False, True], ids=["citizens", "staff"])
def test_every_page_is_fit_for_everyone(
    found: Found, open_page: OpenPage, problems: list[str], is_staff: bool
) -> None:
    windows: dict[str, Page] = {}
    wrong: list[str] = []
    for route, (person, address) in found.pages.items():
        if bool(person) is not is_staff:
            continue
        if person not in windows:
            windows[person] = open_page(user=person)
        page = windows[person]
        page.goto(address)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 768})
            wrong += [f"{person} {address} {width}px: {what}" for what in faults(page)]
        if route == "(404)":
            problems.clear()  # the console repeats the status
        wrong += [f"{person} {address}: {problem}" for problem in problems]
        problems.clear()
    assert wrong == [], "\n".join(wrong)


def test_a_citizen_needs_no_scripts(
    found: Found, open_page: OpenPage, problems: list[str]
) -> None:
    page = open_page(width=320, scripts=False)
    wrong: list[str] = []
    for route, (person, address) in found.pages.items():
        if person:
            continue
        page.goto(address)
        if route == "(404)":
            problems.clear()  # the console repeats the status
        if page.locator("h1:visible").count() != 1:
            wrong.append(f"{address}: no heading")
        if page.evaluate(SIDEWAYS):
            wrong.append(f"{address}: sideways")
        if page.locator("button[type=button]:visible").count():
            wrong.append(f"{address}: a button that only a script could press")
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("person", DARK)
def test_a_dark_page_can_be_read(found: Found, open_page: OpenPage, person: str) -> None:
    page = open_page(user=person, scheme="dark")
    wrong: list[str] = []
    for address in DARK[person]:
        page.goto(address)
        wrong += [f"{address}: {what}" for what in faults(page)]
    assert wrong == [], "\n".join(wrong)


def faults(page: Page) -> list[str]:
    """Return what axe finds, and whether the page can be pushed sideways."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    sideways, slanted, small, violations = page.evaluate(LOOK)
    found = [f"横に {sideways}px はみ出す"] if sideways > 0 else []
    found += [f"見出しと数字の揃えが違う: {heading}" for heading in slanted]
    found += [f"44px より低い、または字が 16px より小さい: {what.strip()[:60]}" for what in small]
    found += [f"{name}: {where}" for name, *where in violations]
    return found


def test_axe_and_the_ruler_see_a_bad_page(open_page: OpenPage) -> None:
    page = open_page(width=320)
    low = '<button style="height: 30px">低い</button>'
    small = '<p style="font-size: 12px">小さい</p>'
    wide = "<pre>" + "広い" * 200 + "</pre>"
    page.set_content(f'<html><body><img src="data:,">{low}{small}{wide}</body></html>')

    found = faults(page)

    assert any(line.startswith("横に") for line in found)
    assert [line for line in found if "低い" in line and line.endswith("BUTTON 低い")]
    assert [line for line in found if "低い" in line and line.endswith("P 小さい")]
    assert any(line.startswith("image-alt") for line in found)
    assert any(line.startswith("html-has-lang") for line in found)


def test_what_the_policy_forbids_is_noticed(phone: Page, problems: list[str]) -> None:
    phone.goto("/")
    phone.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: '1'}))"
    )
    phone.wait_for_timeout(200)

    assert any("script-src" in problem for problem in problems)
    problems.clear()
