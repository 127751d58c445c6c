from django.apps import AppConfig


class SafetyConfig(AppConfig):
    name = "madoguchi.safety"
    verbose_name = "安心対応"
