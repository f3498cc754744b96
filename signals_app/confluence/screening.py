"""Which closes can reach the threshold at all, asked of many M15 closes at once.

The kernel works on columns and makes no value for a close that cannot. It holds no lock of the
interpreter's, so that several threads may screen different closes of one market side by side.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from signals_app.confluence import setup, votes
from signals_app.confluence.ceilings import ROUNDING
from signals_app.confluence.scoring import WEIGHTS
from signals_app.market.candle import WINDOW, Candles, Timeframe
from signals_app.market.tick import Float64s, Int64s

if TYPE_CHECKING:
    from signals_app.smc.compiled.kernel import Columns, VoteRules

#: In this order stand the columns of the ends of windows.
ENDS = (Timeframe.H4, Timeframe.H1, Timeframe.M15)
#: From the ends of the windows, a row for each close, to the ceilings of BUY and SELL there.
Screen: TypeAlias = Callable[[Int64s], Float64s]


def screen_of(candles: Mapping[Timeframe, Candles], threshold: float) -> Screen:
    """What gives the `ceilings.ceiling` of both directions at M15 closes of these candles.

    It is asked by how many candles of H4, H1 and M15 had closed, at least one of each, and answers
    minus infinity for a ceiling below the threshold.
    """
    # Only now: importing numba takes most of a second, which not every command should pay.
    from signals_app.smc.compiled import kernel
    from signals_app.smc.compiled.rules import RULES, tables

    market, rules = columns_of(candles), vote_rules()

    def screen(ends: Int64s) -> Float64s:
        rows = np.array(ends, dtype=np.int64).reshape(-1, len(ENDS))
        return kernel.score_ceilings(*market, rows, float(threshold), tables(), RULES, rules)

    return screen


def columns_of(candles: Mapping[Timeframe, Candles]) -> "tuple[Columns, Columns, Columns]":
    """H4, H1 and M15 as the kernel takes them."""
    from signals_app.smc.compiled.detectors import columns
    from signals_app.smc.compiled.kernel import Columns

    h4, h1, m15 = (Columns(*columns(candles[timeframe])) for timeframe in ENDS)
    return h4, h1, m15


def vote_rules() -> "VoteRules":
    """The votes as the kernel takes them."""
    from signals_app.smc.compiled.kernel import VoteRules

    return VoteRules(**_points(), **_measures(), memory=votes.MEMORY, window=WINDOW)


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
