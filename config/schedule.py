"""The timetable of background work: minute hour day month weekday, Japanese time."""

TIMETABLE = {
    "madoguchi.foundation.tasks.beat": "* * * * *",
    "madoguchi.foundation.tasks.forget_allowances": "20 * * * *",
    "madoguchi.casework.tasks.remind_missing_records": "30 8 * * *",
    "madoguchi.casework.tasks.merge_index": "* * * * *",
    "madoguchi.booking.tasks.lay_out_days": "*/5 * * * *",
    "madoguchi.booking.tasks.release_lapsed": "* * * * *",
    "madoguchi.booking.tasks.offer_returned": "* * * * *",
    "madoguchi.booking.tasks.remind": "*/10 9-17 * * *",
    "madoguchi.booking.tasks.mark_missed": "10 0 * * *",
    "madoguchi.booking.tasks.check_masks": "30 3 * * *",
    "madoguchi.introduction.tasks.carry_out": "1 * * * *",
    "madoguchi.messaging.tasks.sweep_out_tray": "* * * * *",
    "madoguchi.messaging.tasks.forget_links": "25 3 * * *",
    "madoguchi.integrations.line.tasks.remind": "*/10 9-17 * * *",
    "madoguchi.integrations.line.tasks.forget_events": "35 3 * * *",
    "madoguchi.foundation.tasks.prune_live_events": "10 3 * * *",
    "madoguchi.staff.tasks.tidy_up": "20 3 * * *",
    "madoguchi.rota.tasks.sweep_runs": "* * * * *",
    "madoguchi.personnel.tasks.carry_out": "* * * * *",
}
