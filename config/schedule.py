"""The timetable of background work: minute hour day month weekday, Japanese time."""

TIMETABLE = {
    "madoguchi.foundation.tasks.beat": "* * * * *",
    "madoguchi.messaging.tasks.sweep_out_tray": "* * * * *",
    "madoguchi.foundation.tasks.prune_live_events": "10 3 * * *",
}
