from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "madoguchi.integrations.mail"
    verbose_name = "メール"
