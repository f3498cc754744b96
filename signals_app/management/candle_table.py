"""The table that `manage.py candles` prints."""

from collections.abc import Iterable

from signals_app.market.calendar import iso
from signals_app.market.candle import Candle
from signals_app.market.instrument import PRICE_DECIMALS


def candle_table(candles: Iterable[Candle]) -> str:
    """Lines of equal columns below their headings: opening time in UTC, prices, ticks."""
    lines = [f"{'time':<20} {'open':>12} {'high':>12} {'low':>12} {'close':>12} {'volume':>8}"]
    for candle in candles:
        prices = (candle.open, candle.high, candle.low, candle.close)
        shown = " ".join(f"{price:>12.{PRICE_DECIMALS}f}" for price in prices)
        lines.append(f"{iso(candle.time_ms):<20} {shown} {int(candle.volume):>8}")
    return "\n".join(lines)
