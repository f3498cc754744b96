"""What an operator sees of trades and messages."""

from trades_app.admin import actions, channels, outbox, shadow_trades, trades

__all__ = ("actions", "channels", "outbox", "shadow_trades", "trades")
