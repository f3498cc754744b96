"""Ticks to candles: the one place where a candle is made, live, offline and in the backtest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from signals_app.market.candle import TIMEFRAMES, Candle, Timeframe
from signals_app.market.tick import Ticks


@dataclass(frozen=True, slots=True)
class ClosedCandle:
    """A candle that can no longer change.

    `closed_by` is the ordinal of the first tick at or after the candle's end; `None` where a
    watermark closed it before that tick came.
    """

    timeframe: Timeframe
    candle: Candle
    closed_by: int | None

    @property
    def close_time_ms(self) -> int:
        """The candle's end in Unix ms, which is when it closed."""
        return self.candle.time_ms + self.timeframe.milliseconds


Forming: TypeAlias = Mapping[Timeframe, Candle]


def aggregate(forming: Forming, ticks: Ticks) -> tuple[Forming, list[ClosedCandle]]:
    """Add ticks to the forming candles: the new forming candles, and those that closed.

    Candles hold bid prices and are aligned to UTC midnight; an interval without ticks makes none.
    The closed ones are in order of their end, of equal ends the shorter timeframe first.
    """
    if not len(ticks):
        return forming, []
    still_forming = dict(forming)
    closed: list[ClosedCandle] = []
    for timeframe in TIMEFRAMES:
        candles, first_ordinals = _candles_of(ticks, timeframe)
        previous = forming.get(timeframe)
        if previous is not None and previous.time_ms == candles[0].time_ms:
            candles[0] = _merged(previous, candles[0])
        elif previous is not None:
            closed.append(ClosedCandle(timeframe, previous, first_ordinals[0]))
        closed += [
            ClosedCandle(timeframe, candle, closed_by)
            for candle, closed_by in zip(candles[:-1], first_ordinals[1:], strict=True)
        ]
        still_forming[timeframe] = candles[-1]
    return still_forming, sorted(closed, key=_closing_order)


def close_until(forming: Forming, watermark_ms: int) -> tuple[Forming, list[ClosedCandle]]:
    """Close the forming candles whose end the watermark has passed.

    The watermark says that no tick at or before it is still to come (see "Watermarks" in
    docs/reference/wire.md).
    """
    closed = [
        ClosedCandle(timeframe, candle, None)
        for timeframe, candle in forming.items()
        if candle.time_ms + timeframe.milliseconds <= watermark_ms
    ]
    gone = {candle.timeframe for candle in closed}
    still_forming = {key: value for key, value in forming.items() if key not in gone}
    return still_forming, sorted(closed, key=_closing_order)


def candles_of(
    runs: Iterable[Ticks], timeframe: Timeframe, *, include_forming: bool = False
) -> list[Candle]:
    """The candles of one timeframe that these ticks, in order of time, close.

    ``include_forming`` adds the last candle, which no later tick has closed.
    """
    forming: Forming = {}
    candles: list[Candle] = []
    for ticks in runs:
        forming, closed = aggregate(forming, ticks)
        candles += [each.candle for each in closed if each.timeframe is timeframe]
    if include_forming and timeframe in forming:
        candles.append(forming[timeframe])
    return candles


def _closing_order(closed: ClosedCandle) -> tuple[int, int]:
    return closed.close_time_ms, closed.timeframe.milliseconds


def _candles_of(ticks: Ticks, timeframe: Timeframe) -> tuple[list[Candle], list[int]]:
    """The candles of these ticks alone, and the ordinal of each one's first tick."""
    openings = ticks.time_ms - ticks.time_ms % timeframe.milliseconds
    starts = np.concatenate(([0], np.flatnonzero(np.diff(openings)) + 1))
    ends = np.concatenate((starts[1:], [len(ticks)]))
    columns = (
        openings[starts],
        ticks.bid[starts],
        np.maximum.reduceat(ticks.bid, starts),
        np.minimum.reduceat(ticks.bid, starts),
        ticks.bid[ends - 1],
        (ends - starts).astype(np.float64),
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Candle(*row) for row in rows], (starts + ticks.first_ordinal).tolist()


def _merged(earlier: Candle, later: Candle) -> Candle:
    return replace(
        earlier,
        high=max(earlier.high, later.high),
        low=min(earlier.low, later.low),
        close=later.close,
        volume=earlier.volume + later.volume,
    )
