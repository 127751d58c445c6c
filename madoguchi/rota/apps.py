from django.apps import AppConfig


class RotaConfig(AppConfig):
    name = "madoguchi.rota"
    verbose_name = "当番"
