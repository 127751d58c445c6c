from django.urls import path

from madoguchi.knowledge import views

app_name = "knowledge"
urlpatterns = [
    path("faq/", views.faq, name="faq"),
    path("faq/<str:key>/", views.answer, name="answer"),
    path("faq/<str:key>/rating/", views.rate, name="rate"),
    path("staff/faqs/", views.faqs, name="faqs"),
    path("staff/faqs/new/", views.draft, name="draft"),
    path("staff/faqs/<str:key>/", views.detail, name="detail"),
    path("staff/faqs/<str:key>/text/", views.edit, name="edit"),
    path("staff/faqs/<str:key>/proposal/", views.propose, name="propose"),
    path("staff/faqs/<str:key>/approval/", views.approve, name="approve"),
    path("staff/faqs/<str:key>/return/", views.send_back, name="send_back"),
    path("staff/faqs/<str:key>/retirement/", views.retire, name="retire"),
]
