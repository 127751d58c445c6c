"""The door to every staff page: signed in, second factor shown, and the verb held."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from madoguchi.staff.models import User
from madoguchi.staff.rules import Verb

P = ParamSpec("P")


class StaffRequest(HttpRequest):
    user: User  # after `requires`, nobody else is here


def requires(
    *verbs: Verb,
) -> Callable[
    [Callable[Concatenate[StaffRequest, P], HttpResponseBase]],
    Callable[Concatenate[HttpRequest, P], HttpResponseBase],
]:
    """Let in signed-in staff who hold one of the verbs (none named: all staff); 403 otherwise."""

    def decorate(
        view: Callable[Concatenate[StaffRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: StaffRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if verbs and not any(request.user.may(verb) for verb in verbs):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return login_required(guarded)  # type: ignore[return-value]

    return decorate
