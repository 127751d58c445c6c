"""Answers without a body (405, 429, 503) become pages that say what to do next."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from madoguchi.ui.views import EXPLANATIONS, explain

Answer = Callable[[HttpRequest], HttpResponseBase]
AwaitedAnswer = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


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
