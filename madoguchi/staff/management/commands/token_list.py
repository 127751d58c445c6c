from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from madoguchi.staff.models import ApiToken


class Command(BaseCommand):
    help = "発行したAPIトークンの一覧です。トークンそのものは、どこにもありません。"

    def handle(self, *args: Any, **options: Any) -> None:
        for token in ApiToken.objects.select_related("user").order_by("pk"):
            since = timezone.localtime(token.created_at)
            state = "失効" if token.revoked_at or not token.user.is_active else "有効"
            self.stdout.write(
                f"{token.pk}\t{token.user.username}\t{token.scopes}\t{since:%Y-%m-%d}\t{state}"
            )
