"""Typed text that is not yet saved."""

import json

from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from madoguchi.foundation.errors import RuleBroken
from madoguchi.staff import actions, rules
from madoguchi.staff.access import StaffRequest, requires


@require_POST
@requires()
def save_draft(request: StaffRequest, form: str) -> HttpResponse:
    """
    Keep the fields of a form: a JSON object, or the form itself.

    204 kept; 401 with `url` to log in again; 413 too long; 400 not an object.
    """
    if request.content_type == "application/json":
        if int(request.headers.get("Content-Length") or 0) > rules.DRAFT_BYTES:
            return JsonResponse({"code": "too_long"}, status=413)
        try:
            fields = json.loads(request.body)
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            return JsonResponse({"code": "not_an_object"}, status=400)
    else:
        fields = {name: v if len(v) > 1 else v[0] for name, v in request.POST.lists()}
    fields.pop("csrfmiddlewaretoken", None)
    try:
        actions.save_draft(user=request.user, form=form, fields=fields, at=timezone.now())
    except RuleBroken:
        return JsonResponse({"code": "too_long"}, status=413)
    return HttpResponse(status=204)
