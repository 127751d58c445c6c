import logging

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.test import Client, RequestFactory
from django.urls import path

from madoguchi.ui.middleware import error_pages

SECRET = "山田太郎"


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError(SECRET)


def forbidden(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def suspicious(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation


def busy(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=503)


def only_post(request: HttpRequest) -> HttpResponse:
    return HttpResponseNotAllowed(["POST"])


urlpatterns = [
    path("broken/", broken),
    path("staff/forbidden/", forbidden),
    path("suspicious/", suspicious),
    path("busy/", busy),
    path("only-post/", only_post),
    path("api/only-post/", only_post),
]
handler400 = "madoguchi.ui.views.bad_request"
handler403 = "madoguchi.ui.views.permission_denied"
handler404 = "madoguchi.ui.views.page_not_found"
handler500 = "madoguchi.ui.views.server_error"

pytestmark = pytest.mark.urls(__name__)  # no database mark: these pages must not need one


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/nowhere/", 404, "ページが見つかりません"),
        ("/staff/forbidden/", 403, "この画面は開けません"),
        ("/suspicious/", 400, "送られた内容を読み取れませんでした"),
        ("/busy/", 503, "ただいま利用できません"),
        ("/only-post/", 405, "この操作はできません"),
    ],
)
def test_an_error_page_says_what_happened_and_what_to_do(
    client: Client, address: str, status: int, words: str
) -> None:
    response = client.get(address)

    assert response.status_code == status
    html = response.content.decode()
    assert f"<h1>{words}</h1>" in html
    assert html.count("<li>") >= 1
    assert f"<title>{words}｜窓口</title>" in html


def test_the_way_out_of_a_staff_page_is_the_staff_desk(client: Client) -> None:
    assert 'href="/staff/">今日の机へ' in client.get("/staff/forbidden/").content.decode()
    assert 'href="/">はじめのページへ' in client.get("/nowhere/").content.decode()


def test_a_bug_shows_the_number_under_which_the_log_has_it(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.raise_request_exception = False

    with caplog.at_level(logging.ERROR, "madoguchi.ui.views"):
        response = client.get("/broken/")

    (record,) = [record for record in caplog.records if record.name == "madoguchi.ui.views"]
    number = record.getMessage().removeprefix("エラー番号 ")
    assert len(number) == 8
    assert number in response.content.decode()
    assert SECRET not in response.content.decode()


def test_the_api_keeps_its_own_words(client: Client) -> None:
    assert client.get("/api/only-post/").content == b""


def test_an_answer_with_words_of_its_own_keeps_them(rf: RequestFactory) -> None:
    own = JsonResponse({"code": "too_many"}, status=429)

    assert error_pages(lambda request: own)(rf.get("/")) is own
    assert b"too_many" in own.content
