from django.apps import AppConfig


class OfficesConfig(AppConfig):
    name = "madoguchi.offices"
    verbose_name = "組織"
