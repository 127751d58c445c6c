"""The control of `bench.case_creation`: a Django that checks a body and writes one row."""

import json
import os
from typing import Any

import django
from django.conf import settings
from django.http import HttpRequest, JsonResponse

URL = os.environ["BENCH_BARE_DATABASE"]
if URL.startswith("sqlite"):
    DATABASE: dict[str, Any] = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": URL.removeprefix("sqlite:///"),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
        },
    }
else:
    import dj_database_url

    DATABASE = dict(dj_database_url.parse(URL))
settings.configure(
    SECRET_KEY="bench",
    ROOT_URLCONF="bench.bare",
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": DATABASE},
    MIDDLEWARE=[],
    INSTALLED_APPS=[],
    USE_TZ=True,
)
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402 after the settings
from django.db import connection, models, transaction  # noqa: E402
from django.urls import path  # noqa: E402


class Row(models.Model):
    title = models.CharField(max_length=120)
    text = models.TextField()

    class Meta:
        app_label = "bare"

    def __str__(self) -> str:
        return self.title


def receive(request: HttpRequest) -> JsonResponse:
    given = json.loads(request.body)
    with transaction.atomic():
        row = Row._default_manager.create(title=given["title"], text=given["text"])
    return JsonResponse({"number": row.pk}, status=201)


urlpatterns = [path("api/v1/cases", receive)]
application = get_asgi_application()

if __name__ == "__main__":
    with connection.schema_editor() as editor:
        editor.create_model(Row)
