"""What each instrument earned, and the digests that prove its track record."""

from django.db import models
from django.db.models.functions import Now

from reports_app.performance.statistics import Period
from signals_app.models import fields

#: Years are added up where they are shown.
PERFORMANCE_PERIODS = (Period.DAY, Period.WEEK, Period.MONTH)


class PerformanceMetric(models.Model):
    """One instrument's day, week (from Monday) or month, in UTC; computed from the trades.

    Trades count where they closed, signals where they were made. Trades that ended at exactly
    nothing are neither winning nor losing. What no trade decides is null. The `by_...` hold the
    same figures for each session, setup and direction.
    """

    metric_id = models.AutoField(primary_key=True)
    instrument = fields.symbol()
    period = models.CharField(
        max_length=5,
        choices=[(each.value, each.name.capitalize()) for each in PERFORMANCE_PERIODS],
        default=Period.DAY.value,
    )
    date = models.DateField(help_text="first day of the period")
    total_signals = models.IntegerField()
    closed_trades = models.IntegerField(default=0)
    winning_trades = models.IntegerField()
    losing_trades = models.IntegerField()
    win_rate = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, help_text="percent of wins and losses"
    )
    average_rr = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        null=True,
        help_text="expectancy in R: mean profit in units of the risk taken",
    )
    planned_risk_reward = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, help_text="average R:R that the signals promised"
    )
    profit_factor = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, help_text="money won by money lost"
    )
    total_pips = fields.pips()
    total_profit_loss = fields.money()
    maximum_drawdown = fields.money(
        default=0, help_text="deepest fall of the summed profits below their highest point"
    )
    by_session = models.JSONField(default=dict)
    by_setup = models.JSONField(default=dict)
    by_direction = models.JSONField(default=dict)
    calculated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "performance_metrics"
        constraints = (
            models.UniqueConstraint(
                fields=("instrument", "date", "period"), name="idx_instrument_date"
            ),
        )

    def __str__(self) -> str:
        return f"{self.instrument} {self.period} {self.date}"


class RecordDay(models.Model):
    """The digest of one instrument's UTC day: its signals and trade events, in their order.

    Written once, when no tick or decision of the day can come any more. `previous` is the digest
    of the instrument's last day before, empty for the first; days without entries have no row.
    """

    instrument = fields.symbol()
    date = models.DateField()
    signals = models.PositiveIntegerField()
    events = models.PositiveIntegerField()
    previous = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)
    sealed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "record_days"
        constraints = (
            models.UniqueConstraint(fields=("instrument", "date"), name="one_digest_per_day"),
        )

    def __str__(self) -> str:
        return f"{self.instrument} {self.date} {self.digest[:12]}"


class RecordSeal(models.Model):
    """What a sealed day stood on, kept apart from it: candles, decisions, probabilities, messages.

    Written once. `number` counts the instrument's sealed days from 1, `covered` holds how many rows
    of each part there were and their digest, and `link` chains the seals (`track_record.evidence`).
    """

    instrument = fields.symbol()
    number = models.PositiveIntegerField()
    date = models.DateField()
    day_digest = models.CharField(max_length=64)
    covered = models.JSONField()
    previous = models.CharField(max_length=64, blank=True)
    link = models.CharField(max_length=64)
    sealed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "record_seals"
        constraints = (
            models.UniqueConstraint(fields=("instrument", "number"), name="one_seal_per_number"),
        )

    def __str__(self) -> str:
        return f"{self.instrument} {self.number} {self.date} {self.link[:12]}"


class RecordPublication(models.Model):
    """A digest that went into a report, kept apart from the outbox. Written once."""

    instrument = fields.symbol()
    key = models.CharField(max_length=80, unique=True, help_text="the report's in the outbox")
    digest = models.CharField(max_length=64)
    published_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "record_publications"

    def __str__(self) -> str:
        return f"{self.key} {self.digest[:12]}"
