"""What each instrument earned on each day."""

from django.db import models

from signals_app.models import fields


class PerformanceMetric(models.Model):
    """One instrument's closed trades of one UTC day; computed from the trades, and again at will.

    Trades that ended at exactly nothing are neither winning nor losing. `win_rate` (percent) and
    `average_rr` (mean profit in units of the risk taken) are null where no trade decides them.
    """

    metric_id = models.AutoField(primary_key=True)
    instrument = fields.symbol()
    date = models.DateField()
    total_signals = models.IntegerField()
    winning_trades = models.IntegerField()
    losing_trades = models.IntegerField()
    win_rate = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    average_rr = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    total_pips = models.DecimalField(max_digits=10, decimal_places=2)
    total_profit_loss = fields.money()
    calculated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "performance_metrics"
        constraints = (
            models.UniqueConstraint(fields=("instrument", "date"), name="idx_instrument_date"),
        )

    def __str__(self) -> str:
        return f"{self.instrument} {self.date}"
