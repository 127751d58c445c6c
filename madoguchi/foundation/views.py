from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

import madoguchi


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Tell a monitor that the pages and the database answer: 200, or 503 without database."""
    about = {"version": madoguchi.__version__, "database": connection.vendor}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "no_database"} | about, status=503)
    return JsonResponse({"status": "ok"} | about)
