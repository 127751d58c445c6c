"""The JSON API, put together from the apps; its description is /api/v1/openapi.json."""

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError

import madoguchi
from madoguchi.booking.api import router as booking
from madoguchi.casework.api import router as casework
from madoguchi.foundation.limits import TooMany
from madoguchi.knowledge.api import router as knowledge

# The usual documentation page is off: it would load its scripts from outside.
api = NinjaAPI(
    title="窓口 API",
    version=madoguchi.__version__,
    description="予約、よくある質問、案件。画面と同じ決まりで答えます。",
    docs_url=None,
    urls_namespace="api",
)
api.add_router("", booking)
api.add_router("", knowledge)
api.add_router("", casework)


@api.exception_handler(TooMany)
def too_many(request: HttpRequest, refused: TooMany) -> HttpResponse:
    answer = api.create_response(
        request,
        {
            "code": "too_many",
            "message": f"回数が多すぎます。{refused.wait}秒たってから、もう一度お試しください。",
        },
        status=429,
    )
    answer["Retry-After"] = str(refused.wait)
    return answer


@api.exception_handler(HttpError)
def unreadable(request: HttpRequest, refused: HttpError) -> HttpResponse:
    """A body that is no JSON is a wrong field like any other: 422."""
    if refused.status_code != 400:
        return api.create_response(request, {"detail": str(refused)}, status=refused.status_code)
    wrong = {"type": "json_invalid", "loc": ["body"], "msg": "JSONとして読めません。"}
    return api.create_response(request, {"detail": [wrong]}, status=422)
