"""What a decision was sized with stays known: the price that its money was exchanged at."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('signals_app', '0024_audit'),
    ]

    operations = [
        migrations.AddField(
            model_name='decision',
            name='rate',
            field=models.DecimalField(decimal_places=5, help_text='price of the pair that its money was exchanged at; null: none was needed', max_digits=15, null=True),
        ),
    ]
