from django.urls import path

from madoguchi.safety.views import incidents, measures, settings

app_name = "safety"
urlpatterns = [
    path("", incidents.incidents, name="incidents"),
    path("list.xlsx", incidents.incidents_excel, name="incidents_excel"),
    path("new/", incidents.open_incident, name="open_incident"),
    path("measures/", measures.measures, name="measures"),
    path("measures/<int:pk>/approval/", measures.approve_measure, name="approve_measure"),
    path("measures/<int:pk>/review/", measures.review_measure, name="review_measure"),
    path("measures/<int:pk>/end/", measures.end_measure, name="end_measure"),
    path("settings/", settings.settings, name="settings"),
    path("settings/limits/<str:way>/", settings.set_limits, name="set_limits"),
    path("settings/words/<str:stage>/", settings.set_words, name="set_words"),
    path("settings/delegations/new/", settings.delegate, name="delegate"),
    path("settings/delegations/<int:pk>/end/", settings.end_delegation, name="end_delegation"),
    path("settings/standard/", settings.revise_standard, name="revise_standard"),
    path("<int:pk>/", incidents.incident, name="incident"),
    path("<int:pk>/facts/", incidents.describe, name="describe"),
    path("<int:pk>/steps/", incidents.take_step, name="take_step"),
    path("<int:pk>/steps/undo/", incidents.undo_step, name="undo_step"),
    path("<int:pk>/notes/", incidents.write_note, name="write_note"),
    path("<int:pk>/judgement/", incidents.judge, name="judge"),
    path("<int:pk>/complaint/", incidents.return_to_complaint, name="return_to_complaint"),
    path("<int:pk>/measures/new/", incidents.propose_measure, name="propose_measure"),
    path("<int:pk>/sheet/", incidents.sheet, name="sheet"),
]
