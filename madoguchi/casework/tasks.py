from django.utils import timezone

from madoguchi.casework import actions


def remind_missing_records() -> None:
    """Every morning: write to the divisions whose records are past their date."""
    actions.remind_missing_records(at=timezone.now())
