"""The door to every staff page: signed in, second factor shown, and the verb held."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode, urlsplit

from django.contrib.auth import logout as log_out
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, resolve_url
from django.urls import reverse
from django.utils import timezone

from madoguchi.staff.models import User
from madoguchi.staff.rules import Verb

P = ParamSpec("P")
METHODS = ("GET", "HEAD", "POST")  # what a page answers; the API keeps its own list


class StaffRequest(HttpRequest):
    user: User  # after `requires`, nobody else is here


def requires(
    *verbs: Verb,
    also_with_first_password: bool = False,
) -> Callable[
    [Callable[Concatenate[StaffRequest, P], HttpResponseBase]],
    Callable[Concatenate[HttpRequest, P], HttpResponseBase],
]:
    """
    Let in signed-in staff who hold one of the verbs (none named: all staff); 403 otherwise.

    Strangers are sent to the log in and come back; a screen that asked by script gets 401 and
    where to go. The second factor and the limits of the session were held by `StaffSession`
    before. Whoever still has the password an administrator gave chooses his own first.
    """

    def decorate(
        view: Callable[Concatenate[StaffRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: StaffRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return ask_to_log_in(request)
            if request.user.rights_ended(at=timezone.now()):
                log_out(request)
                request.session_ended = "moved"  # type: ignore[attr-defined]
                return ask_to_log_in(request)
            if request.user.must_change_password and not also_with_first_password:
                return redirect("staff:change_password")
            if verbs and not any(request.user.may(verb) for verb in verbs):
                raise PermissionDenied
            if request.method not in METHODS:
                return HttpResponseNotAllowed(METHODS)
            return view(request, *args, **kwargs)

        return guarded  # type: ignore[return-value]

    return decorate


def ask_to_log_in(request: HttpRequest) -> HttpResponse:
    """Send to the log in, and from there back to the page the person was working on."""
    asked_by_script = (
        "HX-Request" in request.headers
        or request.headers.get("Sec-Fetch-Mode") in ("cors", "same-origin")
        or request.headers.get("Accept", "").startswith(("application/json", "text/event-stream"))
    )
    page = request.get_full_path()
    if asked_by_script or request.method != "GET":
        # Not the partial or the POST target: the page on which it happened.
        page = _own_path(
            request, request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
        ) or ("" if asked_by_script else page)
    query = {"next": page or reverse("staffsite:today")}
    if ended := getattr(request, "session_ended", ""):
        query["ended"] = ended
    address = f"{resolve_url('staff:log_in')}?{urlencode(query)}"
    if asked_by_script:
        return JsonResponse(
            {"code": "signed_out", "url": address}, status=401, headers={"HX-Redirect": address}
        )
    return redirect(address)


def _own_path(request: HttpRequest, address: str) -> str:
    parts = urlsplit(address)
    if parts.netloc != request.get_host():
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def person_to_manage(pk: int) -> User:
    """Return the member of staff an administrator works on."""
    return get_object_or_404(User.objects.select_related("division"), pk=pk)
