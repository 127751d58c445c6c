"""Background work. The only module that knows huey."""

from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec

from django.db import transaction
from django.utils.module_loading import import_string
from huey import crontab
from huey.contrib import djhuey

P = ParamSpec("P")


def background(function: Callable[P, None]) -> Callable[P, Any]:
    """Make the function a job: calling it queues it, and a worker runs it."""
    task: Callable[P, Any] = djhuey.db_task()(function)
    return task


def after_commit(task: str, *ids: int) -> None:
    """Queue the named task once the running transaction is committed; never before."""
    transaction.on_commit(partial(import_string(task), *ids), robust=True)


def repeat(task: str, cron: str) -> None:
    """
    Run the named function by the clock: minute hour day month weekday, Japanese time.

    The name is looked up now: a misspelt line of the timetable stops the start, not the night.
    """
    minute, hour, day, month, weekday = cron.split()
    when = crontab(minute=minute, hour=hour, day=day, month=month, day_of_week=weekday)
    djhuey.db_periodic_task(when)(import_string(task))
