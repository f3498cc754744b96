"""What closed candles from a connector must be like. Pure."""

from collections.abc import Sequence
from typing import Final

from mt5_bridge.protocol.wire import CandleRow
from signals_app.gateway.limits import MAXIMUM_AHEAD_MS
from signals_app.market.candle import Timeframe
from signals_app.market.instrument import HIGHEST_PRICE

_MAXIMUM_VOLUME: Final = 2**53


def history_fault(rows: Sequence[CandleRow], timeframe: Timeframe, now_ms: int) -> str | None:
    """What is wrong with candles that should be closed, aligned and in order; `None` if nothing."""
    previous_ms = None
    for place, row in enumerate(rows):
        if not all(
            0 < price <= HIGHEST_PRICE for price in (row.open, row.high, row.low, row.close)
        ):
            return f"candle {place} has a price that cannot be"
        if row.high < max(row.open, row.close) or row.low > min(row.open, row.close):
            return f"candle {place} does not hold its open and close"
        if not 0 <= row.volume <= _MAXIMUM_VOLUME:
            return f"candle {place} has no valid volume"
        if row.time_ms < 0 or row.time_ms % timeframe.milliseconds:
            return f"candle {place} does not open on {timeframe.value}"
        if previous_ms is not None and row.time_ms <= previous_ms:
            return f"candle {place} is not later than the one before"
        if row.time_ms + timeframe.milliseconds > now_ms + MAXIMUM_AHEAD_MS:
            return f"candle {place} is not closed yet"
        previous_ms = row.time_ms
    return None
