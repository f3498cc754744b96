"""Screened closes: the kernel and its readable twin agree, and nothing worth deciding is lost."""

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals_app.confluence.ceilings import ceiling, lost_to_the_session
from signals_app.confluence.scoring import score
from signals_app.confluence.screening import ENDS, Screen, screen_of
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.direction import Direction
from signals_app.market.tick import Float64s, Int64s
from signals_app.smc.readable import view
from signals_app.smc.views import TimeframeView
from tests.signals_app.confluence.walks import ends_of, markets


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
