"""Prices of Bitcoin, of indices in yen and of any other market fit, and so do their pips."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('reports_app', '0003_seals_and_publications'),
    ]

    operations = [
        migrations.AlterField(
            model_name='performancemetric',
            name='total_pips',
            field=models.DecimalField(decimal_places=2, max_digits=16),
        ),
    ]
