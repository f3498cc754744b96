"""Candles of a longer timeframe on the grid of UTC, built from shorter ones."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mt5_bridge.files.timeframes import HOUR_MS
from mt5_bridge.protocol.quotes import DAY_MS

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]
Columns = tuple[Int64s, Float64s, Float64s, Float64s, Float64s, Float64s]
"""Times, opens, highs, lows, closes and volumes, oldest first."""

# The first of January 1970 was a Thursday.
_FRIDAY = 1
_CLOSING_HOUR = 20


def rebuild(shorter: Columns, shorter_ms: int, length_ms: int) -> Columns:
    """Join candles of ``shorter_ms`` to whole ones of ``length_ms``.

    A first or last one of which a part is missing is left out; that the market is closed for the
    weekend is no missing part.
    """
    times, opens, highs, lows, closes, volumes = shorter
    if not len(times):
        return shorter
    openings = times - times % length_ms
    starts = np.flatnonzero(np.diff(openings, prepend=openings[0] - 1))
    ends = np.append(starts[1:], len(times)) - 1
    is_whole = _is_whole(int(times[-1]), shorter_ms, length_ms)
    kept = slice(1 if times[0] > openings[0] else 0, len(starts) if is_whole else len(starts) - 1)
    return (
        openings[starts][kept],
        opens[starts][kept],
        np.maximum.reduceat(highs, starts)[kept],
        np.minimum.reduceat(lows, starts)[kept],
        closes[ends][kept],
        np.add.reduceat(volumes, starts)[kept],
    )


def best_source(firsts: Mapping[int, int], length_ms: int) -> int | None:
    """Choose what to build from: of the timeframes shorter than ``length_ms`` the longest history.

    ``firsts`` are the first opening of each timeframe by its length; of equals the longer one.
    """
    shorter = [length for length in firsts if length < length_ms and length_ms % length == 0]
    return min(shorter, key=lambda length: (firsts[length], -length), default=None)


def _is_whole(last_ms: int, shorter_ms: int, length_ms: int) -> bool:
    """Whether the longer candle that the last shorter one belongs to has ended."""
    if (last_ms + shorter_ms) % length_ms == 0:
        return True
    is_friday = last_ms // DAY_MS % 7 == _FRIDAY
    return is_friday and last_ms % DAY_MS >= _CLOSING_HOUR * HOUR_MS
