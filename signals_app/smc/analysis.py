"""One window of candles analysed: everything found in it, and what the confluence reads of it.

What is found is defined in `signals_app.smc.definition`. Where numba is installed the compiled
twin does the work, which a test holds equal to the last bit; without it all is the same, slower.
"""

from functools import cache
from typing import Any, Protocol, cast

import msgspec

from signals_app.market.candle import Candles, Timeframe
from signals_app.smc.definition import (
    Analysis,
    GapView,
    LiquidityView,
    OrderBlockView,
    StructureView,
    TimeframeView,
)

__all__ = [
    "Analysis",
    "GapView",
    "LiquidityView",
    "OrderBlockView",
    "StructureView",
    "TimeframeView",
    "analyse",
    "as_json",
    "view",
    "view_gaps",
    "view_liquidity",
    "view_order_blocks",
    "view_structure",
    "warm_up",
]


def analyse(candles: Candles) -> Analysis:
    """Return everything found in the window; what it says depends on these candles alone."""
    return _detectors().analyse(candles)


def view(candles: Candles, timeframe: Timeframe) -> TimeframeView:
    """Return what the confluence reads of a window; there is at least one candle."""
    return _detectors().view(candles, timeframe)


def view_structure(candles: Candles) -> StructureView:
    """Return the structure at the last candle; there is at least one candle."""
    return _detectors().view_structure(candles)


def view_gaps(candles: Candles) -> GapView:
    """Return the gaps that price has not traded through."""
    return _detectors().view_gaps(candles)


def view_order_blocks(candles: Candles) -> OrderBlockView:
    """Return the order blocks that no candle has closed beyond."""
    return _detectors().view_order_blocks(candles)


def view_liquidity(candles: Candles) -> LiquidityView:
    """Return the pools that still rest, and the recent sweeps."""
    return _detectors().view_liquidity(candles)


def warm_up() -> None:
    """Load (the first time on a machine: compile) the detectors, before an analysis waits for it.

    Takes half a second; the very first time about a quarter of a minute.
    """
    _detectors().warm_up()


def as_json(analysis: Analysis, symbol: str, timeframe: Timeframe) -> dict[str, Any]:
    """Return the exchange format: plain values, indices of what never came as `None`."""
    return {
        "symbol": symbol,
        "timeframe": str(timeframe),
        "candles": analysis.candles,
        "swings": _rows(analysis.swings),
        "fvgs": _rows(analysis.gaps),
        "order_blocks": _rows(analysis.order_blocks),
        "structure": _rows(analysis.breaks),
        "pools": _rows(analysis.pools),
        "sweeps": _rows(analysis.sweeps),
        "trend": str(analysis.trend),
        "trend_strength": analysis.trend_strength,
        "position": analysis.position,
    }


class _Detectors(Protocol):
    def analyse(self, candles: Candles) -> Analysis: ...
    def view(self, candles: Candles, timeframe: Timeframe) -> TimeframeView: ...
    def view_structure(self, candles: Candles) -> StructureView: ...
    def view_gaps(self, candles: Candles) -> GapView: ...
    def view_order_blocks(self, candles: Candles) -> OrderBlockView: ...
    def view_liquidity(self, candles: Candles) -> LiquidityView: ...
    def warm_up(self) -> None: ...


@cache
def _detectors() -> _Detectors:
    # Only now: importing numba takes most of a second, which not every command should pay.
    try:
        from signals_app.smc import compiled
    except ImportError:
        from signals_app.smc import definition

        return cast("_Detectors", definition)
    return cast("_Detectors", compiled)


def _rows(findings: tuple[object, ...]) -> list[dict[str, Any]]:
    return list(msgspec.to_builtins(findings))
