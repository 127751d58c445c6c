from django.urls import path

from madoguchi.integrations.mail import views

app_name = "mail"
urlpatterns = [path("", views.caught, name="caught")]
