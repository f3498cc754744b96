"""Why a close makes no signal is one of the reasons that the rules know."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('signals_app', '0027_cutting_connectors_off_is_a_right'),
    ]

    operations = [
        migrations.AlterField(
            model_name='decision',
            name='reason',
            field=models.CharField(blank=True, choices=[('WARMING_UP', 'WARMING_UP'), ('BELOW_THRESHOLD', 'BELOW_THRESHOLD'), ('CONFLICTING', 'CONFLICTING'), ('ENTRY_TOO_LATE', 'ENTRY_TOO_LATE'), ('MARKET_CLOSED', 'MARKET_CLOSED'), ('NEAR_WEEKLY_CLOSE', 'NEAR_WEEKLY_CLOSE'), ('SPREAD_TOO_WIDE', 'SPREAD_TOO_WIDE'), ('TOO_MANY_TRADES', 'TOO_MANY_TRADES'), ('COOLING_DOWN', 'COOLING_DOWN'), ('DAILY_LOSS', 'DAILY_LOSS'), ('NO_STRUCTURE', 'NO_STRUCTURE'), ('RISK_BELOW_SPREADS', 'RISK_BELOW_SPREADS'), ('RISK_TOO_LARGE', 'RISK_TOO_LARGE'), ('ZONE_TRADED', 'ZONE_TRADED'), ('NO_RATE', 'NO_RATE'), ('BELOW_MINIMUM_LOT', 'BELOW_MINIMUM_LOT'), ('INSTRUMENT_OFF', 'INSTRUMENT_OFF'), ('DECISION_NOT_STORED', 'DECISION_NOT_STORED')], help_text='why there is no signal', max_length=40),
        ),
    ]
