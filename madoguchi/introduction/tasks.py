from django.utils import timezone

from madoguchi.introduction import actions
from madoguchi.introduction.models import StageChange


def carry_out() -> None:
    """Every morning and every hour: change the stages whose declared day has come."""
    now = timezone.now()
    due = StageChange.objects.due(on=timezone.localdate(now)).order_by("on", "pk")
    for change_id in list(due.values_list("pk", flat=True)):
        actions.carry_out(change_id=change_id, at=now)
