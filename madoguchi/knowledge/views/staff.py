from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from madoguchi.foundation.errors import RuleBroken
from madoguchi.knowledge import access, actions, queries
from madoguchi.knowledge.forms import FaqForm, FilterForm, SendBackForm
from madoguchi.knowledge.models import Faq
from madoguchi.staff import actions as staff
from madoguchi.staff import queries as staff_queries
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb

SHOWN = 50


@require_safe
@requires(Verb.WRITE_FAQ, Verb.APPROVE_FAQ)
def faqs(request: StaffRequest) -> HttpResponse:
    """The FAQs one may know of, by state, category and division."""
    visible = access.visible_faqs(request.user)
    form = FilterForm(request.GET or None, categories=queries.categories_of(visible))
    chosen = form.cleaned_data if form.is_valid() else {}
    today = timezone.localdate()
    rows = queries.filtered(visible, on=today, **chosen)
    return render(
        request,
        "knowledge/faqs.html",
        {
            "form": form,
            "page": Paginator(rows, SHOWN).get_page(request.GET.get("page")),
            "today": today,
            "to_approve": visible.to_approve().count(),
        },
    )


@requires(Verb.WRITE_FAQ)
def draft(request: StaffRequest) -> HttpResponse:
    typed = "faq.new"
    saved = staff_queries.draft_fields(user=request.user, form=typed)
    start = {"division": request.user.division_id}
    form = FaqForm(request.POST or None, initial=start | saved)
    if form.is_valid():
        try:
            with transaction.atomic():
                faq = actions.draft(by=request.user, at=timezone.now(), **form.cleaned_data)
                staff.discard_draft(user=request.user, form=typed)
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, "下書きを保存しました。承認を依頼すると、承認者に届きます。")
            return redirect("knowledge:detail", faq.key)
    return _text_page(request, form, None, typed=typed, restored=saved)


@requires(Verb.WRITE_FAQ)
def edit(request: StaffRequest, key: str) -> HttpResponse:
    faq = access.faq_to_change(request.user, key)
    typed = f"faq.{faq.key}"
    saved = staff_queries.draft_fields(user=request.user, form=typed)
    texts = {name: getattr(faq, name) for name in FaqForm.base_fields}
    form = FaqForm(request.POST or None, initial=texts | saved)
    if form.is_valid():
        try:
            with transaction.atomic():
                actions.edit(faq=faq, by=request.user, at=timezone.now(), **form.cleaned_data)
                staff.discard_draft(user=request.user, form=typed)
        except RuleBroken as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, "下書きを保存しました。公開するには承認が必要です。")
            return redirect("knowledge:detail", faq.key)
    return _text_page(request, form, faq, typed=typed, restored=saved)


def _text_page(
    request: StaffRequest, form: FaqForm, faq: Faq | None, *, typed: str, restored: dict[str, Any]
) -> HttpResponse:
    context = {
        "form": form,
        "faq": faq,
        "categories": queries.categories_of(access.visible_faqs(request.user)),
        "typed": typed,
        "restored": restored and not form.is_bound,
    }
    return render(request, "knowledge/edit.html", context)


@require_safe
@requires(Verb.WRITE_FAQ, Verb.APPROVE_FAQ)
def detail(request: StaffRequest, key: str) -> HttpResponse:
    faq = access.faq_to_read(request.user, key)
    return _detail(request, faq, SendBackForm())


def _detail(request: StaffRequest, faq: Faq, form: SendBackForm) -> HttpResponse:
    return render(
        request,
        "knowledge/detail.html",
        {
            "faq": faq,
            "form": form,
            "changes": queries.changes(faq),
            "versions": queries.versions(faq),
            "may_change": access.may_change(request.user, faq),
            "may_approve": access.may_approve(request.user, faq),
            "is_author": faq.author_id == request.user.pk,
            "today": timezone.localdate(),
        },
    )


@requires(Verb.WRITE_FAQ)
@require_POST
def propose(request: StaffRequest, key: str) -> HttpResponse:
    faq = access.faq_to_change(request.user, key)
    try:
        actions.propose(faq=faq, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, "承認を依頼しました。")
    return redirect("knowledge:detail", key)


@requires(Verb.APPROVE_FAQ)
@require_POST
def approve(request: StaffRequest, key: str) -> HttpResponse:
    faq = access.faq_to_approve(request.user, key)
    try:
        actions.approve(faq=faq, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, "承認しました。市民のページに公開されています。")
    return redirect("knowledge:detail", key)


@requires(Verb.APPROVE_FAQ)
@require_POST
def send_back(request: StaffRequest, key: str) -> HttpResponse:
    faq = access.faq_to_approve(request.user, key)
    form = SendBackForm(request.POST)
    if not form.is_valid():
        return _detail(request, faq, form)
    try:
        actions.send_back(faq=faq, by=request.user, at=timezone.now(), **form.cleaned_data)
    except RuleBroken as reason:
        form.add_error(None, str(reason))
        return _detail(request, faq, form)
    messages.success(request, "差し戻しました。作成者が直して、もう一度依頼します。")
    return redirect("knowledge:detail", key)


@requires(Verb.APPROVE_FAQ)
@require_POST
def retire(request: StaffRequest, key: str) -> HttpResponse:
    faq = access.faq_to_approve(request.user, key)
    try:
        actions.retire(faq=faq, by=request.user, at=timezone.now())
    except RuleBroken as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, "取り下げました。市民のページには表示されません。")
    return redirect("knowledge:detail", key)
