from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from madoguchi.foundation import live as updates


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
