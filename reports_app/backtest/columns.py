"""The candles of a run in columns, and longer candles from shorter ones."""

from array import array

import numpy as np

from signals_app.market.candle import Candle, Candles, Timeframe
from signals_app.market.tick import Float64s

_LOGGED = 7


class CandleLog:
    """All M15 candles of a run and the spread at each one's end, for questions afterwards.

    It takes 56 bytes a candle: a year of gold is a megabyte and a half.
    """

    def __init__(self) -> None:
        self._rows = array("d")

    def __len__(self) -> int:
        return len(self._rows) // _LOGGED

    def append(self, candle: Candle, spread: float) -> None:
        """Add the next candle, and the spread (price) of the quote that followed it."""
        self._rows.extend((candle.time_ms, candle.open, candle.high, candle.low, candle.close))
        self._rows.extend((candle.volume, spread))

    def candles(self) -> Candles:
        rows = self._table()
        return Candles(rows[:, 0].astype(np.int64), *(rows[:, n].copy() for n in range(1, 6)))

    def spreads(self) -> Float64s:
        """Prices: the spread of the quote that followed each candle."""
        return self._table()[:, 6].copy()

    def _table(self) -> Float64s:
        return np.array(self._rows, dtype=np.float64).reshape(-1, _LOGGED)


def resample(candles: Candles, timeframe: Timeframe) -> Candles:
    """Build the candles of a longer timeframe, aligned to UTC midnight; volumes add up."""
    if not len(candles):
        return candles
    openings = candles.time_ms - candles.time_ms % timeframe.milliseconds
    starts = np.concatenate(([0], np.flatnonzero(np.diff(openings)) + 1))
    ends = np.concatenate((starts[1:], [len(candles)]))
    return Candles(
        openings[starts],
        candles.open[starts],
        np.maximum.reduceat(candles.high, starts),
        np.minimum.reduceat(candles.low, starts),
        candles.close[ends - 1],
        np.add.reduceat(candles.volume, starts),
    )
