"""The code of a connector event is one of a list; what rows hold stays as it is."""

from django.db import migrations, models

CODES = (
    "MT5_DISCONNECTED",
    "MT5_RECONNECTED",
    "SYMBOL_UNAVAILABLE",
    "PROMOTED",
    "NAME_IN_USE",
    "DECISION_NOT_STORED",
    "DECISIONS_WAIT",
    "FEED_STALE",
    "FEED_FLOWING",
    "CONNECTOR_SILENT",
    "CONNECTOR_HEARD",
    "TRADE_OVERDUE",
)


class Migration(migrations.Migration):
    dependencies = [("signals_app", "0019_decisions_hold_checkpoints")]

    operations = [
        migrations.AlterField(
            model_name="connectorevent",
            name="code",
            field=models.CharField(choices=[(code, code) for code in CODES], max_length=40),
        ),
    ]
