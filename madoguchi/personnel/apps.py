from django.apps import AppConfig


class PersonnelConfig(AppConfig):
    name = "madoguchi.personnel"
    verbose_name = "人事異動"
