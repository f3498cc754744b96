"""Where a trade is taken from: the zone at the price, and the sweep that led there."""

from dataclasses import dataclass
from itertools import product

from signals_app.confluence.direction import Direction
from signals_app.market.candle import Timeframe
from signals_app.smc.analysis import TimeframeView
from signals_app.smc.fair_value_gap import FairValueGap
from signals_app.smc.liquidity import LiquidityPool, LiquiditySweep, Side
from signals_app.smc.measures import Bias
from signals_app.smc.order_block import OrderBlock
from signals_app.smc.structure import StructureBreak, Trend

#: What evidence is worth for being there at all; the rest comes with its quality.
PRESENT = 0.8
#: A zone still counts while price is this many average true ranges before it, by then half.
REACH_ATR = 1.0
#: What the weaker of an overlapping gap and order block adds to the stronger.
OVERLAP_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Zone:
    """A price zone that the trade leans on, made of an order block, a gap or both overlapping.

    `quality` is 0..1 and holds how good the zone is and how near the price; `distance` is how far
    the price still is from it (0 inside).
    """

    timeframe: Timeframe
    order_block: OrderBlock | None
    gap: FairValueGap | None
    top: float
    bottom: float
    quality: float
    distance: float

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return what it is made of, in the order that a setup's name has them."""
        return ("FVG",) * (self.gap is not None) + ("OB",) * (self.order_block is not None)


def graded(quality: float) -> float:
    """Return the share of a vote that evidence of this quality (0..1) earns."""
    return PRESENT + (1 - PRESENT) * min(max(quality, 0.0), 1.0)


def bias_of(direction: Direction) -> Bias:
    """Return how a finding in favour of ``direction`` points."""
    return Bias.BULLISH if direction is Direction.BUY else Bias.BEARISH


def trend_of(direction: Direction) -> Trend:
    """Return the trend in favour of ``direction``."""
    return Trend.UP if direction is Direction.BUY else Trend.DOWN


def best_zone(view: TimeframeView, direction: Direction, price: float) -> Zone | None:
    """Return the best zone in favour of ``direction`` that ``price`` is in or just before.

    Best is the highest quality, of equal ones the nearest, then the youngest. `None` where there
    is none within reach. Another zone in the view never makes the answer worse.
    """
    bias, reach = bias_of(direction), REACH_ATR * view.structure.atr
    blocks = [
        zone
        for block in view.order_blocks.order_blocks
        if block.direction is bias
        and (zone := _zone(view.timeframe, direction, price, reach, block=block))
    ]
    gaps = [
        zone
        for gap in view.gaps.gaps
        if gap.direction is bias
        and (zone := _zone(view.timeframe, direction, price, reach, gap=gap))
    ]
    both = [
        joined
        for block, gap in product(blocks, gaps)
        if (joined := _overlapping(block, gap)) is not None
    ]
    return max(blocks + gaps + both, key=_rank, default=None)


def best_sweep(
    view: TimeframeView, direction: Direction, within: int
) -> tuple[LiquiditySweep, float] | None:
    """Return the sweep in favour of ``direction`` that counts most, and its worth (0..1).

    Its worth goes by its score and falls to half over ``within`` candles; older ones have none.
    """
    bias, last = bias_of(direction), view.candles - 1
    worths = [
        (sweep, graded(sweep.score) * (1 - 0.5 * (last - sweep.index) / within))
        for sweep in view.liquidity.sweeps
        if sweep.direction is bias and last - sweep.index < within
    ]
    return max(worths, key=lambda pair: (pair[1], pair[0].index), default=None)


def sweep_extreme(sweep: LiquiditySweep) -> float:
    """Return the furthest price of the sweep: where the stops were taken."""
    away = -sweep.penetration if sweep.direction is Bias.BULLISH else sweep.penetration
    return sweep.price + away


def latest_break(view: TimeframeView, direction: Direction) -> StructureBreak | None:
    """Return the last break in ``direction``, `None` where a break against it came later."""
    last = view.structure.breaks[-1] if view.structure.breaks else None
    return last if last is not None and last.direction is trend_of(direction) else None


def opposing_pools(view: TimeframeView, direction: Direction) -> list[LiquidityPool]:
    """Return the active pools that a trade in ``direction`` runs towards."""
    side = Side.BUY if direction is Direction.BUY else Side.SELL
    return [pool for pool in view.liquidity.pools if pool.side is side]


def _zone(
    timeframe: Timeframe,
    direction: Direction,
    price: float,
    reach: float,
    *,
    block: OrderBlock | None = None,
    gap: FairValueGap | None = None,
) -> Zone | None:
    found = block or gap
    assert found is not None
    if direction is Direction.BUY:
        distance, through = price - found.top, price < found.bottom
    else:
        distance, through = found.bottom - price, price > found.top
    distance = max(distance, 0.0)
    if through or distance >= reach:
        return None
    worth = block.score if block else found.strength / 100  # type: ignore[union-attr]
    quality = graded(worth) * (1 - 0.5 * distance / reach)
    return Zone(timeframe, block, gap, found.top, found.bottom, quality, distance)


def _overlapping(block: Zone, gap: Zone) -> Zone | None:
    if block.bottom > gap.top or gap.bottom > block.top:
        return None
    stronger, weaker = max(block.quality, gap.quality), min(block.quality, gap.quality)
    return Zone(
        block.timeframe,
        block.order_block,
        gap.gap,
        max(block.top, gap.top),
        min(block.bottom, gap.bottom),
        min(stronger + OVERLAP_SHARE * weaker, 1.0),
        min(block.distance, gap.distance),
    )


def _rank(zone: Zone) -> tuple[float, float, int]:
    ages = [found.index for found in (zone.order_block, zone.gap) if found is not None]
    return zone.quality, -zone.distance, max(ages)
