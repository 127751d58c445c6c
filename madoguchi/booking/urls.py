from django.urls import path

from madoguchi.booking.views import public

app_name = "booking"
urlpatterns = [
    path("services/", public.services, name="services"),
    path("services/<slug:code>/", public.service, name="service"),
    path("services/<slug:code>/appointment/", public.book, name="book"),
    path("appointments/", public.find_booking, name="find_booking"),
    path("appointments/<str:token>/", public.appointment, name="appointment"),
    path("appointments/<str:token>/sheet/", public.sheet, name="sheet"),
    path("appointments/<str:token>/qr.svg", public.qr, name="qr"),
    path("appointments/<str:token>/calendar.ics", public.calendar, name="calendar"),
    path("appointments/<str:token>/change/", public.reschedule, name="reschedule"),
    path("appointments/<str:token>/cancellation/", public.cancel, name="cancel"),
]
