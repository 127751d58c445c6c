from django.db import migrations


class Migration(migrations.Migration):
    """The table of visits takes the name it has in `reception`; every row stays where it is."""

    dependencies = [
        ("booking", "0001_initial"),
        # The foreign key of a case is made to the old name first, and follows the table.
        ("casework", "0003_case_list_index"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.AlterModelTable("visit", "reception_visit")]
        )
    ]
