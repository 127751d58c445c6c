from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from madoguchi.foundation import limits
from madoguchi.intake import access, actions, rules
from madoguchi.intake.forms import MoreForm, OpenPageForm, SubmitForm
from madoguchi.intake.models import Submission
from madoguchi.intake.views.files import file_response

SUBMIT, OPEN, PAGE = "intake/submit.html", "intake/open_page.html", "intake/page.html"
WRONG = "番号か合言葉が違います。控えをもう一度確かめてください。"


@require_http_methods(["GET", "POST"])
def submit(request: HttpRequest) -> HttpResponse:
    """Take what a resident writes; no account, no name, no script."""
    form = SubmitForm(*(request.POST, request.FILES) if request.method == "POST" else ())
    if not form.is_valid():
        return render(request, SUBMIT, {"form": form})
    now = timezone.now()
    try:
        limits.spend(access.SUBMISSIONS, request, at=now)
    except limits.TooMany as refused:
        return _refuse(request, SUBMIT, form, refused)
    cleaned = form.cleaned_data
    submission = actions.submit(
        kind=cleaned["kind"],
        category=form.category_chosen(),
        text=cleaned["text"],
        name=cleaned["name"],
        phone=cleaned["phone"],
        email=cleaned["email"],
        wants_reply=cleaned["wants_reply"],
        key=cleaned["key"],
        files=cleaned["papers"],
        at=now,
    )
    response = redirect("intake:received")
    _remember(response, submission, access.RECEIPT)
    return response


@require_GET
def received(request: HttpRequest) -> HttpResponse:
    """Show number and code, for five minutes and to this browser alone."""
    submission = access.remembered(request, access.RECEIPT)
    if submission is None:
        return redirect("intake:open_page")
    code = rules.make_code(key=str(submission.key), secret=settings.SECRET_KEY)
    context = {"submission": submission, "code": rules.show_code(code)}
    return render(request, "intake/received.html", context)


@require_http_methods(["GET", "POST"])
def open_page(request: HttpRequest) -> HttpResponse:
    """Open the resident's own page by number and code, for half an hour and this browser."""
    form = OpenPageForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, OPEN, {"form": form})
    now, number = timezone.now(), form.cleaned_data["number"]
    try:
        limits.spend(access.CODES, request, at=now)
        limits.spend_as(access.CODES_OF_ONE, rules.read(number), at=now)
    except limits.TooMany as refused:
        return _refuse(request, OPEN, form, refused)
    found = access.submission_by_code(number, form.cleaned_data["code"])
    if found is None:
        form.add_error(None, WRONG)
        return render(request, OPEN, {"form": form})
    response = redirect("intake:page")
    _remember(response, found, access.PAGE)
    return response


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """Show where the matter stands, and what was answered."""
    submission = access.remembered(request, access.PAGE)
    if submission is None:
        return redirect("intake:open_page")
    return render(request, PAGE, {"form": MoreForm(), "submission": submission})


@require_POST
def write_again(request: HttpRequest) -> HttpResponse:
    """Take what the resident adds."""
    submission = access.remembered(request, access.PAGE)
    if submission is None:
        return redirect("intake:open_page")
    form = MoreForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, PAGE, {"form": form, "submission": submission})
    now = timezone.now()
    try:
        limits.spend(access.MESSAGES, request, at=now)
    except limits.TooMany as refused:
        return _refuse(request, PAGE, form, refused, submission=submission)
    actions.write_again(
        submission=submission,
        text=form.cleaned_data["text"],
        key=form.cleaned_data["key"],
        files=form.cleaned_data["papers"],
        at=now,
    )
    return redirect("intake:page")


@require_GET
def own_file(request: HttpRequest, attachment_id: int) -> HttpResponse:
    """Give back what the resident sent."""
    submission = access.remembered(request, access.PAGE)
    if submission is None:
        return redirect("intake:open_page")
    return file_response(access.attachment_of(submission, attachment_id))


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """画面を消す: close the page for this browser, and go where anybody might be."""
    response = redirect("publicsite:home")
    for memory in (access.RECEIPT, access.PAGE):
        response.delete_cookie(memory.cookie, path=reverse("intake:page"), samesite="Strict")
    return response


def _remember(response: HttpResponse, submission: Submission, memory: access.Memory) -> None:
    response.set_signed_cookie(
        memory.cookie,
        str(submission.pk),
        salt=memory.cookie,
        max_age=memory.span,
        path=reverse("intake:page"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def _refuse(
    request: HttpRequest,
    template: str,
    form: SubmitForm | OpenPageForm | MoreForm,
    refused: limits.TooMany,
    **context: object,
) -> HttpResponse:
    form.add_error(None, refused.words)
    answer = render(request, template, {"form": form} | context, status=429)
    answer["Retry-After"] = str(refused.wait)
    return answer
