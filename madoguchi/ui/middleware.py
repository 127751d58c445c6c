"""Static files in one piece, the citizen's language, and a page for an empty error answer."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.decorators import sync_and_async_middleware
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from madoguchi.ui.views import EXPLANATIONS, explain

Answer = Callable[[HttpRequest], HttpResponseBase]
AwaitedAnswer = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def public_language(get_response: Answer | AwaitedAnswer) -> Answer | AwaitedAnswer:
    """Speak the language that was chosen on a citizen's page; to staff and programs Japanese."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            translation.activate(_language(request))
            response: HttpResponseBase = await get_response(request)
            return response

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        translation.activate(_language(request))
        response = get_response(request)
        assert isinstance(response, HttpResponseBase)  # noqa: S101 (for the type checker)
        return response

    return answer


def _language(request: HttpRequest) -> str:
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    is_public = not request.path.startswith(("/staff/", "/api/"))
    return chosen if is_public and chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


@sync_and_async_middleware
def error_pages(get_response: Answer | AwaitedAnswer) -> Answer | AwaitedAnswer:
    """Put the explanation of its status into an empty error answer; leave the API alone."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            response: HttpResponseBase = await get_response(request)
            return _explained(request, response)

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        assert isinstance(response, HttpResponseBase)  # noqa: S101 (for the type checker)
        return _explained(request, response)

    return answer


def _explained(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    is_bare = isinstance(response, HttpResponse) and not response.content
    if is_bare and response.status_code in EXPLANATIONS and not request.path.startswith("/api/"):
        assert isinstance(response, HttpResponse)  # noqa: S101 (for the type checker)
        response.content = explain(request, response.status_code).encode()
        response.headers["Content-Type"] = "text/html; charset=utf-8"
        response.headers.pop("Content-Length", None)
    return response


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """
    WhiteNoise, with the file read whole in the thread that opened it.

    Its own answer streams by a synchronous iterator, which ASGI can only collect first, with a
    warning for each file. Ours are small: scripts, styles and the mark of the house.
    """

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        body = b""
        if found.file is not None:
            with found.file as file:
                body = file.read()
        response = HttpResponse(body, status=int(found.status))
        del response.headers["Content-Type"]
        for name, value in found.headers:
            response.headers[name] = value
        return response
