from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from madoguchi.casework import actions, queries
from madoguchi.casework.forms import CategoryForm, RecordTermForm
from madoguchi.casework.models import Category
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staff.rules import Verb


@require_GET
@requires(Verb.EDIT_OFFICES)
def settings(request: StaffRequest) -> HttpResponse:
    """Show what the city may decide about its cases."""
    context = {"categories": Category.objects.all(), "term": queries.record_term()}
    return render(request, "casework/settings.html", context)


@require_http_methods(["GET", "POST"])
@requires(Verb.EDIT_OFFICES)
def set_record_term(request: StaffRequest) -> HttpResponse:
    term = queries.record_term()
    form = RecordTermForm(
        request.POST or None,
        initial={"days": term.days, "counts_closed_days": term.counts_closed_days},
    )
    if form.is_valid():
        actions.set_record_term(by=request.user, at=timezone.now(), **form.cleaned_data)
        messages.success(request, "期限を変えました。これから作る依頼に使われます。")
        return redirect("casework:settings")
    context = {"form": form, "title": "対応記録の提出期限", "button": "変更する"}
    return render(request, "casework/settings_form.html", context)


@require_http_methods(["GET", "POST"])
@requires(Verb.EDIT_OFFICES)
def save_category(request: StaffRequest, category_id: int | None = None) -> HttpResponse:
    category = get_object_or_404(Category, pk=category_id) if category_id else None
    initial = (
        {"name": category.name, "code": category.code, "is_active": category.is_active}
        if category
        else {}
    )
    form = CategoryForm(request.POST or None, initial=initial, category=category)
    if form.is_valid():
        actions.save_category(
            category=category, by=request.user, at=timezone.now(), **form.cleaned_data
        )
        messages.success(request, "分野を保存しました。")
        return redirect("casework:settings")
    context = {
        "form": form,
        "title": "分野の変更" if category else "分野の追加",
        "button": "保存する",
    }
    return render(request, "casework/settings_form.html", context)
