"""How log records are written: where and what kind, never whose."""

import logging
import traceback
from types import TracebackType

from django.http import HttpRequest

from madoguchi.foundation.middleware import route


class RouteInsteadOfPath(logging.Filter):
    """
    Rewrites what Django logs about a request (``Not Found: /bookings/…``).

    The address may hold a token or a name; the route and the request's number do not.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if isinstance(request, HttpRequest):
            status = getattr(record, "status_code", "")
            record.msg = f"{status} {request.method} /{route(request)} {_number(request)}"
            record.args = ()
        return True


def _number(request: HttpRequest) -> str:
    return str(getattr(request, "number", ""))


class WithoutMessages(logging.Formatter):
    """
    Writes tracebacks as places and kinds of errors, without the errors' texts.

    A database quotes the row it refuses ("Key (name)=(山田太郎) already exists"), a parser the
    line it could not read: those are the words of residents.
    """

    def formatException(  # noqa: N802 (logging's name)
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        lines = []
        error = ei[1]
        while error is not None:
            frames = traceback.extract_tb(error.__traceback__)
            places = [f'  File "{f.filename}", line {f.lineno}, in {f.name}' for f in frames]
            kind = type(error)
            lines += [*places, f"{kind.__module__}.{kind.__qualname__}"]
            error = error.__cause__ or error.__context__
        return "\n".join(lines)
