from django.urls import path

from madoguchi.casework.views import cases, requests, settings, survey

app_name = "casework"
urlpatterns = [
    path("survey/", survey.survey_code, name="survey_code"),
    path("survey/thanks/", survey.survey_thanks, name="survey_thanks"),
    path("survey/<str:token>/", survey.survey, name="survey"),
    path("staff/cases/", cases.cases, name="cases"),
    path("staff/cases/list.xlsx", cases.cases_excel, name="cases_excel"),
    path("staff/cases/new/", cases.receive, name="receive"),
    path("staff/cases/settings/", settings.settings, name="settings"),
    path("staff/cases/settings/term/", settings.set_record_term, name="set_record_term"),
    path("staff/cases/settings/categories/new/", settings.save_category, name="add_category"),
    path(
        "staff/cases/settings/categories/<int:category_id>/",
        settings.save_category,
        name="save_category",
    ),
    path("staff/visits/<int:visit_id>/case/", cases.open_from_visit, name="open_from_visit"),
    path("staff/cases/<str:number>/", cases.case, name="case"),
    path("staff/cases/<str:number>/record/", cases.write_record, name="write_record"),
    path(
        "staff/cases/<str:number>/contacts/<int:contact_id>/correction/",
        cases.correct_contact,
        name="correct_contact",
    ),
    path("staff/cases/<str:number>/resident/", cases.identify, name="identify"),
    path("staff/cases/<str:number>/restriction/", cases.restrict, name="restrict"),
    path("staff/cases/<str:number>/people/", cases.involve, name="involve"),
    path("staff/cases/<str:number>/request/", cases.ask_division, name="ask_division"),
    path(
        "staff/cases/<str:number>/meetings/<int:meeting_id>/end/",
        cases.end_meeting,
        name="end_meeting",
    ),
    path("staff/cases/<str:number>/closing/", cases.close, name="close"),
    path("staff/cases/<str:number>/reopening/", cases.reopen, name="reopen"),
    path("staff/cases/<str:number>/survey/", cases.survey_card, name="survey_card"),
    path("staff/cases/<str:number>/faq/", cases.draft_faq, name="draft_faq"),
    path("staff/cases/<str:number>/sheet/", cases.sheet, name="sheet"),
    path("staff/requests/", requests.requests, name="requests"),
    path("staff/requests/overdue/", requests.overdue, name="overdue"),
    path("staff/requests/<int:handover_id>/", requests.handover, name="handover"),
    path("staff/requests/<int:handover_id>/acceptance/", requests.accept, name="accept"),
    path("staff/requests/<int:handover_id>/refusal/", requests.decline, name="decline"),
    path("staff/requests/<int:handover_id>/withdrawal/", requests.withdraw, name="withdraw"),
    path("staff/requests/<int:handover_id>/arrival/", requests.arrive, name="arrive"),
    path("staff/requests/<int:handover_id>/record/", requests.return_record, name="return_record"),
]
