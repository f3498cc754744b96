"""A decision names the seal of the record that covers it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('signals_app', '0017_positions_know_their_last_millisecond'),
    ]

    operations = [
        migrations.AddField(
            model_name='decision',
            name='record_seal',
            field=models.PositiveIntegerField(editable=False, help_text='number of the seal that covers it; null: none yet', null=True),
        ),
        migrations.AddIndex(
            model_name='decision',
            index=models.Index(fields=['instrument', 'record_seal'], name='decision_sealed'),
        ),
    ]
