"""What everybody in the hall sees, without an account."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from madoguchi.offices.models import Site
from madoguchi.reception import queries


@never_cache
@require_safe
def display(request: HttpRequest, code: str) -> HttpResponse:
    """The screen in the hall: ticket numbers and counters, nothing about anybody."""
    site = get_object_or_404(Site, code=code)
    context = {"site": site, "calls": queries.calls_shown(site=site, at=timezone.now())}
    is_partial = "HX-Request" in request.headers
    return render(request, f"reception/{'_calls' if is_partial else 'display'}.html", context)
