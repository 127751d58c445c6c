from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from madoguchi.foundation.errors import RuleBroken
from madoguchi.intake import access, actions
from madoguchi.intake.forms import MessageForm, TakeUpForm
from madoguchi.intake.views.files import file_response
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb

PER_PAGE = 50
FORM_PAGE = "intake/form.html"


@require_GET
@requires(Verb.READ_CASES)
def submissions(request: StaffRequest) -> HttpResponse:
    """Show what came in on the web: what waits for somebody first, then the newest."""
    waiting = request.GET.get("show") != "all"
    rows = access.visible_submissions(request.user)
    if waiting:
        rows = access.waiting(rows).order_by("received_at", "pk")
    else:
        rows = rows.order_by("-received_at", "-pk")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    is_partial = request.htmx  # type: ignore[attr-defined]
    return render(
        request,
        "intake/_submissions.html" if is_partial else "intake/submissions.html",
        {"page": page, "is_waiting": waiting},
    )


@require_GET
@requires(Verb.READ_CASES)
def submission(request: StaffRequest, number: str) -> HttpResponse:
    """Show what was written and answered."""
    found = access.submission_to_read(request.user, number, at=timezone.now())
    context = {
        "submission": found,
        "may_take_up": access.may_take_up(request.user, found),
        "may_answer": access.may_answer(request.user, found),
    }
    return render(request, "intake/submission.html", context)


@require_GET
@requires(Verb.READ_CASES)
def file(request: StaffRequest, number: str, attachment_id: int) -> HttpResponse:
    """Give what came with a message; the trail keeps who took it."""
    found = access.submission_to_read(request.user, number, at=timezone.now())
    return file_response(access.attachment_of(found, attachment_id))


@require_http_methods(["GET", "POST"])
@requires(Verb.RECEIVE_CASES)
def take_up(request: StaffRequest, number: str) -> HttpResponse:
    """Make a case of it."""
    found = access.submission_to_take_up(request.user, number)
    if found.case is not None:
        return redirect("casework:case", found.case.number)
    start = {
        "title": found.first_line,
        "kind": found.kind,
        "category": found.category_id,
        "owner": request.user.division_id,
    }
    form = TakeUpForm(request.POST if request.method == "POST" else None, initial=start)
    if form.is_valid():
        case = actions.take_up(
            submission=found,
            kind=form.cleaned_data["kind"],
            category=form.cleaned_data["category"],
            title=form.cleaned_data["title"],
            owner=form.cleaned_data["owner"],
            by=request.user,
            at=timezone.now(),
        )
        messages.success(request, f"{case.number}として受理しました。")
        return redirect("intake:submission", found.number)
    access.note_reading(request.user, found, at=timezone.now())
    context = {
        "submission": found,
        "form": form,
        "title": "案件として受理する",
        "button": "受理する",
    }
    return render(request, FORM_PAGE, context)


@require_http_methods(["GET", "POST"])
@requires(Verb.WRITE_CASES)
def reply(request: StaffRequest, number: str) -> HttpResponse:
    """Answer on the resident's own page."""
    found = access.submission_to_answer(request.user, number)
    form = MessageForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            actions.reply(
                submission=found,
                text=form.cleaned_data["text"],
                key=form.cleaned_data["key"],
                by=request.user,
                at=timezone.now(),
            )
            messages.success(request, "返事を市民のページに載せました。")
            return redirect("intake:submission", found.number)
        except RuleBroken as broken:
            form.add_error(None, str(broken))
    access.note_reading(request.user, found, at=timezone.now())
    context = {"submission": found, "form": form, "title": "返事を書く", "button": "返事を載せる"}
    return render(request, FORM_PAGE, context)
