import secrets

from django.db import migrations

LETTERS = "23456789ACEFHJKMPRTVWXY"


def _number():
    plain = [secrets.randbelow(23) for _ in range(7)]
    total = sum(place * value for place, value in enumerate(plain, 1))
    check = -total * pow(8, -1, 23) % 23
    return "".join(LETTERS[value] for value in [*plain, check])


def renumber(apps, schema_editor):
    """Ten digits become eight characters; the link of an appointment stays what it was."""
    Appointment = apps.get_model("booking", "Appointment")
    used = set()
    for appointment in Appointment.objects.only("pk", "number").iterator():
        number = _number()
        while number in used:
            number = _number()
        used.add(number)
        Appointment.objects.filter(pk=appointment.pk).update(number=number)


class Migration(migrations.Migration):
    dependencies = [("booking", "0004_hold")]

    operations = [migrations.RunPython(renumber, migrations.RunPython.noop)]
