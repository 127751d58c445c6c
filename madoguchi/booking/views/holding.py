"""The browser's own hold: its token is kept in a cookie, so one browser keeps one place."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from madoguchi.booking import access, rules
from madoguchi.booking.forms import Place, chosen_place
from madoguchi.booking.models import Errand, Hold
from madoguchi.foundation.errors import RuleBroken

COOKIE = "madoguchi_hold"


def token(request: HttpRequest) -> str:
    return request.COOKIES.get(COOKIE, "")


def held(request: HttpRequest, errand: Errand, place: Place, *, at: datetime) -> Hold | None:
    """Return the browser's hold if it is for this very place."""
    found = access.own_hold(token(request), at=at)
    if found is None or not found.is_for(errand) or found.counter.site != place["site"]:
        return None
    return found if found.start == place["start"] else None


def take(
    request: HttpRequest,
    hold: Callable[[Place], Hold],
    *,
    errand: Errand,
    choose: str,
    form: str,
) -> HttpResponse:
    """
    Hold the place that was pressed and lead to the form; refused: back to the times of its day.

    `choose` and `form` are the URL names of the page with the times and of the form.
    """
    place, code = chosen_place(request.POST), errand.main.code
    if place is None:
        return redirect(choose, code)
    start = place["start"].astimezone(rules.JST)
    try:
        made = hold(place)
    except RuleBroken as reason:
        messages.error(request, str(reason))
        day = urlencode({"site": place["site"].code, "on": start.date().isoformat()})
        return redirect(f"{reverse(choose, args=[code])}?{day}{errand.asked}")
    asked = urlencode({"site": place["site"].code, "start": f"{start:%Y-%m-%dT%H:%M}"})
    answer = redirect(f"{reverse(form, args=[code])}?{asked}{errand.asked}")
    answer.set_cookie(
        COOKIE,
        made.token,
        max_age=rules.HOLD,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return answer
