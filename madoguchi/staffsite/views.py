from functools import partial

from django.core.exceptions import PermissionDenied
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from madoguchi.foundation import live as updates
from madoguchi.staff.access import StaffRequest, requires
from madoguchi.staffsite import access


@require_GET
@requires()
def live(request: StaffRequest) -> HttpResponseBase:
    """
    Follow topics as server-sent events; 403 unless every topic is the reader's to follow.

    The reader's own topic is always among them, so that the end of their employment, published
    there, ends the stream at once.
    """
    topics = {*request.GET.getlist("topic"), f"user.{request.user.pk}"}
    if not all(access.may_follow(request.user, topic) for topic in topics):
        raise PermissionDenied
    return updates.respond(
        topics=topics,
        last_seen=request.headers.get("Last-Event-ID", ""),
        may_stay=partial(
            access.may_stay,
            user_id=request.user.pk,
            session_key=request.session.session_key or "",
            topics=topics,
        ),
    )
