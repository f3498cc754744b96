"""A decision's `mark` is called what it is; the column keeps its name."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("signals_app", "0018_decisions_name_their_seal")]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="decision",
            name="mark",
            field=models.JSONField(default=dict, db_column="mark"),
        ),
        migrations.RenameField(model_name="decision", old_name="mark", new_name="checkpoint"),
    ]
