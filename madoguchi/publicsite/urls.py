from django.urls import path

from madoguchi.publicsite import views

app_name = "publicsite"
urlpatterns = [
    path("live/", views.live, name="live"),
]
