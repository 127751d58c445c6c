from django.apps import AppConfig


class BookingConfig(AppConfig):
    name = "madoguchi.booking"
    verbose_name = "予約"
