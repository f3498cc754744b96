"""Trades and every change of them."""

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now

from signals_app.market.direction import Direction
from signals_app.models import Signal, fields
from signals_app.models.values import ValueColumns
from trades_app.lifecycle import trade as core
from trades_app.lifecycle.trade import CloseOrder, EventKind, TradeStatus


class TradeQuerySet(models.QuerySet["Trade"]):
    def open(self) -> "TradeQuerySet":
        """The trades that ticks still move."""
        return self.filter(exit_time=None).exclude(status=TradeStatus.CANCELLED)

    def in_record_order(self) -> "TradeQuerySet":
        """All in the order of the record: by their signal's close, instrument and id."""
        return self.select_related("signal").order_by(
            "signal__timestamp", "instrument", "signal_id"
        )


class Trade(models.Model):
    """One trade as it stands after its last event; the core's `Trade` is its value."""

    trade_id = models.AutoField(primary_key=True)
    signal = models.OneToOneField(Signal, on_delete=models.PROTECT, related_name="trade")
    instrument = fields.symbol()
    direction = fields.kind(Direction, max_length=4)
    status = fields.kind(TradeStatus, max_length=20)
    lots = fields.lots()
    remaining_lots = fields.lots()
    entry_time = models.DateTimeField()
    entry_price = fields.price()
    exit_time = models.DateTimeField(null=True, blank=True)
    exit_price = fields.price(null=True, blank=True)
    exit_reason = fields.kind(EventKind, max_length=20, blank=True)
    stop_loss = fields.price(help_text="the stop in force")
    initial_stop_loss = fields.price()
    take_profit_1 = fields.price()
    take_profit_2 = fields.price()
    zone_top = fields.price()
    zone_bottom = fields.price()
    initial_risk = fields.money(help_text="money lost at the first stop")
    profit_loss = fields.money(help_text="realised so far, net of costs")
    profit_loss_pips = fields.pips()
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
    rate = fields.price(
        null=True,
        blank=True,
        help_text="price of the pair that its money is exchanged at; null: none is needed",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = TradeQuerySet.as_manager()
    columns: ClassVar = ValueColumns(
        core.Trade,
        parts={
            "close_order": ValueColumns(
                CloseOrder, names={"after_ordinal": "close_after_ordinal", "from_ms": "close_from"}
            )
        },
    )

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
        """Whether ticks still move it."""
        return self.exit_time is None and self.status != TradeStatus.CANCELLED

    def value(self) -> core.Trade:
        """The core's value of this row."""
        return self.columns.value(self)

    def fill(self, trade: core.Trade) -> None:
        """Set the row to the core's value; `value` gives exactly that value back."""
        for column, held in self.columns.of(trade).items():
            setattr(self, column, held)


class TradeEvent(models.Model):
    """One transition of a trade, and the tick that caused it. Never changed, never removed."""

    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, related_name="events")
    number = models.PositiveSmallIntegerField(help_text="its place in the trade's life, from 1")
    kind = fields.kind(EventKind, max_length=20)
    before = fields.kind(TradeStatus, max_length=20)
    after = fields.kind(TradeStatus, max_length=20)
    time = models.DateTimeField(help_text="the tick's own time")
    ordinal = models.BigIntegerField(help_text="the tick's place in its symbol's stream")
    price = fields.price(null=True)
    lots = fields.lots()
    profit = fields.money()
    pips = fields.pips()
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

    columns: ClassVar = ValueColumns(core.TradeEvent)

    class Meta:
        db_table = "trade_events"
        ordering = ("trade", "number")
        constraints = (
            models.UniqueConstraint(fields=("trade", "number"), name="one_event_per_number"),
        )
        indexes = (models.Index(fields=("ordinal",), name="event_ordinal"),)

    def __str__(self) -> str:
        return f"{self.trade_id} {self.number} {self.kind}"

    @classmethod
    def of(cls, event: core.TradeEvent, **others: Any) -> "TradeEvent":
        """An unsaved row of the core's value, and of what is known beside it."""
        return cls(**cls.columns.of(event), **others)

    def value(self) -> core.TradeEvent:
        """The core's value of this row."""
        return self.columns.value(self)
