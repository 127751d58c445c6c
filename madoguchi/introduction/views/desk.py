"""One press at reception: somebody was sent home, or complained about the change."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST

from madoguchi.foundation.errors import RuleBroken
from madoguchi.introduction import access, actions, rules
from madoguchi.introduction.forms import EventForm
from madoguchi.offices.models import Site
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb


@requires(Verb.RECEIVE_VISITS)
@require_POST
def note_event(request: StaffRequest, code: str, kind: str) -> HttpResponse:
    site = get_object_or_404(Site, code=code)
    if kind not in set(rules.Event):
        raise Http404
    event = rules.Event(kind)
    form = EventForm(request.POST, site=site)
    if not form.is_valid():
        messages.error(request, "先に、手続き・相談を選んでください。")
    else:
        noted = actions.note_event(
            site=site, kind=event, by=request.user, at=timezone.now(), **form.cleaned_data
        )
        messages.success(
            request,
            format_html(
                "「{}」を1件、数えました。<a href='{}'>まちがえたとき</a>",
                rules.EVENT_LABELS[event],
                reverse("introduction:take_back_event", args=[code, noted.pk]),
            ),
        )
    return redirect("reception:reception", code)


@requires(Verb.RECEIVE_VISITS)
@require_http_methods(["GET", "HEAD", "POST"])
def take_back_event(request: StaffRequest, code: str, pk: int) -> HttpResponse:
    site = get_object_or_404(Site, code=code)
    event = access.event_to_take_back(request.user, pk, site=site)
    if request.method != "POST":
        context = {"site": site, "event": event}
        return render(request, "introduction/take_back_event.html", context)
    try:
        actions.take_back_event(event=event, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, "記録を取り消しました。")
    return redirect("reception:reception", code)
