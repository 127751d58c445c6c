from django.apps import AppConfig


class FoundationConfig(AppConfig):
    name = "madoguchi.foundation"
    verbose_name = "土台"

    def ready(self) -> None:
        from madoguchi.foundation import checks  # noqa: F401 (registers them)
