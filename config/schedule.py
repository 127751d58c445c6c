"""The timetable of background work: minute hour day month weekday, Japanese time."""

TIMETABLE = {
    "madoguchi.messaging.tasks.sweep_out_tray": "* * * * *",
}
