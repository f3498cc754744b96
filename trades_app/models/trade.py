"""Trades and every change of them, live and in shadow."""

from django.db import models
from django.db.models.functions import Now

from signals_app.models import Signal, Strategy, fields


class TradeQuerySet(models.QuerySet["Trade"]):
    """Named questions about trades."""

    def open(self) -> "TradeQuerySet":
        """Return the trades that ticks still move."""
        return self.filter(exit_time=None).exclude(status="CANCELLED")

    def told(self) -> "TradeQuerySet":
        """Return all in the order of the record: by their signal's close, instrument and id."""
        return self.select_related("signal").order_by(
            "signal__timestamp", "instrument", "signal_id"
        )


class Trade(models.Model):
    """One trade as it stands after its last event; the core's `Trade` is its value."""

    trade_id = models.AutoField(primary_key=True)
    signal = models.OneToOneField(Signal, on_delete=models.PROTECT, related_name="trade")
    instrument = fields.symbol()
    direction = models.CharField(max_length=4)
    status = models.CharField(max_length=20)
    lots = fields.lots()
    remaining_lots = fields.lots()
    entry_time = models.DateTimeField()
    entry_price = fields.price()
    exit_time = models.DateTimeField(null=True, blank=True)
    exit_price = fields.price(null=True, blank=True)
    exit_reason = models.CharField(max_length=20, blank=True)
    stop_loss = fields.price(help_text="the stop in force")
    initial_stop_loss = fields.price()
    take_profit_1 = fields.price()
    take_profit_2 = fields.price()
    zone_top = fields.price()
    zone_bottom = fields.price()
    initial_risk = fields.money(help_text="money lost at the first stop")
    profit_loss = models.DecimalField(
        max_digits=10, decimal_places=2, help_text="realised so far, net of costs"
    )
    profit_loss_pips = models.DecimalField(max_digits=8, decimal_places=2)
    partial_closes = models.JSONField(default=list)
    costs = models.JSONField(default=dict)
    expires_at = models.DateTimeField(null=True, blank=True)
    entry_ordinal = models.BigIntegerField(help_text="the tick that it was entered at")
    exit_ordinal = models.BigIntegerField(null=True, blank=True)
    moved_ordinal = models.BigIntegerField(help_text="the tick of its last event")
    close_after_ordinal = models.BigIntegerField(
        null=True, blank=True, help_text="last tick used when an operator ordered to close it"
    )
    close_from = models.DateTimeField(
        null=True, blank=True, help_text="when that was: the first tick from then on closes it"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = TradeQuerySet.as_manager()

    class Meta:
        db_table = "trades"
        indexes = (
            models.Index(fields=("status",), name="idx_status"),
            models.Index(fields=("entry_time",), name="idx_entry_time"),
            models.Index(
                fields=("instrument",), condition=models.Q(exit_time=None), name="trade_open"
            ),
            models.Index(fields=("instrument", "exit_ordinal"), name="trade_exit"),
        )

    def __str__(self) -> str:
        return f"{self.signal_id} {self.status}"

    @property
    def is_open(self) -> bool:
        """Return whether ticks still move it."""
        return self.exit_time is None and self.status != "CANCELLED"


class TradeEvent(models.Model):
    """One transition of a trade, and the tick that caused it. Never changed, never removed."""

    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, related_name="events")
    number = models.PositiveSmallIntegerField(help_text="its place in the trade's life, from 1")
    kind = models.CharField(max_length=20)
    before = models.CharField(max_length=20)
    after = models.CharField(max_length=20)
    time = models.DateTimeField(help_text="the tick's own time")
    ordinal = models.BigIntegerField(help_text="the tick's place in its symbol's stream")
    price = fields.price(null=True)
    lots = fields.lots()
    profit = fields.money()
    pips = models.DecimalField(max_digits=8, decimal_places=2)
    stop_loss = fields.price()
    found_late_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="how long after its tick's time it was found, where the feed had been cut off",
    )
    record_hash = models.CharField(
        max_length=64,
        blank=True,
        editable=False,
        help_text="its link to the event before it, the first one's to the signal",
    )
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "trade_events"
        ordering = ("trade", "number")
        constraints = (
            models.UniqueConstraint(fields=("trade", "number"), name="one_event_per_number"),
        )
        indexes = (models.Index(fields=("ordinal",), name="event_ordinal"),)

    def __str__(self) -> str:
        return f"{self.trade_id} {self.number} {self.kind}"


class ShadowTradeQuerySet(models.QuerySet["ShadowTrade"]):
    """Named questions about trades made in shadow."""

    def open(self) -> "ShadowTradeQuerySet":
        """Return the trades that ticks still move."""
        return self.filter(is_open=True)


class ShadowTrade(models.Model):
    """A trade that a strategy in shadow would have made: on paper, told to nobody.

    `signal`, `trade` and `events` hold the core's values whole; the other columns repeat of them
    what is asked for. No part of the live record refers to it.
    """

    strategy = models.ForeignKey(Strategy, on_delete=models.PROTECT, related_name="shadow_trades")
    symbol = fields.symbol()
    close_time_ms = models.BigIntegerField(help_text="the close that it was decided on")
    signal = models.JSONField()
    trade = models.JSONField()
    events = models.JSONField(default=list)
    is_open = models.BooleanField()
    entry_ordinal = models.BigIntegerField(help_text="the tick that it was entered at")
    exit_ordinal = models.BigIntegerField(null=True, blank=True)
    exit_time_ms = models.BigIntegerField(null=True, blank=True)
    profit_loss = models.DecimalField(
        max_digits=14, decimal_places=2, help_text="realised so far, net of costs"
    )
    r_multiple = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    failure = models.CharField(
        max_length=200, blank=True, help_text="why it is followed no further; it counts nowhere"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ShadowTradeQuerySet.as_manager()

    class Meta:
        db_table = "shadow_trades"
        constraints = (
            models.UniqueConstraint(
                fields=("strategy", "symbol", "close_time_ms"), name="one_shadow_trade_per_close"
            ),
        )
        indexes = (
            models.Index(
                fields=("symbol",), condition=models.Q(is_open=True), name="shadow_trade_open"
            ),
        )

    def __str__(self) -> str:
        return str(self.signal.get("signal_id", self.pk))


class ShadowPosition(models.Model):
    """How far a strategy in shadow has followed a symbol's decided closes.

    Locking this row is the right to follow. `skipped` counts, by reason, the closes since
    `began_ms` that made no trade.
    """

    strategy = models.ForeignKey(
        Strategy, on_delete=models.PROTECT, related_name="shadow_positions"
    )
    symbol = fields.symbol()
    began_ms = models.BigIntegerField(help_text="the last close before it began")
    close_time_ms = models.BigIntegerField(help_text="the last close followed")
    skipped = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "shadow_positions"
        constraints = (
            models.UniqueConstraint(fields=("strategy", "symbol"), name="one_shadow_position"),
        )

    def __str__(self) -> str:
        return f"{self.strategy_id} {self.symbol} at {self.close_time_ms}"
