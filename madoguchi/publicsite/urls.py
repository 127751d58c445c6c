from django.urls import path

from madoguchi.publicsite import views

app_name = "publicsite"
urlpatterns = [
    path("", views.home, name="home"),
    path("offices/", views.offices, name="offices"),
    path("sitemap/", views.site_map, name="site_map"),
    path("accessibility/", views.accessibility, name="accessibility"),
    path("live/", views.live, name="live"),
]
