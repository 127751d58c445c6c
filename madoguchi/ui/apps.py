from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "madoguchi.ui"
    verbose_name = "見た目"
