from django.urls import path

from madoguchi.residents import views

app_name = "residents"
urlpatterns = [
    path("residents/", views.residents, name="list"),
    path("residents/new/", views.register, name="register"),
    path("residents/<int:pk>/", views.detail, name="detail"),
    path("residents/<int:pk>/edit/", views.update, name="update"),
    path("residents/<int:pk>/contact/", views.reveal, name="reveal"),
    path("residents/<int:pk>/restriction/", views.restrict, name="restrict"),
    path("residents/<int:pk>/restriction/end/", views.lift_restriction, name="lift_restriction"),
    path("residents/<int:pk>/accommodations/", views.add_accommodation, name="add_accommodation"),
    path(
        "residents/<int:pk>/accommodations/<int:accommodation>/removal/",
        views.remove_accommodation,
        name="remove_accommodation",
    ),
    path("residents/<int:pk>/access-report/", views.access_report, name="access_report"),
]
