"""The site map."""

from django.urls import URLPattern, URLResolver, include, path

from madoguchi.foundation.views import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("madoguchi.publicsite.urls")),
    path("staff/", include("madoguchi.staffsite.urls")),
    path("staff/offices/", include("madoguchi.staffsite.offices.urls")),
    path("healthz", health, name="health"),
]

handler400 = "madoguchi.ui.views.bad_request"
handler403 = "madoguchi.ui.views.permission_denied"
handler404 = "madoguchi.ui.views.page_not_found"
handler500 = "madoguchi.ui.views.server_error"
