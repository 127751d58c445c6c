from django.urls import path

from madoguchi.booking.views import public, services, telephone, waiting

app_name = "booking"
urlpatterns = [
    path("services/", public.services, name="services"),
    path("services/<slug:code>/", public.service, name="service"),
    path("services/<slug:code>/appointment/", public.book, name="book"),
    path("services/<slug:code>/hold/", public.hold, name="hold"),
    path("services/<slug:code>/waiting/", waiting.join_waiting, name="join_waiting"),
    path("waiting/<str:token>/", waiting.waiting, name="waiting"),
    path("waiting/<str:token>/booking/", waiting.take_offer, name="take_offer"),
    path("waiting/<str:token>/departure/", waiting.leave_waiting, name="leave_waiting"),
    path("staff/waiting/", waiting.waiting_list, name="waiting_list"),
    path(
        "staff/waiting/<str:token>/booking/",
        waiting.take_offer_for_resident,
        name="take_offer_for_resident",
    ),
    path(
        "staff/waiting/<str:token>/departure/",
        waiting.leave_waiting_for_resident,
        name="leave_waiting_for_resident",
    ),
    path("calendars/<str:token>.ics", public.counter_calendar, name="counter_calendar"),
    path("staff/calendars/", services.counter_feeds, name="counter_feeds"),
    path("staff/calendars/new/", services.make_feed, name="make_feed"),
    path("staff/calendars/<int:pk>/withdrawal/", services.withdraw_feed, name="withdraw_feed"),
    path("appointments/", public.find_booking, name="find_booking"),
    path("appointments/<str:token>/", public.appointment, name="appointment"),
    path("appointments/<str:token>/confirmation/", public.confirm, name="confirm"),
    path("appointments/<str:token>/sheet/", public.sheet, name="sheet"),
    path("appointments/<str:token>/slip/", public.slip, name="slip"),
    path("appointments/<str:token>/qr.svg", public.qr, name="qr"),
    path("appointments/<str:token>/calendar.ics", public.calendar, name="calendar"),
    path("appointments/<str:token>/change/", public.reschedule, name="reschedule"),
    path("appointments/<str:token>/cancellation/", public.cancel, name="cancel"),
    path("staff/appointments/", telephone.book_for_resident, name="book_for_resident"),
    path("staff/appointments/new/<slug:code>/", telephone.choose, name="choose_for_resident"),
    path("staff/appointments/new/<slug:code>/person/", telephone.book, name="book_by_phone"),
    path("staff/appointments/new/<slug:code>/hold/", telephone.hold, name="hold_for_resident"),
    path(
        "staff/appointments/<str:number>/", telephone.appointment, name="appointment_for_resident"
    ),
    path(
        "staff/appointments/<str:number>/confirmation/",
        telephone.confirm,
        name="confirm_for_resident",
    ),
    path(
        "staff/appointments/<str:number>/change/",
        telephone.reschedule,
        name="reschedule_for_resident",
    ),
    path(
        "staff/appointments/<str:number>/cancellation/",
        telephone.cancel,
        name="cancel_for_resident",
    ),
    path("staff/services/", services.service_settings, name="service_settings"),
    path("staff/services/new/", services.save_service, name="new_service"),
    path("staff/services/<slug:code>/", services.save_service, name="save_service"),
    path("staff/services/<slug:code>/hours/", services.opening_rules, name="opening_rules"),
    path(
        "staff/services/<slug:code>/hours/<int:pk>/",
        services.change_opening_rule,
        name="change_opening_rule",
    ),
    path("staff/services/<slug:code>/why/", services.why, name="why"),
    path("staff/services/<slug:code>/history/", services.service_history, name="service_history"),
    path("staff/services/<slug:code>/closures/", services.close_day, name="close_day"),
    path("staff/services/<slug:code>/moves/<int:pk>/told/", services.mark_told, name="mark_told"),
    path(
        "staff/opening-rules/<int:pk>/withdrawal/",
        services.withdraw_opening_rule,
        name="withdraw_opening_rule",
    ),
]
