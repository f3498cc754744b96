"""The detectors in the form that is read: one window of candles analysed concept by concept.

The product calls `signals_app.smc.analysis`, whose compiled form gives the same values, faster.
"""

from signals_app.market.candle import Candles, Timeframe
from signals_app.smc.fair_value_gap import find_gaps
from signals_app.smc.liquidity import find_pools, find_sweeps
from signals_app.smc.measures import average_true_ranges
from signals_app.smc.order_block import find_order_blocks
from signals_app.smc.structure import dealing_range, find_breaks, trend_of, trend_strength
from signals_app.smc.swings import find_swings
from signals_app.smc.views import (
    VIEW_BREAKS,
    VIEW_SWEEP_CANDLES,
    VIEW_SWINGS,
    GapView,
    LiquidityView,
    OrderBlockView,
    StructureView,
    TimeframeView,
    WindowAnalysis,
)


def analyse(candles: Candles) -> WindowAnalysis:
    """Everything found in the window, which depends on these candles alone."""
    swings = find_swings(candles)
    breaks = find_breaks(candles, swings)
    pools = find_pools(candles, swings)
    dealing = dealing_range(swings)
    return WindowAnalysis(
        candles=len(candles),
        swings=swings,
        gaps=find_gaps(candles),
        order_blocks=find_order_blocks(candles),
        breaks=breaks,
        pools=pools,
        sweeps=find_sweeps(candles, pools),
        trend=trend_of(breaks),
        trend_strength=trend_strength(candles, breaks),
        position=dealing.position(float(candles.close[-1])) if dealing else None,
    )


def view_structure(candles: Candles) -> StructureView:
    """Market structure at the last candle, of at least one."""
    swings = find_swings(candles)
    breaks = find_breaks(candles, swings)
    dealing = dealing_range(swings)
    close = float(candles.close[-1])
    return StructureView(
        trend=trend_of(breaks),
        trend_strength=trend_strength(candles, breaks),
        position=dealing.position(close) if dealing else None,
        range_high=dealing.high if dealing else None,
        range_low=dealing.low if dealing else None,
        breaks=breaks[-VIEW_BREAKS:],
        swings=swings[-VIEW_SWINGS:],
        close=close,
        atr=average_true_ranges(candles)[-1],
    )


def view_gaps(candles: Candles) -> GapView:
    """The gaps that price has not traded through."""
    return GapView(tuple(gap for gap in find_gaps(candles) if gap.filled_at is None))


def view_order_blocks(candles: Candles) -> OrderBlockView:
    """The order blocks that no candle has closed beyond."""
    blocks = find_order_blocks(candles)
    return OrderBlockView(tuple(block for block in blocks if block.invalidated_at is None))


def view_liquidity(candles: Candles) -> LiquidityView:
    """The pools that are not taken, and the sweeps of the last 20 candles."""
    pools = find_pools(candles, find_swings(candles))
    recent = len(candles) - VIEW_SWEEP_CANDLES
    return LiquidityView(
        pools=tuple(pool for pool in pools if pool.taken_at is None),
        sweeps=tuple(sweep for sweep in find_sweeps(candles, pools) if sweep.index >= recent),
    )


def view(candles: Candles, timeframe: Timeframe) -> TimeframeView:
    """What the confluence reads of a window of at least one candle."""
    return TimeframeView(
        timeframe=timeframe,
        close_time_ms=int(candles.time_ms[-1]) + timeframe.milliseconds,
        candles=len(candles),
        structure=view_structure(candles),
        gaps=view_gaps(candles),
        order_blocks=view_order_blocks(candles),
        liquidity=view_liquidity(candles),
    )


def warm_up() -> None:
    """Nothing to do: only compiled code has to be loaded."""
