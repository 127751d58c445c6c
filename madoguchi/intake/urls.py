from django.urls import path

from madoguchi.intake.views import public, staff

app_name = "intake"
# The citizens' addresses name nothing that somebody who looks over the shoulder may not read.
urlpatterns = [
    path("post/new/", public.submit, name="submit"),
    path("post/box/page/note/", public.received, name="received"),
    path("post/box/", public.open_page, name="open_page"),
    path("post/box/page/", public.page, name="page"),
    path("post/box/page/more/", public.write_again, name="write_again"),
    path("post/box/page/files/<int:attachment_id>/", public.own_file, name="own_file"),
    path("post/leaving/", public.leave, name="leave"),
    path("staff/submissions/", staff.submissions, name="submissions"),
    path("staff/submissions/<str:number>/", staff.submission, name="submission"),
    path("staff/submissions/<str:number>/files/<int:attachment_id>/", staff.file, name="file"),
    path("staff/submissions/<str:number>/case/", staff.take_up, name="take_up"),
    path("staff/submissions/<str:number>/answer/", staff.reply, name="reply"),
]
