from django.db import migrations


class Migration(migrations.Migration):
    """Nobody points at booking's visit any more: forget it; its table is reception's."""

    dependencies = [
        ("booking", "0002_visit_moves_to_reception"),
        ("casework", "0004_visit_of_reception"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("Visit")])
    ]
