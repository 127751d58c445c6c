from django.urls import path

from madoguchi.reception.views import hall, public

app_name = "reception"
urlpatterns = [
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
]
