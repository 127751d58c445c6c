"""
Error pages, which need no database, no session and no user: they are shown when those fail.
And the choice of a language, which needs none of them either.
"""

import logging
import sys
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

log = logging.getLogger(__name__)
YEAR = 365 * 24 * 3600


@dataclass(frozen=True)
class Explanation:
    """What happened and what to do next, in the words of the counter."""

    title: str
    text: str
    advice: tuple[str, ...]


EXPLANATIONS = {
    400: Explanation(
        "送られた内容を読み取れませんでした",
        "アドレスか入力の一部が欠けているか、こわれています。",
        (
            "前の画面に戻り、もう一度操作してください。",
            "アドレスを写したときは、最後まで写っているか確かめてください。",
        ),
    ),
    403: Explanation(
        "この画面は開けません",
        "この画面を見る、または変える権限がありません。",
        (
            "職員の方で仕事に必要なときは、所属長を通じてシステム管理者に相談してください。",
            "ログインし直すと開けることがあります。",
        ),
    ),
    404: Explanation(
        "ページが見つかりません",
        "アドレスがまちがっているか、ページがなくなっています。",
        ("アドレスを確かめてください。", "はじめのページから探してください。"),
    ),
    405: Explanation(
        "この操作はできません",
        "このアドレスは、この開き方では使えません。",
        ("前の画面に戻り、画面のボタンから操作してください。",),
    ),
    429: Explanation(
        "操作が続いたため、少しお待ちください",
        "短い時間にたくさんの操作がありました。サーバーを守るため、しばらく受け付けを止めています。",
        (
            "1分ほど待ってから、もう一度操作してください。",
            "お急ぎのときは、電話でお問い合わせください。",
        ),
    ),
    500: Explanation(
        "システムの不具合で、処理できませんでした",
        "ご不便をおかけして申し訳ありません。入力の途中だったときは、前の画面に戻ると残っていることがあります。",
        (
            "少し待ってから、もう一度操作してください。",
            "同じ画面が出るときは、下のエラー番号を担当者に伝えてください。",
        ),
    ),
    503: Explanation(
        "ただいま利用できません",
        "準備中か、混み合っています。",
        (
            "数分待ってから、もう一度開いてください。",
            "お急ぎのときは、電話でお問い合わせください。",
        ),
    ),
}


def explain(request: HttpRequest, status: int, *, number: str = "") -> str:
    """Return the page that explains an HTTP status; `number` is shown as エラー番号."""
    is_staff = request.path.startswith("/staff/")
    return render_to_string(
        "ui/error.html",
        {
            "explanation": EXPLANATIONS[status],
            "number": number,
            "home": "/staff/" if is_staff else "/",
            "home_label": "今日の机へ" if is_staff else "はじめのページへ",
        },
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(explain(request, 400), status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(explain(request, 403), status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(explain(request, 404), status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Show the number under which the log keeps the failure."""
    number = getattr(request, "number", "")
    log.error("エラー番号 %s", number, exc_info=sys.exc_info())
    return HttpResponse(explain(request, 500, number=number), status=500)


@csrf_exempt  # it changes what language one reads in, nothing else
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Keep the chosen language in a cookie, and go back to the page one was reading."""
    page = request.POST.get("next", "/")
    if not page.startswith("/") or not url_has_allowed_host_and_scheme(page, allowed_hosts=None):
        page = "/"
    answer = HttpResponseRedirect(page)
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES):
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=YEAR,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
    return answer
