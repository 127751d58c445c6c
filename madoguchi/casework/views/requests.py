from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from madoguchi.casework import access, actions, queries
from madoguchi.casework.forms import AcceptForm, ReasonForm, ReturnRecordForm
from madoguchi.casework.models import Handover
from madoguchi.foundation.errors import RuleBroken
from madoguchi.staff import actions as staff
from madoguchi.staff import queries as staff_queries
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb

PER_PAGE = 50


@require_GET
@requires(Verb.ANSWER_REQUESTS)
def requests(request: StaffRequest) -> HttpResponse:
    """Show what the division is asked to do; a new request appears without reloading."""
    now = timezone.now()
    rows = list(queries.requests_waiting(access.requests_asked(request.user)))
    if rows:
        access.note_list("case.list", request.user, (row.case_id for row in rows), at=now)
    context = {"rows": rows, "today": timezone.localdate(now), "now": timezone.localtime(now)}
    is_partial = request.htmx  # type: ignore[attr-defined]
    return render(
        request, "casework/_requests.html" if is_partial else "casework/requests.html", context
    )


@require_GET
@requires(Verb.ANSWER_REQUESTS, Verb.ASK_DIVISIONS)
def overdue(request: StaffRequest) -> HttpResponse:
    """Show the records that are late: to the division that owes them and to the centre."""
    today = timezone.localdate()
    found = access.overdue_handovers(request.user, on=today)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    if page.object_list:
        ids = (row.case_id for row in page)
        access.note_list("case.list", request.user, ids, at=timezone.now())
    return render(request, "casework/overdue.html", {"page": page, "today": today})


@require_GET
@requires(Verb.ANSWER_REQUESTS, Verb.ASK_DIVISIONS)
def handover(request: StaffRequest, handover_id: int) -> HttpResponse:
    """Show one request with the counsellor's explanation, and what can be answered."""
    now = timezone.now()
    found = access.handover_to_read(request.user, handover_id, at=now)
    context = _context(request, found) | {"accept_form": AcceptForm()}
    is_partial = request.htmx  # type: ignore[attr-defined]
    return render(
        request, "casework/_handover.html" if is_partial else "casework/handover.html", context
    )


def _context(request: StaffRequest, found: Handover) -> dict[str, object]:
    return {
        "handover": found,
        "case": found.case,
        "today": timezone.localdate(),
        "helps": queries.accommodations_of(found.case),
        "may_answer": access.may_answer(request.user, found) and not found.case.is_closed,
        "may_withdraw": access.may_withdraw(request.user, found),
        "may_read_case": access.visible_cases(request.user).filter(pk=found.case_id).exists(),
    }


@require_POST
@requires(Verb.ANSWER_REQUESTS, Verb.ASK_DIVISIONS)
def accept(request: StaffRequest, handover_id: int) -> HttpResponse:
    """Promise to come in some minutes or at a time, or to take the matter on."""
    now = timezone.now()
    found = access.handover_to_answer(request.user, handover_id)
    form = AcceptForm(request.POST, kind=found.kind)
    if form.is_valid():
        try:
            actions.accept(
                handover=found, expected_at=form.expected_at(now=now), by=request.user, at=now
            )
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, "承諾を伝えました。")
            return redirect("casework:handover", handover_id)
    context = _context(request, found) | {"accept_form": form}
    return _show(request, found, "casework/handover.html", context)


def _show(
    request: StaffRequest, found: Handover, template: str, context: dict[str, object]
) -> HttpResponse:
    """Draw a page with the request on it, which is a reading: opened, or sent back."""
    now = timezone.now()
    access.note_reading(request.user, found.case, at=now, handover=found.pk)
    return render(request, template, context)


@require_http_methods(["GET", "POST"])
@requires(Verb.ANSWER_REQUESTS, Verb.ASK_DIVISIONS)
def decline(request: StaffRequest, handover_id: int) -> HttpResponse:
    """Say that the division cannot come or is not in charge, and why."""
    now = timezone.now()
    found = access.handover_to_answer(request.user, handover_id)
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        try:
            actions.decline(handover=found, by=request.user, at=now, **form.cleaned_data)
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, "辞退を、理由とともに伝えました。")
            return redirect("casework:requests")
    return _form_page(
        request,
        found,
        form,
        title="依頼を辞退",
        button="辞退する",
        lead="担当する部署が分かるときは、理由に書いてください。",
    )


@require_http_methods(["GET", "POST"])
@requires(Verb.ASK_DIVISIONS)
def withdraw(request: StaffRequest, handover_id: int) -> HttpResponse:
    """Take the request back, and say why."""
    now = timezone.now()
    found = access.handover_to_withdraw(request.user, handover_id)
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        try:
            actions.withdraw(handover=found, by=request.user, at=now, **form.cleaned_data)
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, "依頼を取り下げました。")
            return redirect("casework:case", found.case.number)
    return _form_page(request, found, form, title="依頼の取り下げ", button="取り下げる")


@require_POST
@requires(Verb.ANSWER_REQUESTS, Verb.ASK_DIVISIONS)
def arrive(request: StaffRequest, handover_id: int) -> HttpResponse:
    """The officer is in the room."""
    found = access.handover_to_answer(request.user, handover_id)
    try:
        actions.arrive(handover=found, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, "到着を記録しました。終わったら、対応記録を返してください。")
    return redirect("casework:handover", handover_id)


@require_http_methods(["GET", "POST"])
@requires(Verb.ANSWER_REQUESTS, Verb.ASK_DIVISIONS)
def return_record(request: StaffRequest, handover_id: int) -> HttpResponse:
    """Write the division's record and bring it back to the centre."""
    now, draft = timezone.now(), f"handover.{handover_id}.record"
    found = access.handover_to_answer(request.user, handover_id)
    saved = {}
    if request.method == "GET":
        saved = staff_queries.draft_fields(user=request.user, form=draft)
    form = ReturnRecordForm(request.POST or None, initial=saved)
    if form.is_valid():
        try:
            with transaction.atomic():
                actions.return_record(handover=found, by=request.user, at=now, **form.cleaned_data)
                staff.discard_draft(user=request.user, form=draft)
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, "対応記録を返しました。")
            return redirect("casework:handover", handover_id)
    context = _context(request, found) | {"form": form, "draft": draft}
    return _show(request, found, "casework/return_record.html", context)


def _form_page(
    request: StaffRequest,
    found: Handover,
    form: ReasonForm,
    *,
    title: str,
    button: str,
    lead: str = "",
) -> HttpResponse:
    context = {
        "case": found.case,
        "form": form,
        "title": f"{title}（{found.to.name}）",
        "button": button,
        "lead": lead,
        "back": reverse("casework:handover", args=[found.pk]),
    }
    return _show(request, found, "casework/form.html", context)
