from django.core.management import call_command
from django.utils import timezone

from madoguchi.staff import actions


def tidy_up() -> None:
    """Every night: forget old drafts, failures to log in, and sessions that are over."""
    now = timezone.now()
    actions.prune_drafts(at=now)
    actions.prune_failed_logins(at=now)
    call_command("clearsessions")
