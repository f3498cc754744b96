"""What the detectors find in one window of candles, and what the confluence reads of it."""

from dataclasses import dataclass

from signals_app.market.candle import Timeframe
from signals_app.smc.fair_value_gap import FairValueGap
from signals_app.smc.liquidity import LiquidityPool, LiquiditySweep
from signals_app.smc.order_block import OrderBlock
from signals_app.smc.structure import StructureBreak, Trend
from signals_app.smc.swings import Swing

#: What a view keeps: the last breaks and swings, and the sweeps of the last candles.
VIEW_BREAKS, VIEW_SWINGS, VIEW_SWEEP_CANDLES = 6, 8, 20


@dataclass(frozen=True, slots=True)
class WindowAnalysis:
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
