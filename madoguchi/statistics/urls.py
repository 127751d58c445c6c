from django.urls import path

from madoguchi.statistics import views

app_name = "statistics"
urlpatterns = [
    path("", views.month, name="month"),
    path("list.xlsx", views.month_excel, name="month_excel"),
    path("visits/", views.visits, name="visits"),
    path("records/", views.records, name="records"),
]
