from django.apps import AppConfig


class StaffsiteConfig(AppConfig):
    name = "madoguchi.staffsite"
    verbose_name = "職員画面"
