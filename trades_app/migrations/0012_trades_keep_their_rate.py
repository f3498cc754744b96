"""A trade keeps the price that its money is exchanged at."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('trades_app', '0011_prices_and_pips_of_any_size'),
    ]

    operations = [
        migrations.AddField(
            model_name='trade',
            name='rate',
            field=models.DecimalField(blank=True, decimal_places=5, help_text='price of the pair that its money is exchanged at; null: none is needed', max_digits=15, null=True),
        ),
    ]
