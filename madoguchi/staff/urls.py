from django.urls import path, re_path

from madoguchi.staff.views import audit, drafts, people, sessions

app_name = "staff"
urlpatterns = [
    path("login/", sessions.log_in, name="log_in"),
    path("login/code/", sessions.second_factor, name="second_factor"),
    path("login/setup/", sessions.enrol, name="enrol"),
    path("logout/", sessions.log_out, name="log_out"),
    path("password/", sessions.change_password, name="change_password"),
    path("people/", people.people, name="people"),
    path("people/new/", people.add_person, name="add_person"),
    path("people/<int:pk>/", people.edit_person, name="edit_person"),
    path("people/<int:pk>/leave/", people.deactivate, name="deactivate"),
    path("people/<int:pk>/return/", people.reactivate, name="reactivate"),
    path("people/<int:pk>/password/", people.reset_password, name="reset_password"),
    path(
        "people/<int:pk>/second-factor/",
        people.reset_second_factor,
        name="reset_second_factor",
    ),
    re_path(r"^drafts/(?P<form>[\w.-]{1,120})/$", drafts.save_draft, name="save_draft"),
    path("audit/", audit.trail, name="audit"),
    path("audit/excel/", audit.trail_excel, name="audit_excel"),
]
