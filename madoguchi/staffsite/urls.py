from django.urls import path

from madoguchi.staffsite import views

app_name = "staffsite"
urlpatterns = [
    path("live/", views.live, name="live"),
]
