"""An analysis and the views of it, as values and as the readable definition of how they are made.

What the product calls is `signals_app.smc.analysis`, whose compiled form says the same, quicker.
"""

from dataclasses import dataclass

from signals_app.market.candle import Candles, Timeframe
from signals_app.smc.fair_value_gap import FairValueGap, find_gaps
from signals_app.smc.liquidity import LiquidityPool, LiquiditySweep, find_pools, find_sweeps
from signals_app.smc.measures import average_true_ranges
from signals_app.smc.order_block import OrderBlock, find_order_blocks
from signals_app.smc.structure import (
    StructureBreak,
    Trend,
    dealing_range,
    find_breaks,
    trend_of,
    trend_strength,
)
from signals_app.smc.swings import Swing, find_swings

#: What a view keeps: the last breaks and swings, and the sweeps of the last candles.
VIEW_BREAKS, VIEW_SWINGS, VIEW_SWEEP_CANDLES = 6, 8, 20


@dataclass(frozen=True, slots=True)
class Analysis:
    """All that the detectors find in a window, each list in the order in which it became known.

    `position` is the last close within the dealing range (0 at its low, 1 at its high), `None`
    where there is no range.
    """

    candles: int
    swings: tuple[Swing, ...]
    gaps: tuple[FairValueGap, ...]
    order_blocks: tuple[OrderBlock, ...]
    breaks: tuple[StructureBreak, ...]
    pools: tuple[LiquidityPool, ...]
    sweeps: tuple[LiquiditySweep, ...]
    trend: Trend
    trend_strength: float
    position: float | None


@dataclass(frozen=True, slots=True)
class StructureView:
    """Structure at the last candle: the last 6 breaks and the last 8 swings, oldest first.

    `position` and the range's prices are `None` where there is no dealing range; `atr` is in price.
    """

    trend: Trend
    trend_strength: float
    position: float | None
    range_high: float | None
    range_low: float | None
    breaks: tuple[StructureBreak, ...]
    swings: tuple[Swing, ...]
    close: float
    atr: float


@dataclass(frozen=True, slots=True)
class GapView:
    """The gaps that are not filled yet, oldest first."""

    gaps: tuple[FairValueGap, ...]


@dataclass(frozen=True, slots=True)
class OrderBlockView:
    """The order blocks that are not invalidated yet, in the order in which they became known."""

    order_blocks: tuple[OrderBlock, ...]


@dataclass(frozen=True, slots=True)
class LiquidityView:
    """The active pools, and the sweeps of the last 20 candles, in the order of becoming known."""

    pools: tuple[LiquidityPool, ...]
    sweeps: tuple[LiquiditySweep, ...]


@dataclass(frozen=True, slots=True)
class TimeframeView:
    """What the confluence reads of one timeframe.

    `close_time_ms` is the end of the last candle; `candles` is the window's length, so that the
    last candle's index is one less.
    """

    timeframe: Timeframe
    close_time_ms: int
    candles: int
    structure: StructureView
    gaps: GapView
    order_blocks: OrderBlockView
    liquidity: LiquidityView


def analyse(candles: Candles) -> Analysis:
    """Return everything found in the window; what it says depends on these candles alone."""
    swings = find_swings(candles)
    breaks = find_breaks(candles, swings)
    pools = find_pools(candles, swings)
    dealing = dealing_range(swings)
    return Analysis(
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
    """Return the structure at the last candle; there is at least one candle."""
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
    """Return the gaps that price has not traded through."""
    return GapView(tuple(gap for gap in find_gaps(candles) if gap.filled_at is None))


def view_order_blocks(candles: Candles) -> OrderBlockView:
    """Return the order blocks that no candle has closed beyond."""
    blocks = find_order_blocks(candles)
    return OrderBlockView(tuple(block for block in blocks if block.invalidated_at is None))


def view_liquidity(candles: Candles) -> LiquidityView:
    """Return the pools that still rest, and the recent sweeps."""
    pools = find_pools(candles, find_swings(candles))
    recent = len(candles) - VIEW_SWEEP_CANDLES
    return LiquidityView(
        pools=tuple(pool for pool in pools if pool.taken_at is None),
        sweeps=tuple(sweep for sweep in find_sweeps(candles, pools) if sweep.index >= recent),
    )


def view(candles: Candles, timeframe: Timeframe) -> TimeframeView:
    """Return what the confluence reads of a window; there is at least one candle."""
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
    """Do nothing: readable code is always warm."""
