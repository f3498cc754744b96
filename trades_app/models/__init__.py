"""Trades, every change of them, shadow trades, the outbox and its channels."""

from trades_app.models.channel import CallWindow, Channel, ChannelDelivery, TelegramBot
from trades_app.models.notification import Message, MessageQuerySet
from trades_app.models.shadow import ShadowPosition, ShadowTrade
from trades_app.models.trade import (
    Trade,
    TradeEvent,
    TradeQuerySet,
)

__all__ = (
    "CallWindow",
    "Channel",
    "ChannelDelivery",
    "Message",
    "MessageQuerySet",
    "ShadowPosition",
    "ShadowTrade",
    "TelegramBot",
    "Trade",
    "TradeEvent",
    "TradeQuerySet",
)
