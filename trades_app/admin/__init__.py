"""What an operator sees of trades and messages."""

from trades_app.admin import trades

__all__ = ("trades",)
