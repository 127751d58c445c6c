from django.urls import path

from madoguchi.messaging import views

app_name = "messaging"
urlpatterns = [
    path("", views.operations, name="operations"),
    path("messages/<int:pk>/retry/", views.retry, name="retry"),
]
