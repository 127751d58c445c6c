from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "madoguchi.demo"
    verbose_name = "見本市"
