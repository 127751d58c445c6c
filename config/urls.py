"""The site map."""

from django.urls import URLPattern, URLResolver, include, path

from madoguchi.foundation.views import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("madoguchi.publicsite.urls")),
    path("staff/", include("madoguchi.staffsite.urls")),
    path("staff/offices/", include("madoguchi.staffsite.offices.urls")),
    path("healthz", health, name="health"),
]
