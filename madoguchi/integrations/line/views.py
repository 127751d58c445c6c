"""LINE's doorbell: what LINE tells us, and the page behind the link of a notice."""

import json
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from madoguchi.booking import access as booking
from madoguchi.foundation import limits
from madoguchi.integrations.line import access, actions
from madoguchi.integrations.line.forms import FollowForm

LARGEST = 1_000_000


@csrf_exempt  # LINE has no cookie of ours; its signature is checked instead
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """
    Take LINE's events, each once. Without the secret of the channel this address does not exist.

    The signature is checked over the bytes as they came, before anything reads them.
    """
    if not settings.LINE_CHANNEL_SECRET:
        raise Http404
    # The official kit's validator; the rest of it would load a dozen packages.
    from linebot.v3.webhook import SignatureValidator

    body = request.body[: LARGEST + 1]
    signature = request.headers.get("X-Line-Signature", "")
    try:
        text = body.decode()
        fits = len(body) <= LARGEST and SignatureValidator(settings.LINE_CHANNEL_SECRET).validate(
            text, signature
        )
        events = json.loads(text)["events"] if fits else []
    except (UnicodeDecodeError, ValueError, KeyError, TypeError):
        fits, events = False, []
    if not fits or not isinstance(events, list):
        return JsonResponse({"code": "bad_signature"}, status=400)
    for event in events:
        _take(event)
    return JsonResponse({})


def _take(event: Any) -> None:
    """Deal with one event; groups, stickers and what is new at LINE are none of ours."""
    source = event.get("source", {}) if isinstance(event, dict) else {}
    line_id, key = source.get("userId"), event.get("webhookEventId") if source else None
    if source.get("type") != "user" or not isinstance(line_id, str) or not isinstance(key, str):
        return
    known: dict[str, Any] = {"event": key, "line_id": line_id[:50], "at": timezone.now()}
    message = event.get("message") or {}
    match event.get("type"):
        case "follow":
            actions.welcome(**known)
        case "unfollow":
            actions.leave(**known)
        case "message":
            text = message.get("text") if message.get("type") == "text" else ""
            actions.answer(text=str(text or "")[:500], **known)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def follow(request: HttpRequest, signed: str) -> HttpResponse:
    """Say on our own page which booking one wants to be reminded of."""
    friend = access.friend_of(signed)
    form = FollowForm(request.POST or None)
    status, followed = 200, None
    if request.method == "POST" and form.is_valid():
        try:
            limits.spend(access.LOOK_UP, request, at=timezone.now())
        except limits.TooMany as refused:
            form.add_error(None, refused.words)
            status = 429
        else:
            followed = booking.appointment_by_number(**form.cleaned_data)
            if followed is None or not followed.is_changeable:
                followed = None
                form.add_error(
                    None,
                    "予約が見つかりません。予約番号と、予約のときの電話番号をお確かめください。",
                )
            else:
                actions.follow(friend=friend, appointment=followed, at=timezone.now())
    context = {"form": form, "followed": followed}
    return render(request, "line/follow.html", context, status=status)
