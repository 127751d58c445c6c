from datetime import date

from django.urls import path, register_converter

from madoguchi.staffsite.offices import views


class DayConverter:
    """A day in an address: 2026-11-24."""

    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, value: str) -> date:
        return date.fromisoformat(value)

    def to_url(self, value: date) -> str:
        return value.isoformat()


register_converter(DayConverter, "day")

app_name = "offices"
urlpatterns = [
    path("", views.index, name="index"),
    path("set-up/", views.set_up, name="set_up"),
    path("city/", views.name_city, name="name_city"),
    path("divisions/list/", views.add_divisions, name="add_divisions"),
    path("sites/<int:pk>/calendar/", views.calendar, name="calendar"),
    path("sites/<int:pk>/calendar/<day:on>/", views.set_opening_day, name="set_opening_day"),
    path(
        "sites/<int:pk>/calendar/<day:on>/clearance/",
        views.clear_opening_day,
        name="clear_opening_day",
    ),
]
for kind in views.KINDS:
    urlpatterns += [
        path(f"{kind}s/new/", views.add, {"kind": kind}, name=f"add_{kind}"),
        path(f"{kind}s/<int:pk>/", views.change, {"kind": kind}, name=f"change_{kind}"),
        path(f"{kind}s/<int:pk>/use/", views.switch, {"kind": kind}, name=f"switch_{kind}"),
    ]
