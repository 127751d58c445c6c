from django.urls import path

from madoguchi.integrations.line import views

app_name = "line"
urlpatterns = [
    path("webhook/", views.webhook, name="webhook"),
    path("following/<str:signed>/", views.follow, name="follow"),
]
