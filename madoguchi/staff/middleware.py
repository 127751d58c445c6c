"""What makes a session count: not too old, not left alone, and a second factor shown."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware
from django_otp import DEVICE_ID_SESSION_KEY

from madoguchi.staff import rules

Answer = Callable[[HttpRequest], HttpResponseBase]
AwaitedAnswer = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


def second_factor_required() -> bool:
    """Everywhere but in the demo, whose passwords are printed on the screen."""
    return not settings.DEMO


@sync_and_async_middleware
def staff_session(get_response: Answer | AwaitedAnswer) -> Answer | AwaitedAnswer:
    """
    End sessions that are over; whoever had one is a stranger from this request on.

    `request.session_ended` then says why ("idle", "absolute"). It also ends a session of the
    demo that wanders into production: without a second factor nobody is signed in.
    """
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            await sync_to_async(_check)(request)
            response: HttpResponseBase = await get_response(request)
            return response

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        _check(request)
        response = get_response(request)
        assert isinstance(response, HttpResponseBase)  # noqa: S101 (for the type checker)
        return response

    return answer


def _check(request: HttpRequest) -> None:
    request.session_ended = ""  # type: ignore[attr-defined]
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return
    session = request.session
    if SESSION_KEY not in session:
        return
    now = timezone.now()
    began = datetime.fromisoformat(session.setdefault("began_at", now.isoformat()))
    seen = datetime.fromisoformat(session.setdefault("seen_at", now.isoformat()))
    ended = rules.session_end(began=began, seen=seen, now=now)
    if not ended and second_factor_required() and DEVICE_ID_SESSION_KEY not in session:
        ended = "absolute"
    if ended:
        session.flush()
        request.session_ended = ended  # type: ignore[attr-defined]
        request.user = AnonymousUser()
        request.auser = _nobody
    elif now - seen >= rules.SEEN_EVERY and not _by_itself(request):
        session["seen_at"] = now.isoformat()


def _by_itself(request: HttpRequest) -> bool:
    """Say whether the screen asked, not the person: a board that refreshes is nobody's work."""
    return request.method == "GET" and (
        "HX-Request" in request.headers or "text/event-stream" in request.headers.get("Accept", "")
    )


async def _nobody() -> AnonymousUser:
    return AnonymousUser()
