from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from madoguchi.knowledge import access, actions, queries
from madoguchi.knowledge.forms import SearchForm
from madoguchi.knowledge.rules import may_be_in_danger

SHOWN = 20


@require_GET
def faq(request: HttpRequest) -> HttpResponse:
    """Search, or browse by category."""
    form = SearchForm(request.GET)
    form.is_valid()
    q = form.cleaned_data.get("q", "")
    category = form.cleaned_data.get("category", "")
    found = queries.shown_hits(q, SHOWN) if q else []
    page = None
    if not q and category:
        page = Paginator(queries.of_category(category), SHOWN).get_page(request.GET.get("page"))
    return render(
        request,
        "knowledge/faq.html",
        {
            "form": form,
            "q": q,
            "category": category,
            "found": found,
            "is_crisis": may_be_in_danger(q),
            "nothing": bool(q) and not found,
            "page": page,
            "categories": queries.categories(),
        },
    )


@require_GET
def answer(request: HttpRequest, key: str) -> HttpResponse:
    faq = access.public_faq(key)
    return render(
        request,
        "knowledge/answer.html",
        {"faq": faq, "text": faq.public_text, "related": queries.related(faq)},
    )


@require_POST
def rate(request: HttpRequest, key: str) -> HttpResponse:
    faq = access.public_faq(key)
    helped = request.POST.get("helped")
    if helped in ("yes", "no"):
        actions.rate(faq=faq, helped=helped == "yes")
        messages.success(request, "ご意見をありがとうございました。よりよい回答づくりに使います。")
    return redirect("knowledge:answer", key)
