from django.apps import AppConfig

from config.schedule import TIMETABLE
from madoguchi.foundation import jobs


class ScheduleConfig(AppConfig):
    """Registers the timetable with the workers, once every app is there."""

    name = "config"
    verbose_name = "時間割"

    def ready(self) -> None:
        for task, cron in TIMETABLE.items():
            jobs.repeat(task, cron)
