from django.utils import timezone

from madoguchi.personnel import actions
from madoguchi.personnel.models import MoveList


def carry_out() -> None:
    """Every minute: carry out the lists whose day has come; one interrupted goes on."""
    now = timezone.now()
    due = MoveList.objects.due(on=timezone.localdate(now)).order_by("effective_on", "pk")
    for list_id in list(due.values_list("pk", flat=True)):
        actions.carry_out(list_id=list_id, at=now)
