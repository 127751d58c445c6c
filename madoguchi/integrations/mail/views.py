from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from madoguchi.integrations.mail import catcher
from madoguchi.staff.access import StaffRequest, requires

SHOWN = 50


@requires()
@require_GET
def caught(request: StaffRequest) -> HttpResponse:
    """The mails of the demo, which never leave it. Elsewhere this page does not exist."""
    if not settings.DEMO:
        raise Http404
    return render(request, "mail/caught.html", {"mails": catcher.newest(SHOWN), "shown": SHOWN})
