"""What every answer tells the browser, and what happens to a form with an old token."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from madoguchi.staff.rules import Role
from tests import make

pytestmark = pytest.mark.django_db
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "report-uri /csp-report/",
}
PAGES = ["publicsite:home", "staff:log_in", "staffsite:today", "residents:list"]


@pytest.fixture
def inside(client: Client) -> Client:
    client.force_login(make.staff(Role.COUNSELLOR))
    return client


@pytest.mark.parametrize("name", PAGES)
class TestPage:
    def test_the_content_policy_is_the_designed_one(self, inside: Client, name: str) -> None:
        said = inside.get(reverse(name))["Content-Security-Policy"]

        assert {part.strip() for part in said.split(";")} == POLICY

    def test_nothing_may_embed_it_and_nothing_leaks_out(self, inside: Client, name: str) -> None:
        headers = inside.get(reverse(name)).headers

        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]

    def test_it_stays_in_no_cache(self, inside: Client, name: str) -> None:
        assert "no-store" in inside.get(reverse(name))["Cache-Control"]


@pytest.mark.parametrize("address", ["/no-such-page/", "/staff/people/"])
def test_an_error_page_has_the_same_policy(inside: Client, address: str) -> None:
    response = inside.get(address)

    assert response.status_code in (403, 404)
    assert {part.strip() for part in response["Content-Security-Policy"].split(";")} == POLICY
    assert "no-store" in response["Cache-Control"]


class TestAnOldToken:
    TYPED = {
        "name": "佐藤 次郎",
        "contact_note": "</textarea><script>平日の昼",
        "password": "ひみつ",
    }

    def send(self, **headers: str) -> Any:
        client = Client(enforce_csrf_checks=True)
        client.force_login(make.staff(Role.COUNSELLOR))
        return client.post(reverse("residents:register"), self.TYPED, headers=headers)

    def test_what_was_typed_is_kept_and_can_be_sent_again(self) -> None:
        response = self.send()

        text = response.content.decode()
        assert response.status_code == 403
        assert ">佐藤 次郎</textarea>" in text
        assert "&lt;/textarea&gt;&lt;script&gt;平日の昼" in text
        assert "csrfmiddlewaretoken" in text

    def test_a_password_is_never_written_back(self) -> None:
        assert "ひみつ" not in self.send().content.decode()

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Referer": "http://testserver.evil.example/"},
        ],
    )
    def test_what_another_site_prepared_is_not_offered(self, headers: dict[str, str]) -> None:
        response = self.send(**headers)

        assert response.status_code == 403
        assert "佐藤 次郎" not in response.content.decode()
