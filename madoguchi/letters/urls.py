from django.urls import path

from madoguchi.letters import views

app_name = "letters"
urlpatterns = [
    path("", views.letters, name="letters"),
    path("list.xlsx", views.letters_excel, name="letters_excel"),
    path("figures/", views.figures, name="figures"),
    path("new/", views.receive, name="receive"),
    path("<int:pk>/", views.letter, name="letter"),
    path("<int:pk>/items/<int:position>/outcome/", views.set_outcome, name="set_outcome"),
    path("<int:pk>/answer/", views.answer, name="answer"),
    path("<int:pk>/sheet/", views.sheet, name="sheet"),
]
