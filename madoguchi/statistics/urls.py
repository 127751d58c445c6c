from django.urls import path

from madoguchi.statistics import views

app_name = "statistics"
urlpatterns = [
    path("", views.month, name="month"),
    path("list.xlsx", views.month_excel, name="month_excel"),
    path("visits/", views.visits, name="visits"),
    path("records/", views.records, name="records"),
    path("transfers/", views.transfers, name="transfers"),
    path("transfers/list.xlsx", views.transfers_excel, name="transfers_excel"),
    path("transfers/list/", views.transfers_listed, name="transfers_listed"),
]
