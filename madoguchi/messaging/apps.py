from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "madoguchi.messaging"
    verbose_name = "連絡"
