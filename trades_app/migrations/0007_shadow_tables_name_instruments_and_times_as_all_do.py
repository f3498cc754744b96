"""Shadow tables call an instrument and a time what all tables call them, to the same millisecond.

That a shadow began before any close was decided, or has followed none, was a zero and is null.
"""

from django.db import migrations, models

FORWARDS = """
ALTER TABLE shadow_trades
    ALTER COLUMN close_time_ms TYPE timestamp with time zone
        USING timestamptz 'epoch' + close_time_ms * interval '1 millisecond',
    ALTER COLUMN exit_time_ms TYPE timestamp with time zone
        USING timestamptz 'epoch' + exit_time_ms * interval '1 millisecond';
ALTER TABLE shadow_trades RENAME COLUMN close_time_ms TO close_time;
ALTER TABLE shadow_trades RENAME COLUMN exit_time_ms TO exit_time;
ALTER TABLE shadow_trades RENAME COLUMN symbol TO instrument;
ALTER TABLE shadow_positions
    ALTER COLUMN began_ms DROP NOT NULL,
    ALTER COLUMN began_ms TYPE timestamp with time zone
        USING timestamptz 'epoch' + nullif(began_ms, 0) * interval '1 millisecond',
    ALTER COLUMN close_time_ms DROP NOT NULL,
    ALTER COLUMN close_time_ms TYPE timestamp with time zone
        USING timestamptz 'epoch' + nullif(close_time_ms, 0) * interval '1 millisecond';
ALTER TABLE shadow_positions RENAME COLUMN began_ms TO began_at;
ALTER TABLE shadow_positions RENAME COLUMN close_time_ms TO close_time;
ALTER TABLE shadow_positions RENAME COLUMN symbol TO instrument;
"""
BACKWARDS = """
ALTER TABLE shadow_trades RENAME COLUMN close_time TO close_time_ms;
ALTER TABLE shadow_trades RENAME COLUMN exit_time TO exit_time_ms;
ALTER TABLE shadow_trades RENAME COLUMN instrument TO symbol;
ALTER TABLE shadow_trades
    ALTER COLUMN close_time_ms TYPE bigint USING (extract(epoch FROM close_time_ms) * 1000)::bigint,
    ALTER COLUMN exit_time_ms TYPE bigint USING (extract(epoch FROM exit_time_ms) * 1000)::bigint;
ALTER TABLE shadow_positions RENAME COLUMN began_at TO began_ms;
ALTER TABLE shadow_positions RENAME COLUMN close_time TO close_time_ms;
ALTER TABLE shadow_positions RENAME COLUMN instrument TO symbol;
ALTER TABLE shadow_positions
    ALTER COLUMN began_ms TYPE bigint
        USING coalesce((extract(epoch FROM began_ms) * 1000)::bigint, 0),
    ALTER COLUMN began_ms SET NOT NULL,
    ALTER COLUMN close_time_ms TYPE bigint
        USING coalesce((extract(epoch FROM close_time_ms) * 1000)::bigint, 0),
    ALTER COLUMN close_time_ms SET NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("trades_app", "0006_finished_messages_keep_their_texts")]
    operations = [
        migrations.RunSQL(
            FORWARDS,
            BACKWARDS,
            state_operations=[
                migrations.RemoveConstraint("shadowtrade", "one_shadow_trade_per_close"),
                migrations.RemoveIndex("shadowtrade", "shadow_trade_open"),
                migrations.RemoveConstraint("shadowposition", "one_shadow_position"),
                migrations.RenameField("shadowtrade", "symbol", "instrument"),
                migrations.RenameField("shadowtrade", "close_time_ms", "close_time"),
                migrations.AlterField(
                    "shadowtrade",
                    "close_time",
                    models.DateTimeField(help_text="the close that it was decided on"),
                ),
                migrations.RenameField("shadowtrade", "exit_time_ms", "exit_time"),
                migrations.AlterField(
                    "shadowtrade", "exit_time", models.DateTimeField(blank=True, null=True)
                ),
                migrations.RenameField("shadowposition", "symbol", "instrument"),
                migrations.RenameField("shadowposition", "began_ms", "began_at"),
                migrations.AlterField(
                    "shadowposition",
                    "began_at",
                    models.DateTimeField(
                        help_text="the last close before; null: none was", null=True
                    ),
                ),
                migrations.RenameField("shadowposition", "close_time_ms", "close_time"),
                migrations.AlterField(
                    "shadowposition",
                    "close_time",
                    models.DateTimeField(help_text="the last close followed; null: none", null=True),
                ),
                migrations.AddConstraint(
                    "shadowtrade",
                    models.UniqueConstraint(
                        fields=("strategy", "instrument", "close_time"),
                        name="one_shadow_trade_per_close",
                    ),
                ),
                migrations.AddIndex(
                    "shadowtrade",
                    models.Index(
                        condition=models.Q(("is_open", True)),
                        fields=["instrument"],
                        name="shadow_trade_open",
                    ),
                ),
                migrations.AddConstraint(
                    "shadowposition",
                    models.UniqueConstraint(
                        fields=("strategy", "instrument"), name="one_shadow_position"
                    ),
                ),
            ],
        )
    ]
