"""What everybody sees, without an account: the hall's display, one's ticket, how busy it is."""

import io

import segno
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from madoguchi.booking.queries import sites_with_services
from madoguchi.offices.models import Site
from madoguchi.reception import access, queries


@never_cache
@require_safe
def display(request: HttpRequest, code: str) -> HttpResponse:
    """The screen in the hall: ticket numbers and counters, nothing about anybody."""
    site = get_object_or_404(Site, code=code)
    at = timezone.now()
    context = {
        "site": site,
        "calls": queries.calls_shown(site=site, at=at),
        "congestion": queries.congestion(site, at=at),
    }
    is_partial = "HX-Request" in request.headers
    return render(request, f"reception/{'_calls' if is_partial else 'display'}.html", context)


@never_cache
@require_safe
def congestion(request: HttpRequest) -> HttpResponse:
    """混雑状況: who waits where, and how long one would wait who came now."""
    at = timezone.now()
    halls = [(site, queries.congestion(site, at=at)) for site in sites_with_services()]
    is_partial = "HX-Request" in request.headers
    page = f"reception/{'_congestion' if is_partial else 'congestion'}.html"
    return render(request, page, {"halls": halls, "now": at})


@never_cache
@require_safe
def own_ticket(request: HttpRequest, signed: str) -> HttpResponse:
    """The ticket on one's own telephone: it draws itself again, without any script too."""
    visit = access.visit_by_link(signed)
    at = timezone.now()
    told = queries.congestion(visit.site, at=at)
    context = {
        "visit": visit,
        "now": at,
        "ahead": queries.people_ahead(visit, at=at),
        "range": told.told.visits.get(visit.pk),
        "order": told.order,
        "stops": visit.stops.filter(finished_at=None).select_related("service", "counter"),
    }
    is_partial = "HX-Request" in request.headers
    return render(
        request, f"reception/{'_own_ticket' if is_partial else 'own_ticket'}.html", context
    )


@require_safe
def ticket_qr(request: HttpRequest, signed: str) -> HttpResponse:
    visit = access.visit_by_link(signed)
    picture = io.BytesIO()
    segno.make(f"{settings.SITE_URL}{visit.address}", error="m").save(
        picture, kind="svg", scale=4, border=2
    )
    return HttpResponse(picture.getvalue(), content_type="image/svg+xml")
