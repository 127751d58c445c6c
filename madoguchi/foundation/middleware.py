"""What happens around every request: a line in the log, and headers that keep others out."""

import logging
import secrets
import time
from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

log = logging.getLogger("madoguchi.access")

Answer = Callable[[HttpRequest], HttpResponseBase]
AwaitedAnswer = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def access_log(get_response: Answer | AwaitedAnswer) -> Answer | AwaitedAnswer:
    """
    Log method, route, status and milliseconds, and give the request its number.

    The route is the pattern of the site map (``bookings/<str:token>/``), never the address:
    that may hold a token or the words of a search. ``request.number`` is what an error page
    shows, so that the log line of a bug is found again.
    """
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            began = _begin(request)
            response: HttpResponseBase = await get_response(request)
            _write(request, response, began)
            return response

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        began = _begin(request)
        response = get_response(request)
        assert isinstance(response, HttpResponseBase)  # noqa: S101 (for the type checker)
        _write(request, response, began)
        return response

    return answer


def _begin(request: HttpRequest) -> float:
    request.number = secrets.token_hex(4)  # type: ignore[attr-defined]
    return time.perf_counter()


def _write(request: HttpRequest, response: HttpResponseBase, began: float) -> None:
    if request.resolver_match is None and response.status_code < 400:
        return  # a static file
    log.info(
        "%s /%s %d %.0fms %s",
        request.method,
        route(request),
        response.status_code,
        (time.perf_counter() - began) * 1000,
        request.number,  # type: ignore[attr-defined]
    )


def route(request: HttpRequest) -> str:
    """Return the pattern that matched, or ? for an address that does not exist."""
    return request.resolver_match.route if request.resolver_match else "?"


HEADERS = {
    # No other site may embed, open or read what we answer; SecurityMiddleware adds COOP and
    # Referrer-Policy, XFrameOptionsMiddleware and the content policy keep us out of frames.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        f"{feature}=()"
        for feature in ("camera", "microphone", "geolocation", "payment", "usb", "display-capture")
    ),
    # Nothing stays in the browser's cache: after log out "back" shows nothing.
    "Cache-Control": "no-store",
}


@sync_and_async_middleware
def safe_headers(get_response: Answer | AwaitedAnswer) -> Answer | AwaitedAnswer:
    """Add the headers that a view has not chosen itself."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            return _with_headers(await get_response(request))

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        assert isinstance(response, HttpResponseBase)  # noqa: S101 (for the type checker)
        return _with_headers(response)

    return answer


def _with_headers(response: HttpResponseBase) -> HttpResponseBase:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
