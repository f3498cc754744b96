"""Candles of the terminal: M15 for the history that is sent, H1 to see when weeks end."""

from typing import Final

import numpy as np

from mt5_bridge.files.history import MAXIMUM_CANDLES
from mt5_bridge.protocol.wire import CandleRow
from mt5_bridge.sources.terminal.opening import Terminal
from mt5_bridge.sources.terminal.server_clock import ClockEvidence, weekly_closes
from mt5_bridge.sources.terminal.tick_window import Rows

_YEAR_OF_HOURS: Final = 6_500
"""H1 candles of a year, in which the weeks' ends are looked for."""
# Enough for the H1 candles, and for the H4 candles that the analysis looks at.
_M15_CANDLES: Final = MAXIMUM_CANDLES * 2 + 16 * 210
_FEWEST: Final = 100


def m15_candles(terminal: Terminal, symbol: str, clock: ClockEvidence) -> list[CandleRow]:
    """Closed M15 candles in UTC, oldest first, as far as their UTC is certain."""
    rates = _rates(terminal, symbol, terminal.TIMEFRAME_M15, _M15_CANDLES)
    if rates is None or not len(rates):
        return []
    times, certain = clock.to_utc(rates["time"].astype(np.int64) * 1000)
    columns = ("open", "high", "low", "close", "tick_volume")
    return [
        CandleRow(time_ms, *map(float, values))
        for time_ms, *values in zip(
            times[:certain].tolist(), *(rates[name].tolist() for name in columns), strict=False
        )
    ]


def closes_of_weeks(terminal: Terminal, symbol: str) -> list[int] | None:
    """The server times of the past year's weekly closes; None where there is no answer."""
    rates = _rates(terminal, symbol, terminal.TIMEFRAME_H1, _YEAR_OF_HOURS)
    return None if rates is None else weekly_closes(rates["time"].astype(np.int64) * 1000)


def _rates(terminal: Terminal, symbol: str, timeframe: int, count: int) -> Rows | None:
    """Up to ``count`` candles before the forming one, oldest first; None on failure."""
    while count >= _FEWEST:
        rates: Rows | None = terminal.copy_rates_from_pos(symbol, timeframe, 1, count)
        if rates is not None:
            return rates
        # A terminal that holds fewer candles than asked for may give none at all.
        count //= 2
    return None
