"""The site map."""

from django.urls import URLPattern, URLResolver, include, path

from config.api import api
from madoguchi.foundation.views import csp_report, health
from madoguchi.messaging.views import open_link
from madoguchi.ui.views import set_language

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("madoguchi.publicsite.urls")),
    path("", include("madoguchi.knowledge.urls")),
    path("staff/", include("madoguchi.staff.urls")),
    path("staff/", include("madoguchi.residents.urls")),
    path("", include("madoguchi.booking.urls")),
    path("", include("madoguchi.reception.urls")),
    path("", include("madoguchi.introduction.urls")),
    path("", include("madoguchi.casework.urls")),
    path("", include("madoguchi.intake.urls")),
    path("staff/letters/", include("madoguchi.letters.urls")),
    path("staff/incidents/", include("madoguchi.safety.urls")),
    path("staff/moves/", include("madoguchi.personnel.urls")),
    path("staff/", include("madoguchi.staffsite.urls")),
    path("staff/offices/", include("madoguchi.staffsite.offices.urls")),
    path("staff/statistics/", include("madoguchi.statistics.urls")),
    path("language/", set_language, name="set_language"),
    path("open/<str:token>/", open_link, name="open_link"),
    path("line/", include("madoguchi.integrations.line.urls")),
    path("staff/operations/", include("madoguchi.messaging.urls")),
    path("staff/mails/", include("madoguchi.integrations.mail.urls")),
    path("api/v1/", api.urls),
    path("staff/rota/", include("madoguchi.rota.urls")),
    path("healthz", health, name="health"),
    path("csp-report/", csp_report, name="csp_report"),
]

handler400 = "madoguchi.ui.views.bad_request"
handler403 = "madoguchi.ui.views.permission_denied"
handler404 = "madoguchi.ui.views.page_not_found"
handler500 = "madoguchi.ui.views.server_error"
