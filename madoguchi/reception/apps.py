from django.apps import AppConfig


class ReceptionConfig(AppConfig):
    name = "madoguchi.reception"
    verbose_name = "受付・呼出"
