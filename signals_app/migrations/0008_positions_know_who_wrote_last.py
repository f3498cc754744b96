"""Positions know which connector sent the last tick used."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("signals_app", "0007_probabilities_beside_random_entries"),
    ]

    operations = [
        migrations.AddField(
            model_name="streamposition",
            name="writer",
            field=models.CharField(blank=True, default="", help_text="connector that sent the last tick used", max_length=64),
        ),
    ]
