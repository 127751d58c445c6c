"""A real Chromium on the real product, with the demo city in it."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    StorageState,
    sync_playwright,
)

from tests.server.serve import Served, serve

PASSWORD = "shiomi-demo-2026"
CASES = 300
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# What the browser refuses by the Content-Security-Policy is said aloud in the console.
TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error("CSP", event.violatedDirective, event.blockedURI, event.sourceFile));
"""

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Drive browsers for one file: while it runs, its event loop keeps Django off the database."""
    with sync_playwright() as running:
        yield running


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def live_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo as `bin/demo` starts it, in a smaller city that is there sooner."""
    folder = tmp_path_factory.mktemp("browser")
    with serve(
        folder,
        command=("demo",),
        before=found_city,
        environment={"MADOGUCHI_DEMO": "1", "MADOGUCHI_RATE_LIMITS": "off"},
    ) as running:
        yield running


def found_city(served: Served) -> None:
    served.folder.mkdir()
    (served.folder / "demo").touch()  # the mark by which the demo knows its own folder
    served.run(
        "from django.core.management import call_command\n"
        "call_command('migrate', verbosity=0)\n"
        f"call_command('load_demo', cases={CASES}, verbosity=0)\n"
    )


@pytest.fixture(scope="module")
def states(chromium: Browser, live_site: Served) -> Callable[[str], StorageState]:
    """Sign in once for each person and file by the real page, and remember the cookies."""
    known: dict[str, StorageState] = {}

    def state(username: str) -> StorageState:
        if username not in known:
            context = chromium.new_context(base_url=live_site.root, locale="ja-JP")
            sign_in(context.new_page(), username)
            known[username] = context.storage_state()
            context.close()
        return known[username]

    return state


def sign_in(page: Page, username: str) -> None:
    """Sign in by the page the product shows; stay on it when the page is already there."""
    if "/staff/login/" not in page.url:
        page.goto("/staff/login/?next=/staff/signed-in/")
    page.get_by_label("職員ID").fill(username)
    page.get_by_label("パスワード").fill(PASSWORD)
    page.get_by_role("button", name="ログイン").click()
    page.wait_for_url("**/staff/signed-in/")


@pytest.fixture
def problems() -> list[str]:
    """What the pages of the test complained about; a test that cuts a wire clears it."""
    return []


@pytest.fixture
def open_page(
    chromium: Browser,
    live_site: Served,
    states: Callable[[str], StorageState],
    problems: list[str],
) -> Iterator[OpenPage]:
    """
    Open a window: ``open_page(width=360)``, ``open_page(user="soudan")``, ``scripts=False``.

    At the end of the test no page may have met a refused script or style, or an error.
    """
    contexts: list[BrowserContext] = []

    def window(
        *, width: int = 1366, user: str = "", scripts: bool = True, scheme: str = "light"
    ) -> Page:
        context = chromium.new_context(
            base_url=live_site.root,
            locale="ja-JP",
            timezone_id="Asia/Tokyo",
            viewport={"width": width, "height": 740 if width < 500 else 768},
            color_scheme=scheme,  # type: ignore[arg-type]
            java_script_enabled=scripts,
            storage_state=states(user) if user else None,
        )
        contexts.append(context)
        context.add_init_script(TELL_VIOLATIONS)
        context.on("console", lambda said: _note(problems, said.type, said.text))
        context.on("weberror", lambda error: problems.append(str(error.error)))
        return context.new_page()

    yield window
    for context in contexts:
        context.close()
    assert problems == []


def _note(problems: list[str], kind: str, text: str) -> None:
    if kind == "error":
        problems.append(text)


@pytest.fixture
def phone(open_page: OpenPage) -> Page:
    """A citizen's old phone, 360 px wide."""
    return open_page(width=360)


@pytest.fixture
def desk(open_page: OpenPage) -> Page:
    """A counsellor's desk screen, signed in."""
    return open_page(user="soudan")
