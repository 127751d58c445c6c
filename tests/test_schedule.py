import pytest
from django.utils.module_loading import import_string
from huey import crontab
from huey.contrib import djhuey

from config.schedule import TIMETABLE


@pytest.mark.parametrize("task", TIMETABLE)
def test_every_task_of_the_timetable_exists(task: str) -> None:
    assert callable(import_string(task))


@pytest.mark.parametrize("cron", TIMETABLE.values())
def test_every_time_of_the_timetable_has_five_fields_that_the_workers_read(cron: str) -> None:
    minute, hour, day, month, weekday = cron.split()

    crontab(minute=minute, hour=hour, day=day, month=month, day_of_week=weekday)


def test_the_workers_know_the_whole_timetable() -> None:
    known = {task.name for task in djhuey.HUEY._registry.periodic_tasks}

    assert {path.rpartition(".")[2] for path in TIMETABLE} <= known


def test_the_timetable_is_read_in_japanese_time() -> None:
    assert not djhuey.HUEY.utc
