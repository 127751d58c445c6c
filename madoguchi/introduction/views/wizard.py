"""From queueing to bookings: plan, try, prepare, approve, and go back if need be."""

import io
from pathlib import Path

import segno
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from madoguchi.booking.models import Service
from madoguchi.booking.rules import Stage
from madoguchi.foundation import paper, readings
from madoguchi.foundation.errors import RuleBroken
from madoguchi.introduction import access, actions, queries, rules
from madoguchi.introduction.forms import (
    GoBackForm,
    NoticeForm,
    ProposeForm,
    QuestionFormSet,
    ReasonForm,
    TrialForm,
)
from madoguchi.offices.models import City
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb

require_get_or_post = require_http_methods(["GET", "HEAD", "POST"])
NOTICE = Path(__file__).resolve().parent.parent / "typst" / "notice.typ"
SIZES = {"a4": "A4掲示", "a5": "A5チラシ", "slip": "同封の案内（A4に8枚）"}


@requires(Verb.EDIT_SERVICES)
@require_safe
def introductions(request: StaffRequest) -> HttpResponse:
    """How far each service is on the way from queueing to bookings."""
    found = queries.standings(access.services_of(request.user))
    return render(request, "introduction/introductions.html", {"standings": found})


@requires(Verb.EDIT_SERVICES)
@require_safe
def introduction(request: StaffRequest, code: str) -> HttpResponse:
    service = access.service_of(request.user, code)
    today = timezone.localdate()
    standing = queries.standing(service)
    context = {
        "service": service,
        "standing": standing,
        "steps": [task.words for task in standing.tasks],
        "may_go": [
            change.pk
            for change in standing.open_changes
            if change.waits_for_go
            and request.user.may(Verb.APPROVE_STAGES)
            and change.proposed_by_id != request.user.pk
        ],
        "late": [
            change.pk
            for change in standing.open_changes
            if rules.is_short_notice(change.on, today=today)
        ],
        "later": rules.later_stages(Stage(service.stage)),
        "earlier": rules.earlier_stages(Stage(service.stage)),
        "questions": queries.questions(service),
    }
    return render(request, "introduction/introduction.html", context)


@requires(Verb.EDIT_SERVICES)
@require_get_or_post
def propose(request: StaffRequest, code: str) -> HttpResponse:
    service = access.service_of(request.user, code)
    form = ProposeForm(request.POST or None, now=Stage(service.stage))
    if form.is_valid():
        try:
            actions.propose(
                service=service, by=request.user, at=timezone.now(), **form.cleaned_data
            )
        except rules.PlanNotPossible as reason:
            form.add_error(reason.field, str(reason))
        else:
            messages.success(request, "計画しました。ほかの人の承認（GO）が要ります。")
            return redirect("introduction:introduction", code)
    return render(request, "introduction/propose.html", {"service": service, "form": form})


@requires(Verb.APPROVE_STAGES)
@require_POST
def approve(request: StaffRequest, pk: int) -> HttpResponse:
    change = access.change_of(request.user, pk)
    try:
        actions.approve(change=change, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, "承認しました。切り替える日の朝に、段階が変わります。")
    return redirect("introduction:introduction", change.service.code)


@requires(Verb.EDIT_SERVICES)
@require_get_or_post
def stop(request: StaffRequest, pk: int) -> HttpResponse:
    change = access.change_of(request.user, pk)
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        try:
            actions.stop(change=change, by=request.user, at=timezone.now(), **form.cleaned_data)
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, "切り替えを中止しました。")
            return redirect("introduction:introduction", change.service.code)
    return render(request, "introduction/stop.html", {"change": change, "form": form})


@requires(Verb.EDIT_SERVICES)
@require_get_or_post
def go_back(request: StaffRequest, code: str) -> HttpResponse:
    service = access.service_of(request.user, code)
    form = GoBackForm(request.POST or None, now=Stage(service.stage))
    if form.is_valid():
        try:
            actions.go_back(
                service=service, by=request.user, at=timezone.now(), **form.cleaned_data
            )
        except rules.PlanNotPossible as reason:
            form.add_error(reason.field, str(reason))
        else:
            messages.success(request, "前の段階に戻しました。予約はすべて残っています。")
            return redirect("introduction:introduction", code)
    return render(request, "introduction/go_back.html", {"service": service, "form": form})


@requires(Verb.EDIT_SERVICES)
@require_get_or_post
def trial(request: StaffRequest, code: str) -> HttpResponse:
    """Last month once more under the new rule; POST keeps what was supposed."""
    service = access.service_of(request.user, code)
    supposed = queries.assumption_of(service)
    if supposed.site_id is None:
        return render(request, "introduction/trial.html", {"service": service})
    given = request.POST or (request.GET if "share_booking" in request.GET else None)
    form = TrialForm(given, instance=supposed, service=service)
    if form.is_valid() and request.method == "POST":
        actions.save_assumption(
            service=service, fields=form.cleaned_data, by=request.user, at=timezone.now()
        )
        messages.success(request, "この前提を保存しました。報告書にも同じ試算が載ります。")
        return redirect("introduction:trial", code)
    context: dict[str, object] = {"service": service, "form": form, "supposed": supposed}
    if form.is_valid() or not form.is_bound:
        found = queries.trial_of(service, supposed, today=timezone.localdate())
        context |= {"trial": found, "bars": queries.wait_bars(found)}
    return render(request, "introduction/trial.html", context)


@requires(Verb.EDIT_SERVICES)
@require_get_or_post
def save_questions(request: StaffRequest, code: str) -> HttpResponse:
    service = access.service_of(request.user, code)
    rows = queries.questions(service)
    formset = QuestionFormSet(
        request.POST or None,
        initial=[{"question": question, "answer": answer} for question, answer in rows],
    )
    if formset.is_valid():
        kept = [
            (fields["question"], fields["answer"])
            for fields in formset.cleaned_data
            if fields.get("question")
        ]
        actions.save_questions(service=service, rows=kept, by=request.user, at=timezone.now())
        messages.success(request, "想定問答を保存しました。")
        return redirect("introduction:introduction", code)
    context = {"service": service, "formset": formset}
    return render(request, "introduction/save_questions.html", context)


@requires(Verb.EDIT_SERVICES)
@require_get_or_post
def save_notice(request: StaffRequest, code: str) -> HttpResponse:
    service = access.service_of(request.user, code)
    words = queries.notice_words(service)
    form = NoticeForm(request.POST or None, initial=vars(words))
    if form.is_valid():
        actions.save_notice(
            service=service, fields=form.cleaned_data, by=request.user, at=timezone.now()
        )
        messages.success(request, "お知らせを保存しました。下のボタンから印刷できます。")
        return redirect("introduction:save_notice", code)
    context = {
        "service": service,
        "form": form,
        "sizes": SIZES,
        "is_kept": queries.has_notice(service),
        "previews": [
            _preview(words.title, words.body),
            _preview(words.easy_title, words.easy_body),
        ],
    }
    return render(request, "introduction/save_notice.html", context)


def _preview(title: str, body: str) -> dict[str, object]:
    return {
        "title": list(readings.runs(title)),
        "body": [list(readings.runs(line)) for line in body.splitlines()],
    }


@requires(Verb.EDIT_SERVICES)
@require_POST
def print_notice(request: StaffRequest, code: str, size: str) -> HttpResponse:
    """Give the notice as a PDF; `words=easy` is the やさしい日本語 version."""
    service = access.service_of(request.user, code)
    if size not in SIZES:
        raise Http404
    is_easy = request.POST.get("words") == "easy"
    try:
        content = paper.pdf(NOTICE, _notice(service, size=size, is_easy=is_easy))
    except paper.NotPrintable as reason:
        messages.error(request, str(reason))
        return redirect("introduction:save_notice", code)
    actions.note_print(service=service, by=request.user, at=timezone.now())
    easy = "（やさしい日本語）" if is_easy else ""
    return paper.pdf_response(filename=f"予約のお知らせ{easy} {service}.pdf", content=content)


def _notice(service: Service, *, size: str, is_easy: bool) -> dict[str, object]:
    words = queries.notice_words(service)
    title = words.easy_title if is_easy else words.title
    body = words.easy_body if is_easy else words.body
    city = City.objects.first()
    address = f"{settings.SITE_URL}{reverse('booking:service', args=[service.code])}"
    return {
        **_preview(title, body),
        "size": size,
        "heading": readings.plain(title),
        "city": city.name if city else "",
        "division": service.division.name,
        "phone": service.division.phone,
        "address": address,
        "qr": _qr(address),
    }


def _qr(address: str) -> str:
    image = io.BytesIO()
    segno.make(address, error="m").save(image, kind="svg", border=2, xmldecl=False, nl=False)
    return image.getvalue().decode()
