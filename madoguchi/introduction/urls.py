from django.urls import path

from madoguchi.introduction.views import desk, follow_up, wizard

app_name = "introduction"
urlpatterns = [
    path("staff/introductions/", wizard.introductions, name="introductions"),
    path("staff/introductions/<slug:code>/", wizard.introduction, name="introduction"),
    path("staff/introductions/<slug:code>/plan/", wizard.propose, name="propose"),
    path("staff/introductions/<slug:code>/return/", wizard.go_back, name="go_back"),
    path("staff/introductions/<slug:code>/trial/", wizard.trial, name="trial"),
    path(
        "staff/introductions/<slug:code>/questions/",
        wizard.save_questions,
        name="save_questions",
    ),
    path("staff/introductions/<slug:code>/notice/", wizard.save_notice, name="save_notice"),
    path(
        "staff/introductions/<slug:code>/notice/<slug:size>/",
        wizard.print_notice,
        name="print_notice",
    ),
    path("staff/introductions/<slug:code>/weeks/", follow_up.follow_up, name="follow_up"),
    path(
        "staff/introductions/<slug:code>/weeks/excel/",
        follow_up.follow_up_excel,
        name="follow_up_excel",
    ),
    path("staff/introductions/<slug:code>/weeks/pdf/", follow_up.report, name="report"),
    path("staff/stage-changes/<int:pk>/approval/", wizard.approve, name="approve"),
    path("staff/stage-changes/<int:pk>/stop/", wizard.stop, name="stop"),
    path("staff/reception/<slug:code>/events/<slug:kind>/", desk.note_event, name="note_event"),
    path(
        "staff/reception/<slug:code>/events/<int:pk>/withdrawal/",
        desk.take_back_event,
        name="take_back_event",
    ),
]
