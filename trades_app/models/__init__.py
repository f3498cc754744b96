"""Trades, every change of them, shadow trades and the outbox."""

from trades_app.models.notification import Message, MessageQuerySet
from trades_app.models.shadow import ShadowPosition, ShadowTrade
from trades_app.models.trade import (
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
