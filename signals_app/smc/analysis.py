"""One window of candles analysed: what the rest of the product calls.

The compiled detectors do the work, which a test holds equal to the readable ones to the last bit.
"""

from functools import cache
from typing import Any, Protocol

import msgspec

from signals_app.market.candle import Candles, Timeframe
from signals_app.smc.views import (
    GapView,
    LiquidityView,
    OrderBlockView,
    StructureView,
    TimeframeView,
    WindowAnalysis,
)


def analyse(candles: Candles) -> WindowAnalysis:
    """Everything found in the window, which depends on these candles alone."""
    return _detectors().analyse(candles)


def view(candles: Candles, timeframe: Timeframe) -> TimeframeView:
    """What the confluence reads of a window of at least one candle."""
    return _detectors().view(candles, timeframe)


def view_structure(candles: Candles) -> StructureView:
    """Market structure at the last candle, of at least one."""
    return _detectors().view_structure(candles)


def view_gaps(candles: Candles) -> GapView:
    """The gaps that price has not traded through."""
    return _detectors().view_gaps(candles)


def view_order_blocks(candles: Candles) -> OrderBlockView:
    """The order blocks that no candle has closed beyond."""
    return _detectors().view_order_blocks(candles)


def view_liquidity(candles: Candles) -> LiquidityView:
    """The pools that are not taken, and the sweeps of the last 20 candles."""
    return _detectors().view_liquidity(candles)


def warm_up() -> None:
    """Load (the first time on a machine: compile) the detectors, before an analysis waits for it.

    Takes half a second; the very first time about a quarter of a minute.
    """
    _detectors().warm_up()


def as_json(analysis: WindowAnalysis, symbol: str, timeframe: Timeframe) -> dict[str, Any]:
    """The exchange format (docs/domain/definitions.md); an index that never came is `None`."""
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
    def analyse(self, candles: Candles) -> WindowAnalysis: ...
    def view(self, candles: Candles, timeframe: Timeframe) -> TimeframeView: ...
    def view_structure(self, candles: Candles) -> StructureView: ...
    def view_gaps(self, candles: Candles) -> GapView: ...
    def view_order_blocks(self, candles: Candles) -> OrderBlockView: ...
    def view_liquidity(self, candles: Candles) -> LiquidityView: ...
    def warm_up(self) -> None: ...


@cache
def _detectors() -> _Detectors:
    # Only now: importing numba takes most of a second, which not every command should pay.
    from signals_app.smc.compiled import detectors

    return detectors


def _rows(findings: tuple[object, ...]) -> list[dict[str, Any]]:
    return list(msgspec.to_builtins(findings))
