from django.apps import AppConfig


class IntroductionConfig(AppConfig):
    name = "madoguchi.introduction"
    verbose_name = "段階的導入"
