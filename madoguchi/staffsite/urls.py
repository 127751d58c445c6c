from django.urls import path

from madoguchi.staffsite import views

app_name = "staffsite"
urlpatterns = [
    path("", views.today, name="today"),
    path("residents/<int:pk>/history/", views.resident_history, name="resident_history"),
    path("live/", views.live, name="live"),
    path("components/", views.components, name="components"),
    path("signed-in/", views.signed_in, name="signed_in"),
]
