from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "madoguchi.intake"
    verbose_name = "受信"
