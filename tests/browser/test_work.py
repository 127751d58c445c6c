"""Whoever books much more often than others: the browser computes, and nobody solves a puzzle."""

import hashlib

import pytest
from playwright.sync_api import Page

from madoguchi.foundation import work
from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser
SOLVE = """([challenge, bits]) => new Promise((resolve) => {
  document.body.innerHTML = `<form id="f"><madoguchi-work challenge="${challenge}" bits="${bits}">
    <input type="hidden" name="work"><p></p></madoguchi-work><button>送る</button></form>`;
  const script = document.createElement("script");
  script.type = "module";
  script.src = "/static/booking/work.js";
  document.head.append(script);
  const field = document.querySelector("[name=work]");
  document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  const look = setInterval(() => {
    if (!field.value) return;
    clearInterval(look);
    resolve(field.value);
  }, 20);
})"""


def solved(page: Page, challenge: str, bits: int) -> str:
    return str(page.evaluate(SOLVE, [challenge, bits]))


@pytest.mark.parametrize("length", [10, 55, 64, 119])
def test_the_browser_finds_what_the_server_accepts(open_page: OpenPage, length: int) -> None:
    """Lengths around the blocks of the digest (FIPS 180-4), under the strict policy."""
    page = open_page()
    page.goto("/")
    challenge = "x" * length

    text, _, number = solved(page, challenge, 10).partition("~")

    assert text == challenge
    assert work.zero_bits(f"{challenge}:{number}") >= 10
    first = next(
        n
        for n in range(100_000)
        if hashlib.sha256(f"{challenge}:{n}".encode()).digest()[0] == 0
        and work.zero_bits(f"{challenge}:{n}") >= 10
    )
    assert int(number) == first
