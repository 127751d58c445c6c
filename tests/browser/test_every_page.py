"""
Every page of the product, found by following its own links as each kind of person.

Each address pattern of the site map is opened in a browser once, by the first person who meets
it: axe finds nothing at 320 px and at desk width, nothing scrolls sideways, the browser refuses
nothing. A page shows no link that its reader may not follow.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import Resolver404, resolve
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
_LINK = re.compile(r'<a\b[^>]*\bhref="([^"]+)"')
_NO_PAGE = ("tel:", "mailto:", "javascript:", "data:")


@dataclass
class Found:
    """What following the links brought to light."""

    pages: dict[str, tuple[str, str]] = field(default_factory=dict)  # route → (person, address)
    refused: list[str] = field(default_factory=list)


def route_of(address: str) -> str:
    try:
        return str(resolve(urlsplit(address).path).route)
    except Resolver404:
        return "(404)"


def follow(request: APIRequestContext, person: str, found: Found) -> None:
    """Read the pages one person can reach, two of each kind, and note the new ones."""
    seen: dict[str, int] = {}
    waiting = [(start, "") for start in STARTS[bool(person)]]
    known = {start for start, _ in waiting}
    while waiting:
        address, came_from = waiting.pop(0)
        route = route_of(address)
        if seen.get(route, 0) >= EACH:
            continue
        seen[route] = seen.get(route, 0) + 1
        answer = request.get(address)
        if not answer.ok and route != "(404)":
            found.refused.append(f"{person or '市民'}: {came_from} → {address} {answer.status}")
            continue
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        found.pages.setdefault(route, (person, address))
        for link in links(answer.text(), address):
            if link not in known:
                known.add(link)
                waiting.append((link, address))


def links(html: str, address: str) -> Iterator[str]:
    for href in _LINK.findall(html):
        there = urldefrag(urljoin(address, unescape(href))).url
        if not href.startswith(_NO_PAGE) and there.startswith("/"):
            yield there


@pytest.fixture(scope="module")
def found(
    playwright: Playwright, live_site: Served, states: Callable[[str], StorageState]
) -> Found:
    everything = Found()
    for person in PEOPLE:
        state = states(person) if person else None
        request = playwright.request.new_context(base_url=live_site.root, storage_state=state)
        follow(request, person, everything)
        request.dispose()
    return everything


def test_no_page_shows_a_link_that_its_reader_may_not_follow(found: Found) -> None:
    assert found.refused == []


def test_the_links_lead_through_the_product(found: Found) -> None:
    met = set(found.pages)

    assert {"", "sitemap/", "offices/", "accessibility/", "staff/components/"} <= met
    assert sum(1 for route in met if not route.startswith("staff/")) >= 8
    assert sum(1 for route in met if route.startswith("staff/")) >= 25


@pytest.mark.parametrize("is_staff", [False, True], ids=["citizens", "staff"])
def test_every_page_is_fit_for_everyone(
    found: Found, open_page: OpenPage, problems: list[str], is_staff: bool
) -> None:
    windows: dict[str, Page] = {}
    wrong: list[str] = []
    for person, address in found.pages.values():
        if bool(person) is not is_staff:
            continue
        if person not in windows:
            windows[person] = open_page(user=person)
        page = windows[person]
        page.set_viewport_size({"width": WIDTHS[-1], "height": 768})
        page.goto(address)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 768})
            wrong += [f"{person} {address} {width}px: {what}" for what in faults(page)]
        wrong += [f"{person} {address}: {problem}" for problem in problems]
        problems.clear()
    wrong = [line for line in wrong if "(404)" not in line and "nowhere" not in line]
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize(
    ("person", "address"),
    [("", "/"), ("", "/faq/"), ("", "/services/"), ("soudan", "/staff/components/")],
)
def test_a_dark_page_can_be_read(open_page: OpenPage, person: str, address: str) -> None:
    page = open_page(user=person, scheme="dark")
    page.goto(address)

    assert faults(page) == []


def faults(page: Page) -> list[str]:
    """Return what axe finds, and whether the page can be pushed sideways."""
    sideways = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    found = [f"横に {sideways}px はみ出す"] if sideways > 0 else []
    for violation in Axe().run(page).response["violations"]:
        where = [" ".join(map(str, node["target"])) for node in violation["nodes"][:3]]
        found.append(f"{violation['id']}: {where}")
    return found


def test_axe_and_the_ruler_see_a_bad_page(open_page: OpenPage) -> None:
    page = open_page(width=320)
    page.set_content('<html><body><img src="data:,"><pre>' + "広い" * 200 + "</pre></body></html>")

    found = faults(page)

    assert any(line.startswith("横に") for line in found)
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
