from django.apps import AppConfig


class LineConfig(AppConfig):
    name = "madoguchi.integrations.line"
    label = "line"
    verbose_name = "LINE"
