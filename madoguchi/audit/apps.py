from django.apps import AppConfig
from django.core import checks


class AuditConfig(AppConfig):
    name = "madoguchi.audit"
    verbose_name = "監査証跡"

    def ready(self) -> None:
        from madoguchi.audit.checks import the_trail_is_guarded

        checks.register(the_trail_is_guarded, checks.Tags.database)
