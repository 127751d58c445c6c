from django.apps import AppConfig


class FoundationConfig(AppConfig):
    name = "madoguchi.foundation"
    verbose_name = "土台"
