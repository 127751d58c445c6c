from django.utils import timezone

from madoguchi.casework import actions, index


def remind_missing_records() -> None:
    """Every morning: write to the divisions whose records are past their date."""
    actions.remind_missing_records(at=timezone.now())


def merge_index() -> None:
    """Every minute: bring what waits for the index of the cases into it, a part at a time."""
    while index.merge() == index.MERGED_AT_ONCE:
        pass
