from django.urls import path

from madoguchi.staffsite import views

app_name = "staffsite"
urlpatterns = [
    path("live/", views.live, name="live"),
    path("components/", views.components, name="components"),
    path("signed-in/", views.signed_in, name="signed_in"),
]
