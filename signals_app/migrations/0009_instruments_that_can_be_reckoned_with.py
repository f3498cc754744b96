"""No instrument is saved whose sizes or digits nothing can be reckoned with."""

import django.core.validators
from decimal import Decimal
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('signals_app', '0008_positions_know_who_wrote_last'),
    ]

    operations = [
        migrations.AlterField(
            model_name='instrument',
            name='contract_size',
            field=models.PositiveIntegerField(help_text='units in one lot', validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AlterField(
            model_name='instrument',
            name='default_spread',
            field=models.FloatField(help_text='price; used where a file has no spread', validators=[django.core.validators.MinValueValidator(0.0)]),
        ),
        migrations.AlterField(
            model_name='instrument',
            name='digits',
            field=models.PositiveSmallIntegerField(help_text='decimals shown to people', validators=[django.core.validators.MaxValueValidator(5)]),
        ),
        migrations.AlterField(
            model_name='instrument',
            name='lot_step',
            field=models.DecimalField(decimal_places=2, default='0.01', max_digits=8, validators=[django.core.validators.MinValueValidator(Decimal('0.01'))]),
        ),
        migrations.AlterField(
            model_name='instrument',
            name='minimum_lot',
            field=models.DecimalField(decimal_places=2, default='0.01', max_digits=8, validators=[django.core.validators.MinValueValidator(Decimal('0.01'))]),
        ),
    ]
