import json
import logging
import re

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

import madoguchi

log = logging.getLogger("madoguchi.security")

REPORT_BYTES = 20_000
_DIRECTIVE = re.compile(r"[a-z-]{1,40}")
KEPT_BYTES = 200_000
_NEVER_SHOWN = ("csrfmiddlewaretoken", "password", "code")


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Tell a monitor that the pages and the database answer: 200, or 503 without database."""
    about = {"version": madoguchi.__version__, "database": connection.vendor}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "no_database"} | about, status=503)
    return JsonResponse({"status": "ok"} | about)


@csrf_exempt
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """Note that a browser refused something, by the directive alone: addresses may hold tokens."""
    try:
        report = json.loads(request.read(REPORT_BYTES)).get("csp-report", {})
        directive = str(report.get("effective-directive") or report.get("violated-directive", ""))
    except (ValueError, AttributeError):
        return HttpResponse(status=400)
    found = _DIRECTIVE.match(directive)
    log.warning("content policy: %s", found.group() if found else "?")
    return HttpResponse(status=204)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """
    Show what was typed, to be sent once more with a fresh token; 403.

    Only when the form came from our own page (the token was old or the cookie gone): what
    another site prepared is not offered for sending.
    """
    fields: list[tuple[str, str]] = []
    is_ours = request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")
    origin = request.headers.get("Origin") or request.headers.get("Referer") or ""
    if origin and not (origin + "/").startswith(f"{request.scheme}://{request.get_host()}/"):
        is_ours = False
    if is_ours and not request.FILES:
        fields = [
            (name, value)
            for name, values in request.POST.lists()
            for value in values
            if not any(secret in name for secret in _NEVER_SHOWN) and isinstance(value, str)
        ]
        if sum(len(value) for _, value in fields) > KEPT_BYTES:
            fields = []
    return render(request, "403_csrf.html", {"fields": fields}, status=403)
