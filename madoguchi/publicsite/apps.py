from django.apps import AppConfig


class PublicsiteConfig(AppConfig):
    name = "madoguchi.publicsite"
    verbose_name = "住民画面"
