"""Strategies may run in shadow beside the live one."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('signals_app', '0005_used_strategies_stay_as_they_are'),
    ]

    operations = [
        migrations.AlterField(
            model_name='strategy',
            name='status',
            field=models.CharField(choices=[('LIVE', 'Live'), ('SHADOW', 'Shadow'), ('RETIRED', 'Retired')], default='LIVE', max_length=8),
        ),
    ]
