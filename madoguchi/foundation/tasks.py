from django.conf import settings
from django.utils import timezone

from madoguchi.foundation import limits, live


def prune_live_events() -> None:
    """Every night: forget the live events that no open screen can still be waiting for."""
    live.prune(at=timezone.now())


def beat() -> None:
    """Every minute: leave a sign of life, for `madoguchi doctor`."""
    (settings.DATA / "jobs_alive").touch()


def forget_allowances() -> None:
    """Every hour: forget how often somebody did something in spans that are over."""
    limits.forget(at=timezone.now())
