"""A signal's entry is a time like its other times, to the same millisecond."""

from django.db import migrations, models

TO_TIME = """
ALTER TABLE signals ALTER COLUMN entry_time_ms TYPE timestamp with time zone
    USING timestamptz 'epoch' + entry_time_ms * interval '1 millisecond';
ALTER TABLE signals RENAME COLUMN entry_time_ms TO entry_time;
"""
TO_MILLISECONDS = """
ALTER TABLE signals RENAME COLUMN entry_time TO entry_time_ms;
ALTER TABLE signals ALTER COLUMN entry_time_ms TYPE bigint
    USING (extract(epoch FROM entry_time_ms) * 1000)::bigint;
"""


class Migration(migrations.Migration):
    dependencies = [("signals_app", "0011_analyses_are_filled_part_by_part")]
    operations = [
        migrations.RunSQL(
            TO_TIME,
            TO_MILLISECONDS,
            state_operations=[
                migrations.RenameField("signal", "entry_time_ms", "entry_time"),
                migrations.AlterField(
                    "signal",
                    "entry_time",
                    models.DateTimeField(help_text="time of the entry tick"),
                ),
            ],
        )
    ]
