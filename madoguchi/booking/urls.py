from django.urls import path

from madoguchi.booking.views import hall, public, services, telephone

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
    path("display/<slug:code>/", public.display, name="display"),
    path("staff/reception/", hall.receptions, name="receptions"),
    path("staff/reception/<slug:code>/", hall.reception, name="reception"),
    path("staff/reception/<slug:code>/arrivals/", hall.check_in, name="check_in"),
    path("staff/reception/<slug:code>/walk-ins/", hall.walk_in, name="walk_in"),
    path("staff/reception/<slug:code>/remarks/", hall.remarks, name="remarks"),
    path("staff/reception/<slug:code>/visits/<int:pk>/ticket/", hall.ticket, name="ticket"),
    path("staff/counters/", hall.calling, name="calling"),
    path("staff/counters/<int:pk>/", hall.counter, name="counter"),
    path("staff/counters/<int:pk>/calls/", hall.call_next, name="call_next"),
    path("staff/counters/<int:pk>/calls/<int:visit>/", hall.call, name="call"),
    path("staff/visits/<int:pk>/recall/", hall.recall, name="recall"),
    path("staff/visits/<int:pk>/absence/", hall.mark_absent, name="mark_absent"),
    path("staff/visits/<int:pk>/queue/", hall.return_to_queue, name="return_to_queue"),
    path("staff/visits/<int:pk>/start/", hall.start, name="start"),
    path("staff/visits/<int:pk>/finish/", hall.finish, name="finish"),
    path("staff/appointments/", telephone.book_for_resident, name="book_for_resident"),
    path("staff/appointments/new/<slug:code>/", telephone.choose, name="choose_for_resident"),
    path("staff/appointments/new/<slug:code>/person/", telephone.book, name="book_by_phone"),
    path(
        "staff/appointments/<str:number>/", telephone.appointment, name="appointment_for_resident"
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
        "staff/opening-rules/<int:pk>/withdrawal/",
        services.withdraw_opening_rule,
        name="withdraw_opening_rule",
    ),
]
