from django.urls import path

from madoguchi.personnel import views

app_name = "personnel"
urlpatterns = [
    path("", views.lists, name="lists"),
    path("new/", views.plan, name="plan"),
    path("template.xlsx", views.template, name="template"),
    path("mine/", views.mine, name="mine"),
    path("<int:pk>/", views.move_list, name="move_list"),
    path("<int:pk>/progress/", views.progress, name="progress"),
    path("<int:pk>/lines/", views.replace, name="replace"),
    path("<int:pk>/list.xlsx", views.move_list_excel, name="move_list_excel"),
    path("<int:pk>/approval/", views.approve, name="approve"),
    path("<int:pk>/stop/", views.stop, name="stop"),
]
