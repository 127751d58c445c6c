from django.apps import AppConfig


class LettersConfig(AppConfig):
    name = "madoguchi.letters"
    verbose_name = "市長への手紙"
