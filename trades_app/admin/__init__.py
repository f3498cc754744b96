"""What an operator sees of trades and messages."""

from trades_app.admin import actions, outbox, shadow_trades, trades

__all__ = ("actions", "outbox", "shadow_trades", "trades")
