from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from madoguchi.foundation import live as updates
from madoguchi.knowledge.queries import shown_hits
from madoguchi.knowledge.rules import may_be_in_danger
from madoguchi.publicsite import navigation, queries

WORDS_MOST = 100  # characters of a search
FAQS_MOST = 3  # answers shown beside the services found


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    words = request.GET.get("q", "").strip()[:WORDS_MOST]
    categories = queries.services_by_category(words)
    sites = queries.open_sites(today=timezone.localdate(), days=1)
    faqs = shown_hits(words, FAQS_MOST) if words else []
    context = {
        "words": words,
        "is_crisis": may_be_in_danger(words),
        "categories": categories,
        "faqs": faqs,
        "sites": sites,
    }
    return render(request, "publicsite/home.html", context)


@require_safe
def offices(request: HttpRequest) -> HttpResponse:
    sites = queries.open_sites(today=timezone.localdate(), days=14)
    return render(request, "publicsite/offices.html", {"sites": sites})


@require_safe
def site_map(request: HttpRequest) -> HttpResponse:
    pages = navigation.links(navigation.HEAD + navigation.FOOT, path=request.path)
    context = {"pages": pages, "categories": queries.services_by_category("")}
    return render(request, "publicsite/site_map.html", context)


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    return render(request, "publicsite/accessibility.html")


@require_GET
def live(request: HttpRequest) -> HttpResponseBase:
    """Follow public topics, such as the call display of a site; 403 for any other."""
    topics = request.GET.getlist("topic")
    if not topics or not all(topic.startswith("public.") for topic in topics):
        raise PermissionDenied
    return updates.respond(
        topics=topics,
        last_seen=request.headers.get("Last-Event-ID", ""),
        may_stay=lambda: True,
    )
