"""Trades that strategies in shadow would have made, and how far each strategy has come."""

from collections.abc import Sequence
from typing import Any

import msgspec
from django.db import models
from django.db.models.functions import Now

from signals_app.market.calendar import utc
from signals_app.models import Strategy, fields
from trades_app.lifecycle.trade import Trade, TradeEvent


class ShadowTradeQuerySet(models.QuerySet["ShadowTrade"]):
    """Named questions about trades made in shadow."""

    def open(self) -> "ShadowTradeQuerySet":
        """The trades that ticks still move."""
        return self.filter(is_open=True)


class ShadowTrade(models.Model):
    """A trade that a strategy in shadow would have made: on paper, announced to nobody.

    `signal`, `trade` and `events` hold the core's values whole; the other columns repeat of them
    what is asked for. No part of the live record refers to it.
    """

    strategy = models.ForeignKey(Strategy, on_delete=models.PROTECT, related_name="shadow_trades")
    instrument = fields.symbol()
    close_time = models.DateTimeField(help_text="the close that it was decided on")
    signal = models.JSONField()
    trade = models.JSONField()
    events = models.JSONField(default=list)
    is_open = models.BooleanField()
    entry_ordinal = models.BigIntegerField(help_text="the tick that it was entered at")
    exit_ordinal = models.BigIntegerField(null=True, blank=True)
    exit_time = models.DateTimeField(null=True, blank=True)
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
                fields=("strategy", "instrument", "close_time"), name="one_shadow_trade_per_close"
            ),
        )
        indexes = (
            models.Index(
                fields=("instrument",), condition=models.Q(is_open=True), name="shadow_trade_open"
            ),
        )

    def __str__(self) -> str:
        return str(self.signal.get("signal_id", self.pk))

    def value(self) -> Trade:
        """The core's value of the trade."""
        return msgspec.convert(self.trade, Trade)

    def event_values(self) -> tuple[TradeEvent, ...]:
        """The core's values of its events, in order."""
        return msgspec.convert(self.events, tuple[TradeEvent, ...])

    def fill(self, trade: Trade, events: Sequence[TradeEvent]) -> None:
        """Set the row to the core's value and add these events to its own."""
        happened: list[Any] = msgspec.to_builtins(events)
        self.trade = msgspec.to_builtins(trade)
        self.events = [*self.events, *happened]
        self.is_open = trade.is_open
        self.exit_ordinal = trade.exit_ordinal
        self.exit_time = None if trade.exit_time_ms is None else utc(trade.exit_time_ms)
        self.profit_loss, self.r_multiple = trade.profit_loss, trade.r_multiple


class ShadowPosition(models.Model):
    """How far a strategy in shadow has followed a symbol's decided closes.

    Locking this row is the right to follow. `skipped` counts, by reason, the closes since
    `began_at` that made no trade.
    """

    strategy = models.ForeignKey(
        Strategy, on_delete=models.PROTECT, related_name="shadow_positions"
    )
    instrument = fields.symbol()
    began_at = models.DateTimeField(null=True, help_text="the last close before; null: none was")
    close_time = models.DateTimeField(null=True, help_text="the last close followed; null: none")
    skipped = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "shadow_positions"
        constraints = (
            models.UniqueConstraint(fields=("strategy", "instrument"), name="one_shadow_position"),
        )

    def __str__(self) -> str:
        return f"{self.strategy_id} {self.instrument} at {self.close_time}"
