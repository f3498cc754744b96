"""Screened closes: the kernel and its readable twin agree, and nothing worth deciding is lost."""

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports_app.backtest.columns import resample
from signals_app.confluence import screening
from signals_app.confluence.ceilings import ceiling, lost_to_the_session
from signals_app.confluence.scoring import score
from signals_app.confluence.screening import ENDS, Screen, screen_of
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.direction import Direction
from signals_app.market.tick import Float64s, Int64s, quantise_all
from signals_app.smc.readable import view
from signals_app.smc.views import TimeframeView

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


def readable_screen(candles: Mapping[Timeframe, Candles], threshold: float) -> Screen:
    """`screen_of` by the values that the rest of the product reads."""

    # Windows of H4 and H1 serve several closes in a row.
    seen = {timeframe: _last_view(candles[timeframe], timeframe) for timeframe in ENDS}

    def screen(ends: Int64s) -> Float64s:
        ceilings = np.full((len(ends), 2), -np.inf)
        for row, together in enumerate(ends.tolist()):
            h4, h1, m15 = (seen[name](end) for name, end in zip(ENDS, together, strict=True))
            for place, direction in enumerate(Direction):
                most = ceiling((h4, h1, m15), direction)
                if most >= threshold:
                    ceilings[row, place] = most
        return ceilings

    return screen


def _last_view(candles: Candles, timeframe: Timeframe) -> Callable[[int], TimeframeView]:
    @lru_cache(maxsize=1)
    def seen(end: int) -> TimeframeView:
        return view(candles.window(end), timeframe)

    return seen


@settings(max_examples=25, deadline=None)
@given(markets(), st.sampled_from([30.0, 55.0, 70.0, 80.0]))
def test_the_kernel_says_what_the_readable_ceilings_say(market, threshold) -> None:
    ends = ends_of(market, 12)

    compiled = screen_of(market, threshold)(ends)
    readable = readable_screen(market, threshold)(ends)

    # Sums of points in another order: what lies on the threshold may fall on either side.
    clear = np.abs(readable_screen(market, 0.0)(ends) - threshold) > 1e-6
    assert ((compiled >= threshold) == (readable >= threshold))[clear].all()
    kept = (compiled >= threshold) & (readable >= threshold)
    assert compiled[kept] == pytest.approx(readable[kept], abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(markets(), st.sampled_from([30.0, 55.0, 70.0, 80.0]))
def test_a_close_that_is_pruned_never_would_have_reached_the_threshold(market, threshold) -> None:
    ends = ends_of(market, 12)
    ceilings = screen_of(market, threshold)(ends)

    for row, together in enumerate(ends.tolist()):
        h4, h1, m15 = (
            view(market[name].window(end), name) for name, end in zip(ENDS, together, strict=True)
        )
        for place, direction in enumerate(Direction):
            reached = score(h4, h1, m15, direction).total
            assert ceilings[row, place] >= threshold or reached < threshold
            if ceilings[row, place] >= threshold:
                lost = lost_to_the_session(m15.close_time_ms)
                assert reached <= ceilings[row, place] - lost + 1e-9


def test_no_closes_have_no_ceilings() -> None:
    nothing = {timeframe: Candles.of(()) for timeframe in ENDS}

    for screen in (screen_of(nothing, 80.0), readable_screen(nothing, 80.0)):
        assert screen(np.empty((0, 3), dtype=np.int64)).shape == (0, 2)


@given(market=markets())
@settings(max_examples=1)
def test_warming_up_compiles_all_that_screening_real_candles_needs(
    market: dict[Timeframe, Candles],
) -> None:
    from signals_app.smc.compiled import kernel

    screening.warm_up()
    compiled = len(kernel.score_ceilings.signatures)
    screen_of(market, 60.0)(ends_of(market, 20))
    assert len(kernel.score_ceilings.signatures) == compiled
