from datetime import timedelta

from django.db import migrations, models
from django.db.models.functions import Now

#: What stands is complete; closes that are not decided yet and have no analysis get their row, so
#: that the sweep asks for it.
_FILL = """
UPDATE analyses SET completed_at = created_at;
INSERT INTO analyses (symbol, timeframe, close_time_ms, candles, view)
SELECT symbol, timeframe, close_time_ms, 0, '{}' FROM (
    SELECT symbol, 'M15' AS timeframe, close_time_ms FROM decisions
    WHERE outcome = 'PENDING' AND score IS NULL
    UNION
    SELECT symbol, 'H1', h1_close_ms FROM decisions
    WHERE outcome = 'PENDING' AND score IS NULL AND h1_close_ms IS NOT NULL
    UNION
    SELECT symbol, 'H4', h4_close_ms FROM decisions
    WHERE outcome = 'PENDING' AND score IS NULL AND h4_close_ms IS NOT NULL
) AS wanted
ON CONFLICT DO NOTHING;
"""


class Migration(migrations.Migration):
    dependencies = [("signals_app", "0010_decisions_name_their_strategy")]

    operations = [
        migrations.AddField(
            "analysis", "completed_at", models.DateTimeField(editable=False, null=True)
        ),
        migrations.AddField(
            "analysis",
            "due_at",
            models.DateTimeField(
                db_default=Now() + timedelta(seconds=15),
                editable=False,
                help_text="when it is asked for again, if it is not complete by then",
            ),
        ),
        migrations.AlterField(
            "analysis",
            "candles",
            models.PositiveSmallIntegerField(default=0, help_text="candles in the window"),
        ),
        migrations.AlterField("analysis", "view", models.JSONField(default=dict)),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            "analysis",
            models.Index(
                fields=["symbol", "due_at"],
                condition=models.Q(("completed_at", None)),
                name="analysis_incomplete",
            ),
        ),
    ]
