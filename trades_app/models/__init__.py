"""Trades, every change of them, shadow trades and the outbox."""

from trades_app.models.trade import (
    Message,
    MessageQuerySet,
    ShadowPosition,
    ShadowTrade,
    Trade,
    TradeEvent,
    TradeQuerySet,
)

__all__ = (
    "Message",
    "MessageQuerySet",
    "ShadowPosition",
    "ShadowTrade",
    "Trade",
    "TradeEvent",
    "TradeQuerySet",
)
