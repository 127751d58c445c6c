from django.apps import AppConfig


class StatisticsConfig(AppConfig):
    name = "madoguchi.statistics"
    verbose_name = "統計"
