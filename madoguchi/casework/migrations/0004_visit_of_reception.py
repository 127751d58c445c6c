import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """A case points at reception's visit: the same table, the same column."""

    dependencies = [
        ("casework", "0003_case_list_index"),
        ("reception", "0001_initial"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="case",
                    name="visit",
                    field=models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="reception.visit",
                        verbose_name="来庁",
                    ),
                )
            ]
        )
    ]
