"""A position keeps the ticks of its last millisecond: a take-over after a loss knows them."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('signals_app', '0016_prefixes_and_symbols_are_unique'),
    ]

    operations = [
        migrations.AddField(
            model_name='streamposition',
            name='tail',
            field=models.JSONField(default=list, help_text="ticks of the last one's millisecond: bid, ask, who sent it"),
        ),
    ]
