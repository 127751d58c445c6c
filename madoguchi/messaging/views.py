from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from madoguchi.foundation.errors import RuleBroken
from madoguchi.messaging import access, actions, queries, rules
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb

SHOWN = 50


@requires(Verb.READ_OPERATIONS)
@require_GET
def operations(request: StaffRequest) -> HttpResponse:
    """How the out-tray stands, and what did not leave: no contents, no addresses."""
    now = timezone.now()
    return render(
        request,
        "messaging/operations.html",
        {
            "tray": queries.out_tray(at=now),
            "page": Paginator(queries.not_sent(), SHOWN).get_page(request.GET.get("page")),
            "alarm_minutes": int(rules.ALARM_AFTER.total_seconds()) // 60,
            "kept_days": rules.KEPT.days,
        },
    )


@requires(Verb.READ_OPERATIONS)
@require_POST
def retry(request: StaffRequest, pk: int) -> HttpResponse:
    message = access.message_to_retry(pk)
    try:
        actions.retry(message=message, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, "もう一度送ります。1分ほどして結果を確かめてください。")
    return redirect("messaging:operations")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """
    The page behind a one-time link. A button opens it, not the link alone.

    LINE and others look at every link beforehand to draw a preview, and would use it up.
    """
    if request.method != "POST":
        return render(request, "messaging/open_link.html", {"is_over": False})
    page = actions.use_link(token=token, at=timezone.now())
    if page is None:
        return render(request, "messaging/open_link.html", {"is_over": True}, status=410)
    return redirect(page)
