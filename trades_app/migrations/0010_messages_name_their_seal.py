"""A message names the seal of the record that covers it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('signals_app', '0018_decisions_name_their_seal'),
        ('trades_app', '0009_results_of_zero_bear_no_sign'),
    ]

    operations = [
        migrations.AddField(
            model_name='message',
            name='record_seal',
            field=models.PositiveIntegerField(editable=False, help_text='number of the seal that covers it; null: none yet', null=True),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(fields=['instrument', 'record_seal'], name='message_sealed'),
        ),
    ]
