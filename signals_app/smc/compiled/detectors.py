"""The detectors of `signals_app.smc.readable`, computed by the compiled kernel."""

import numpy as np

from signals_app.market.candle import Candles, Timeframe
from signals_app.market.tick import Int64s
from signals_app.smc.compiled import kernel
from signals_app.smc.compiled.kernel import Rows, Values
from signals_app.smc.compiled.rows import (
    breaks_of,
    dealing_range_of,
    gaps_of,
    last_of,
    order_blocks_of,
    pools_of,
    sweeps_of,
    swings_of,
)
from signals_app.smc.compiled.rules import RULES, tables
from signals_app.smc.structure import Trend, trend_of
from signals_app.smc.views import (
    VIEW_BREAKS,
    VIEW_SWINGS,
    GapView,
    LiquidityView,
    OrderBlockView,
    StructureView,
    TimeframeView,
    WindowAnalysis,
)


def analyse(candles: Candles) -> WindowAnalysis:
    """See `readable.analyse`."""
    if not len(candles):
        return WindowAnalysis(0, (), (), (), (), (), (), Trend.NONE, 0.0, None)
    found = find(candles)
    breaks = breaks_of(found.breaks)
    dealing = dealing_range_of(found.swings)
    return WindowAnalysis(
        candles=len(candles),
        swings=swings_of(found.swings),
        gaps=gaps_of(found.gaps),
        order_blocks=order_blocks_of(found.order_blocks),
        breaks=breaks,
        pools=pools_of(found.pools),
        sweeps=sweeps_of(found.sweeps),
        trend=trend_of(breaks),
        trend_strength=found.strength,
        position=dealing.position(float(candles.close[-1])) if dealing else None,
    )


def find(candles: Candles) -> kernel.Findings:
    """The findings of at least one candle as the kernel's columns: what `analyse` reads."""
    return kernel.find_all(*columns(candles), tables(), RULES)


def view(candles: Candles, timeframe: Timeframe) -> TimeframeView:
    """See `readable.view`."""
    time_ms, prices, volume = columns(candles)
    found = kernel.find_kept(time_ms, prices, volume, tables(), RULES)
    return TimeframeView(
        timeframe=timeframe,
        close_time_ms=int(time_ms[-1]) + timeframe.milliseconds,
        candles=len(time_ms),
        structure=_structure(found.swings, found.breaks, found.strength, found.atr, candles),
        gaps=GapView(gaps_of(found.gaps)),
        order_blocks=OrderBlockView(order_blocks_of(found.order_blocks)),
        liquidity=LiquidityView(pools_of(found.pools), sweeps_of(found.sweeps)),
    )


def view_structure(candles: Candles) -> StructureView:
    """See `readable.view_structure`."""
    swings, breaks, strength, atr = kernel.structure(columns(candles)[1], RULES)
    return _structure(swings, breaks, strength, atr, candles)


def view_gaps(candles: Candles) -> GapView:
    """See `readable.view_gaps`."""
    return GapView(gaps_of(kernel.open_gaps(*columns(candles), RULES)))


def view_order_blocks(candles: Candles) -> OrderBlockView:
    """See `readable.view_order_blocks`."""
    found = kernel.standing_blocks(*columns(candles), tables(), RULES)
    return OrderBlockView(order_blocks_of(found))


def view_liquidity(candles: Candles) -> LiquidityView:
    """See `readable.view_liquidity`."""
    pools, sweeps = kernel.resting_liquidity(*columns(candles), tables(), RULES)
    return LiquidityView(pools_of(pools), sweeps_of(sweeps))


def warm_up() -> None:
    """Call every compiled entry once, on one candle."""
    price = np.ones(1)
    candles = Candles(np.zeros(1, dtype=np.int64), price, price, price, price, price)
    analyse(candles)
    view(candles, Timeframe.M15)
    view_structure(candles)
    view_gaps(candles)
    view_order_blocks(candles)
    view_liquidity(candles)


def columns(candles: Candles) -> tuple[Int64s, Values, Values]:
    """The candles as the kernel takes them: times, (open, high, low, close), volumes."""
    # Fresh arrays, so that the kernel meets one memory layout and is compiled for no other.
    prices = np.array((candles.open, candles.high, candles.low, candles.close), dtype=np.float64)
    volume = np.array(candles.volume, dtype=np.float64)
    return np.array(candles.time_ms, dtype=np.int64), prices, volume


def _structure(
    swings: Rows, all_breaks: Rows, strength: float, atr: float, candles: Candles
) -> StructureView:
    breaks = breaks_of(last_of(all_breaks, VIEW_BREAKS))
    dealing = dealing_range_of(swings)
    close = float(candles.close[-1])
    return StructureView(
        trend=trend_of(breaks),
        trend_strength=strength,
        position=dealing.position(close) if dealing else None,
        range_high=dealing.high if dealing else None,
        range_low=dealing.low if dealing else None,
        breaks=breaks,
        swings=swings_of(last_of(swings, VIEW_SWINGS)),
        close=close,
        atr=atr,
    )
