from functools import partial

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from madoguchi.casework import access as casework
from madoguchi.foundation import live as updates
from madoguchi.offices.models import City
from madoguchi.residents import access as residents
from madoguchi.staff import actions as staff_actions
from madoguchi.staff import queries as staff_queries
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb
from madoguchi.staffsite import access, queries
from madoguchi.staffsite.forms import SampleForm

SAMPLE_DRAFT = "components.sample"


@require_GET
@requires()
def today(request: StaffRequest) -> HttpResponse:
    """今日の机: what waits for whoever is signed in; it changes while it is open."""
    if request.user.may(Verb.EDIT_OFFICES) and not City.objects.exists():
        return redirect("offices:set_up")  # the first sign-in on an empty city
    now = timezone.now()
    desk = queries.today(request.user, at=now)
    if desk.case_ids:
        casework.note_list("case.list", request.user, desk.case_ids, at=now)
    context = {"desk": desk, "today": timezone.localdate(now), "now": timezone.localtime(now)}
    is_partial = request.htmx  # type: ignore[attr-defined]
    return render(
        request, "staffsite/_today.html" if is_partial else "staffsite/today.html", context
    )


@require_GET
@requires(Verb.READ_RESIDENTS)
def resident_history(request: StaffRequest, pk: int) -> HttpResponse:
    """Show what one person booked, came for and consulted about."""
    resident = residents.resident_to_read(request.user, pk, at=timezone.now())
    context = {
        "resident": resident,
        "history": queries.history(resident, request.user),
        "today": timezone.localdate(),
    }
    return render(request, "staffsite/resident_history.html", context)


@require_GET
@requires()
def live(request: StaffRequest) -> HttpResponseBase:
    """
    Follow topics as server-sent events; 403 unless every topic is the reader's to follow.

    The reader's own topic is always among them, so that the end of their employment, published
    there, ends the stream at once.
    """
    topics = {*request.GET.getlist("topic"), f"user.{request.user.pk}"}
    if not all(access.may_follow(request.user, topic) for topic in topics):
        raise PermissionDenied
    return updates.respond(
        topics=topics,
        last_seen=request.headers.get("Last-Event-ID", ""),
        may_stay=partial(
            access.may_stay,
            session_key=request.session.session_key or "",
            topics=topics,
        ),
    )


@require_safe
@requires()
def signed_in(request: StaffRequest) -> HttpResponse:
    """The page on which someone ends who signed in again beside an open form."""
    return render(request, "staffsite/signed_in.html")


@requires()
def components(request: StaffRequest) -> HttpResponse:
    """Show every component once, with a form that is kept as a draft."""
    draft = staff_queries.draft_fields(user=request.user, form=SAMPLE_DRAFT)
    form = SampleForm(request.POST or None, initial=draft)
    if form.is_valid():
        staff_actions.discard_draft(user=request.user, form=SAMPLE_DRAFT)
        messages.success(request, "見本の入力を確かめました。何も保存していません。")
        return redirect("staffsite:components")
    context = {
        "form": form,
        "draft": SAMPLE_DRAFT,
        "now": timezone.now(),
        "page": Paginator(range(1, 128), 50).page(2),
        "crumbs": [("今日の机", "/staff/"), ("部品の見本", "")],
        "steps": ["手続きを選ぶ", "日時を選ぶ", "お名前", "確かめる"],
        "seals": ["課長", "係長", "担当"],
    }
    return render(request, "staffsite/components.html", context)
