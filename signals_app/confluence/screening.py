"""Which closes can reach the threshold at all, asked of many M15 closes at once.

The kernel works on columns and makes no value for a close that cannot. It holds no lock of the
interpreter's, so that several threads may screen different closes of one market side by side.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from signals_app.confluence import setup, votes
from signals_app.confluence.ceilings import ROUNDING, ceiling
from signals_app.confluence.scoring import WEIGHTS
from signals_app.market.candle import WINDOW, Candles, Timeframe
from signals_app.market.direction import Direction
from signals_app.market.tick import Float64s, Int64s
from signals_app.smc import readable
from signals_app.smc.views import TimeframeView

#: In this order stand the columns of the ends of windows.
ENDS = (Timeframe.H4, Timeframe.H1, Timeframe.M15)
#: From the ends of the windows, a row for each close, to the ceilings of BUY and SELL there.
Screen: TypeAlias = Callable[[Int64s], Float64s]


def screen_of(candles: Mapping[Timeframe, Candles], threshold: float) -> Screen:
    """What gives the `ceilings.ceiling` of both directions at M15 closes of these candles.

    It is asked by how many candles of H4, H1 and M15 had closed, at least one of each, and answers
    minus infinity for a ceiling below the threshold.
    """
    try:
        import numba  # noqa: F401
    except ImportError:
        return readable_screen(candles, threshold)
    return compiled_screen(candles, threshold)


def warm_up() -> None:
    """Load (the first time on a machine: compile) what screens closes."""
    price = np.ones(1)
    candle = Candles(np.zeros(1, dtype=np.int64), price, price, price, price, price)
    screen_of(dict.fromkeys(ENDS, candle), threshold=0.0)(np.ones((1, len(ENDS)), dtype=np.int64))


def compiled_screen(candles: Mapping[Timeframe, Candles], threshold: float) -> Screen:
    """See `screen_of`; by the kernel."""
    # Only now: importing numba takes most of a second, which not every command should pay.
    from signals_app.smc.compiled import kernel
    from signals_app.smc.compiled.detectors import columns
    from signals_app.smc.compiled.rules import RULES, tables

    h4, h1, m15 = (kernel.Columns(*columns(candles[timeframe])) for timeframe in ENDS)
    rules = kernel.VoteRules(**_points(), **_measures(), memory=votes.MEMORY, window=WINDOW)

    def screen(ends: Int64s) -> Float64s:
        rows = np.array(ends, dtype=np.int64).reshape(-1, len(ENDS))
        return kernel.score_ceilings(h4, h1, m15, rows, float(threshold), tables(), RULES, rules)

    return screen


def readable_screen(candles: Mapping[Timeframe, Candles], threshold: float) -> Screen:
    """See `screen_of`; by the values that the rest of the product reads."""

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
        return readable.view(candles.window(end), timeframe)

    return seen


def _points() -> dict[str, float]:
    """The points of a whole vote, by the kernel's names for them: `h4_structure`."""
    return {
        f"{timeframe}_{group}".lower(): weight for (timeframe, group), weight in WEIGHTS.items()
    }


def _measures() -> dict[str, float]:
    """What the votes are measured by, by the kernel's names."""
    return {
        "present": setup.PRESENT,
        "full_trend": votes.FULL_TREND,
        "draw_atr": votes.DRAW_ATR,
        "marked_pull": votes.MARKED_PULL,
        "swing_pull": votes.SWING_PULL,
        "reach_atr": setup.REACH_ATR,
        "overlap_share": setup.OVERLAP_SHARE,
        "rounding": ROUNDING,
    }
