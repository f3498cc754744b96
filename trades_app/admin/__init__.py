"""What an operator sees of trades and messages."""

from trades_app.admin import outbox, trades

__all__ = ("outbox", "trades")
