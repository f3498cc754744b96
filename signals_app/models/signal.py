"""Signals: what was said, once, with the numbers it was said with."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from signals_app.confluence.signal import TradingSignal
from signals_app.market.calendar import TradingSession
from signals_app.market.direction import Direction
from signals_app.models import fields
from signals_app.models.strategy import Strategy
from signals_app.models.values import ValueColumns
from signals_app.probability.estimate import Measured


class SignalQuerySet(models.QuerySet["Signal"]):
    def active(self) -> "SignalQuerySet":
        """The signals whose trade is not over."""
        return self.filter(status=Signal.Status.ACTIVE)

    def in_record_order(self) -> "SignalQuerySet":
        """All in the order of the record: by candle close, instrument and id."""
        return self.order_by("timestamp", "instrument", "signal_id")


class Signal(models.Model):
    """One emitted signal. Nothing in it changes later but `status`."""

    class Status(models.TextChoices):
        """Whether its trade still runs."""

        ACTIVE = "ACTIVE"
        CLOSED = "CLOSED"

    signal_id = models.CharField(max_length=50, primary_key=True)
    instrument = fields.symbol()
    direction = fields.kind(Direction, max_length=4)
    entry_price = fields.price()
    stop_loss = fields.price()
    take_profit_1 = fields.price()
    take_profit_2 = fields.price()
    risk_reward_ratio = models.DecimalField(max_digits=5, decimal_places=2)
    position_size = fields.lots()
    risk_percentage = models.DecimalField(max_digits=5, decimal_places=2)
    setup_type = models.CharField(max_length=100)
    market_structure = models.CharField(max_length=50)
    confluence_factors = models.JSONField(default=list)
    confidence_score = models.DecimalField(max_digits=5, decimal_places=2)
    h4_context = models.TextField()
    h1_context = models.TextField()
    m15_context = models.TextField()
    session = fields.kind(TradingSession, max_length=20)
    timestamp = models.DateTimeField(help_text="close of the candle that it was made on")
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.ACTIVE)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    zone_top = fields.price()
    zone_bottom = fields.price()
    entry_ordinal = models.BigIntegerField(help_text="the tick that it is entered at")
    entry_time = models.DateTimeField(help_text="time of the entry tick")
    strategy = models.ForeignKey(Strategy, on_delete=models.PROTECT, related_name="signals")
    record_hash = models.CharField(
        max_length=64, blank=True, editable=False, help_text="its link to the signal before it"
    )
    probability = models.FloatField(
        null=True, blank=True, help_text="measured, 0 to 1; null: not measured"
    )
    probability_low = models.FloatField(null=True, blank=True, help_text="Wilson 95 %")
    probability_high = models.FloatField(null=True, blank=True, help_text="Wilson 95 %")
    probability_n = models.PositiveIntegerField(null=True, blank=True, help_text="outcomes")
    probability_random = models.FloatField(
        null=True, blank=True, help_text="how often matched random entries won, 0 to 1"
    )
    probability_of = models.CharField(
        max_length=100, blank=True, help_text="the measured event that it leans on"
    )

    objects = SignalQuerySet.as_manager()
    columns: ClassVar = ValueColumns(TradingSignal)
    measured_columns: ClassVar = ValueColumns(
        Measured,
        names={
            "p": "probability",
            "low": "probability_low",
            "high": "probability_high",
            "n": "probability_n",
            "random": "probability_random",
        },
    )

    class Meta:
        db_table = "signals"
        constraints = (
            models.UniqueConstraint(
                fields=("instrument", "timestamp", "strategy"), name="one_signal_per_close"
            ),
        )
        indexes = (
            models.Index(fields=("instrument", "status"), name="idx_instrument_status"),
            models.Index(fields=("created_at",), name="idx_created_at"),
            models.Index(fields=("-timestamp", "-signal_id"), name="signal_newest"),
        )

    def __str__(self) -> str:
        return self.signal_id

    @classmethod
    def of(cls, signal: TradingSignal, strategy: Strategy) -> "Signal":
        """An unsaved row of the core's value; its link and probability are still missing."""
        return cls(**cls.columns.of(signal), strategy=strategy)

    def value(self) -> TradingSignal:
        """The core's value of this row."""
        return self.columns.value(self)

    @property
    def measured(self) -> Measured | None:
        """Its probability as it is printed; `None`: not measured."""
        return self.measured_columns.value_if_any(self)
