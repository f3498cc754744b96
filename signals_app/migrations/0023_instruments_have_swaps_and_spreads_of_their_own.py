"""An instrument has its own swap, the day on which it counts three, and its widest spread."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('signals_app', '0022_connectors_have_owners'),
    ]

    operations = [
        migrations.AddField(
            model_name='instrument',
            name='maximum_spread_pips',
            field=models.FloatField(blank=True, help_text="instead of the strategy's; empty: the strategy's", null=True, validators=[django.core.validators.MinValueValidator(0.0)]),
        ),
        migrations.AddField(
            model_name='instrument',
            name='swap_long_points',
            field=models.DecimalField(decimal_places=3, default=0, help_text='a night of a lot bought; negative costs', max_digits=12),
        ),
        migrations.AddField(
            model_name='instrument',
            name='swap_short_points',
            field=models.DecimalField(decimal_places=3, default=0, help_text='a night of a lot sold; negative costs', max_digits=12),
        ),
        migrations.AddField(
            model_name='instrument',
            name='triple_swap_day',
            field=models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday')], default=2, help_text='whose night counts for the weekend too'),
        ),
    ]
