from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import migrations
from django.db.models import F

JST = ZoneInfo("Asia/Tokyo")
SETTINGS = ("name", "minutes", "stage", "lead_minutes", "opens_days_before", "is_active")


def write_down(apps: Any, editor: Any) -> None:
    """Give every appointment its length and place, every day its online part, every service a version."""
    appointments = apps.get_model("booking", "Appointment")
    places = apps.get_model("booking", "AppointmentPlace")
    days = apps.get_model("booking", "CounterDay")
    for row in appointments.objects.select_related("service").iterator():
        appointments.objects.filter(pk=row.pk).update(minutes=row.service.minutes)
        local = row.start.astimezone(JST)
        mask = ((1 << row.cells) - 1) << ((local.hour - 7) * 60 + local.minute) // 15
        is_online = row.source == "web"
        places.objects.create(
            appointment=row,
            counter_id=row.counter_id,
            day=local.date(),
            mask=mask,
            is_online=is_online,
            taken_at=row.booked_at,
            left_at=row.cancelled_at,
        )
        if is_online and row.status != "cancelled":
            day = days.objects.filter(day=local.date(), counter_id=row.counter_id)
            day.update(online=F("online").bitor(mask))
    versions = apps.get_model("booking", "ServiceVersion")
    now = datetime.now(JST).replace(microsecond=0) - timedelta(seconds=1)
    for service in apps.get_model("booking", "Service").objects.all():
        versions.objects.create(
            service=service,
            settings={name: getattr(service, name) for name in SETTINGS},
            counters=sorted(service.counters.values_list("pk", flat=True)),
            made_at=now,
            made_by="",
        )


class Migration(migrations.Migration):
    dependencies = [("booking", "0008_services_rules_places")]

    operations = [migrations.RunPython(write_down, migrations.RunPython.noop)]
