"""Walks of M15 candles with the H1 and H4 candles that they make, and closes of them."""

import numpy as np
from hypothesis import strategies as st

from reports_app.backtest.columns import resample
from signals_app.confluence.screening import ENDS
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.tick import Int64s, quantise_all

#: A Monday at midnight.
MONDAY_MS = 1_704_672_000_000
QUARTER_MS = Timeframe.M15.milliseconds


@st.composite
def markets(draw: st.DrawFn) -> dict[Timeframe, Candles]:
    """A walk of M15 candles with trends and holes, and the H1 and H4 candles that it makes."""
    numbers = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(200, 1200))
    step = draw(st.sampled_from([0.2, 2.0]))
    trend = np.repeat(numbers.normal(0, step / 2, count // 50 + 1), 50)[:count]
    closes = 2000 + np.cumsum(trend + numbers.normal(0, step, count))
    opens = np.concatenate(([2000.0], closes[:-1])) + numbers.normal(0, step / 10, count)
    wicks = np.abs(numbers.normal(0, step / 2, (2, count)))
    # A coarse grid makes equal highs and lows, and candles without range.
    grid = draw(st.sampled_from([1e-5, step / 2]))
    opens, closes = np.rint(opens / grid) * grid, np.rint(closes / grid) * grid
    wicks = np.rint(wicks / grid) * grid
    places = np.cumsum(numbers.choice([1, 1, 1, 1, 1, 1, 1, 9], count))
    m15 = Candles(
        MONDAY_MS + places * QUARTER_MS,
        quantise_all(opens),
        quantise_all(np.maximum(opens, closes) + wicks[0]),
        quantise_all(np.minimum(opens, closes) - wicks[1]),
        quantise_all(closes),
        numbers.integers(0, 50, count).astype(np.float64),
    )
    return {timeframe: resample(m15, timeframe) for timeframe in Timeframe if timeframe in ENDS}


def ends_of(market: dict[Timeframe, Candles], count: int) -> Int64s:
    """The windows' ends at ``count`` of the closes, from the first with all timeframes on."""
    closes = market[Timeframe.M15].time_ms + QUARTER_MS
    ends = np.stack(
        [
            np.searchsorted(market[name].time_ms + name.milliseconds, closes, side="right")
            for name in ENDS
        ],
        axis=1,
    )
    ends = ends[ends.min(axis=1) > 0]
    return ends[np.linspace(0, len(ends) - 1, count).astype(int)]
