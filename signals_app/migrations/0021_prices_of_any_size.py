"""Prices of Bitcoin, of indices in yen and of any other market fit, and so do their pips."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('signals_app', '0020_connector_events_have_kinds'),
    ]

    operations = [
        migrations.AlterField(
            model_name='pricecandle',
            name='close',
            field=models.DecimalField(decimal_places=5, max_digits=15),
        ),
        migrations.AlterField(
            model_name='pricecandle',
            name='high',
            field=models.DecimalField(decimal_places=5, max_digits=15),
        ),
        migrations.AlterField(
            model_name='pricecandle',
            name='low',
            field=models.DecimalField(decimal_places=5, max_digits=15),
        ),
        migrations.AlterField(
            model_name='pricecandle',
            name='open',
            field=models.DecimalField(decimal_places=5, max_digits=15),
        ),
        migrations.AlterField(
            model_name='signal',
            name='entry_price',
            field=models.DecimalField(decimal_places=5, max_digits=15),
        ),
        migrations.AlterField(
            model_name='signal',
            name='stop_loss',
            field=models.DecimalField(decimal_places=5, max_digits=15),
        ),
        migrations.AlterField(
            model_name='signal',
            name='take_profit_1',
            field=models.DecimalField(decimal_places=5, max_digits=15),
        ),
        migrations.AlterField(
            model_name='signal',
            name='take_profit_2',
            field=models.DecimalField(decimal_places=5, max_digits=15),
        ),
        migrations.AlterField(
            model_name='signal',
            name='zone_bottom',
            field=models.DecimalField(decimal_places=5, max_digits=15),
        ),
        migrations.AlterField(
            model_name='signal',
            name='zone_top',
            field=models.DecimalField(decimal_places=5, max_digits=15),
        ),
    ]
