from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate


class KnowledgeConfig(AppConfig):
    """
    Keeps the full-text index whole.

    The one signal of the house: Django rebuilds SQLite tables without their triggers and offers
    no other moment after a migration to put them back (see `index.py`).
    """

    name = "madoguchi.knowledge"
    verbose_name = "手引き"

    def ready(self) -> None:
        from madoguchi.knowledge import index  # models are not there before

        def install(**_: object) -> None:
            index.install()

        post_migrate.connect(install, sender=self, weak=False)
        checks.register(_triggers_are_there, checks.Tags.database)


def _triggers_are_there(**_: object) -> list[checks.CheckMessage]:
    from madoguchi.knowledge import index

    missing = index.missing_triggers()
    if not missing:
        return []
    return [
        checks.Error(
            f"全文検索のトリガーがありません: {', '.join(missing)}",
            hint="manage.py search_reindex を実行すると作り直します。",
            id="knowledge.E001",
        )
    ]
