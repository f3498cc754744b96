"""Prices of Bitcoin, of indices in yen and of any other market fit, and so do their pips."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('trades_app', '0010_messages_name_their_seal'),
    ]

    operations = [
        migrations.AlterField(
            model_name='trade',
            name='entry_price',
            field=models.DecimalField(decimal_places=5, max_digits=15),
        ),
        migrations.AlterField(
            model_name='trade',
            name='exit_price',
            field=models.DecimalField(blank=True, decimal_places=5, max_digits=15, null=True),
        ),
        migrations.AlterField(
            model_name='trade',
            name='initial_stop_loss',
            field=models.DecimalField(decimal_places=5, max_digits=15),
        ),
        migrations.AlterField(
            model_name='trade',
            name='profit_loss',
            field=models.DecimalField(decimal_places=2, help_text='realised so far, net of costs', max_digits=12),
        ),
        migrations.AlterField(
            model_name='trade',
            name='profit_loss_pips',
            field=models.DecimalField(decimal_places=2, max_digits=16),
        ),
        migrations.AlterField(
            model_name='trade',
            name='stop_loss',
            field=models.DecimalField(decimal_places=5, help_text='the stop in force', max_digits=15),
        ),
        migrations.AlterField(
            model_name='trade',
            name='take_profit_1',
            field=models.DecimalField(decimal_places=5, max_digits=15),
        ),
        migrations.AlterField(
            model_name='trade',
            name='take_profit_2',
            field=models.DecimalField(decimal_places=5, max_digits=15),
        ),
        migrations.AlterField(
            model_name='trade',
            name='zone_bottom',
            field=models.DecimalField(decimal_places=5, max_digits=15),
        ),
        migrations.AlterField(
            model_name='trade',
            name='zone_top',
            field=models.DecimalField(decimal_places=5, max_digits=15),
        ),
        migrations.AlterField(
            model_name='tradeevent',
            name='pips',
            field=models.DecimalField(decimal_places=2, max_digits=16),
        ),
        migrations.AlterField(
            model_name='tradeevent',
            name='price',
            field=models.DecimalField(decimal_places=5, max_digits=15, null=True),
        ),
        migrations.AlterField(
            model_name='tradeevent',
            name='stop_loss',
            field=models.DecimalField(decimal_places=5, max_digits=15),
        ),
    ]
