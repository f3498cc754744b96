"""A row that belongs to an instrument says so in `instrument`, and times at rest are times."""

import signals_app.models.fields
from django.db import migrations, models

_TIMES = {
    "stream_positions": {"time_ms": "time", "first_time_ms": "first_time", "watermark_ms": "watermark"},
    "analyses": {"close_time_ms": "close_time"},
    "decisions": {
        "close_time_ms": "close_time",
        "h1_close_ms": "h1_close_time",
        "h4_close_ms": "h4_close_time",
        "entry_time_ms": "entry_time",
    },
}
_MODELS = {"stream_positions": "streamposition", "analyses": "analysis", "decisions": "decision"}
_OPTIONS = {
    "time_ms": {"default": 0, "help_text": "time of the last tick used"},
    "first_time_ms": {"default": 0, "help_text": "time of the first tick ever"},
    "watermark_ms": {"default": 0},
    "h1_close_ms": {"null": True, "help_text": "end of the last H1 candle by then"},
    "h4_close_ms": {"null": True, "help_text": "end of the last H4 candle by then"},
    "entry_time_ms": {"null": True},
}


def _as_time(table: str, old: str, new: str) -> migrations.SeparateDatabaseAndState:
    """Turn a column of Unix milliseconds into one of times, to the millisecond."""
    forwards = (
        f"ALTER TABLE {table} ALTER COLUMN {old} TYPE timestamptz"
        f" USING 'epoch'::timestamptz + {old} * interval '1 millisecond';"
        f" ALTER TABLE {table} RENAME COLUMN {old} TO {new};"
    )
    backwards = (
        f"ALTER TABLE {table} RENAME COLUMN {new} TO {old};"
        f" ALTER TABLE {table} ALTER COLUMN {old} TYPE bigint"
        f" USING round(extract(epoch FROM {old}) * 1000)::bigint;"
    )
    field = signals_app.models.fields.MomentField(db_column=new, **_OPTIONS.get(old, {}))
    return migrations.SeparateDatabaseAndState(
        [migrations.RunSQL(forwards, backwards)],
        [migrations.AlterField(_MODELS[table], old, field)],
    )


class Migration(migrations.Migration):
    dependencies = [("signals_app", "0013_signals_name_their_kinds")]

    operations = [
        migrations.RemoveConstraint("analysis", "one_analysis_per_close"),
        migrations.RemoveConstraint("decision", "one_decision_per_close"),
        migrations.RemoveIndex("analysis", "analysis_incomplete"),
        migrations.RemoveIndex("decision", "decision_open"),
        *(
            migrations.RenameField(model, "symbol", "instrument")
            for model in ("streamposition", "analysis", "decision", "connectorevent")
        ),
        *(
            _as_time(table, old, new)
            for table, columns in _TIMES.items()
            for old, new in columns.items()
        ),
        migrations.AddConstraint(
            "analysis",
            models.UniqueConstraint(
                fields=("instrument", "timeframe", "close_time_ms"), name="one_analysis_per_close"
            ),
        ),
        migrations.AddConstraint(
            "decision",
            models.UniqueConstraint(
                fields=("instrument", "close_time_ms"), name="one_decision_per_close"
            ),
        ),
        migrations.AddIndex(
            "analysis",
            models.Index(
                fields=["instrument", "due_at"],
                condition=models.Q(("completed_at", None)),
                name="analysis_incomplete",
            ),
        ),
        migrations.AddIndex(
            "decision",
            models.Index(
                fields=["instrument", "close_time_ms"],
                condition=models.Q(("outcome__in", ("PENDING", "OPENING"))),
                name="decision_open",
            ),
        ),
    ]
