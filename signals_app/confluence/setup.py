"""Where a trade is taken from: the zone at the price, and the sweep that led there."""

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from signals_app.market.candle import Timeframe
from signals_app.market.direction import Direction
from signals_app.smc.fair_value_gap import FairValueGap
from signals_app.smc.liquidity import LiquidityPool, LiquiditySweep, Side
from signals_app.smc.measures import Bias
from signals_app.smc.order_block import OrderBlock
from signals_app.smc.structure import StructureBreak, Trend
from signals_app.smc.views import StructureView, TimeframeView

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
        """What it is made of, in the order that a setup's name has them."""
        return ("FVG",) * (self.gap is not None) + ("OB",) * (self.order_block is not None)


def graded(quality: float) -> float:
    """The share of a vote that evidence of this quality (0..1) earns: 0.8 to 1."""
    return PRESENT + (1 - PRESENT) * min(max(quality, 0.0), 1.0)


def bias_of(direction: Direction) -> Bias:
    """The bias of findings in favour of ``direction``."""
    return Bias.BULLISH if direction is Direction.BUY else Bias.BEARISH


def trend_of(direction: Direction) -> Trend:
    """The trend in favour of ``direction``."""
    return Trend.UP if direction is Direction.BUY else Trend.DOWN


def best_zone(view: TimeframeView, direction: Direction, price: float) -> Zone | None:
    """The best zone in favour of ``direction`` that ``price`` is in or just before.

    Best is the highest quality, of equal ones the nearest, then the youngest. `None` where there
    is none within reach. Another zone in the view never makes the answer worse.
    """
    bias, reach = bias_of(direction), REACH_ATR * view.structure.atr
    # Price is in the zone or before it: above a bullish zone's bottom, below a bearish one's top.
    is_buy, least, most = direction is Direction.BUY, price - reach, price + reach
    blocks, gaps = [], []
    for block in view.order_blocks.order_blocks:
        if block.direction is bias and (
            block.bottom <= price and block.top > least
            if is_buy
            else block.top >= price and block.bottom < most
        ):
            distance = max(price - block.top if is_buy else block.bottom - price, 0.0)
            quality = graded(block.score) * _nearness(distance, reach)
            blocks.append(_Found(quality, distance, block.index, block, None))
    for gap in view.gaps.gaps:
        if gap.direction is bias and (
            gap.bottom <= price and gap.top > least
            if is_buy
            else gap.top >= price and gap.bottom < most
        ):
            distance = max(price - gap.top if is_buy else gap.bottom - price, 0.0)
            quality = graded(gap.strength / 100) * _nearness(distance, reach)
            gaps.append(_Found(quality, distance, gap.index, None, gap))
    if not blocks and not gaps:
        return None
    both = [_joined(*pair) for pair in product(blocks, gaps) if _overlap(*pair)]
    return max(blocks + gaps + both, key=_rank).as_zone(view.timeframe)


def best_sweep(
    view: TimeframeView, direction: Direction, within: int
) -> tuple[LiquiditySweep, float] | None:
    """The sweep in favour of ``direction`` that counts most, and its worth (0..1).

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
    """The furthest price of the sweep: where the stops were taken."""
    away = -sweep.penetration if sweep.direction is Bias.BULLISH else sweep.penetration
    return sweep.price + away


def latest_break(structure: StructureView, direction: Direction) -> StructureBreak | None:
    """The last break if it was in ``direction``, else `None`."""
    last = structure.breaks[-1] if structure.breaks else None
    return last if last is not None and last.direction is trend_of(direction) else None


def opposing_pools(view: TimeframeView, direction: Direction) -> list[LiquidityPool]:
    """The active pools that a trade in ``direction`` runs towards."""
    side = Side.BUY if direction is Direction.BUY else Side.SELL
    return [pool for pool in view.liquidity.pools if pool.side is side]


class _Found(NamedTuple):
    """A zone while the best is looked for; `formed_at` is the younger one's where two overlap."""

    quality: float
    distance: float
    formed_at: int
    order_block: OrderBlock | None
    gap: FairValueGap | None

    def as_zone(self, timeframe: Timeframe) -> Zone:
        parts = [part for part in (self.order_block, self.gap) if part is not None]
        return Zone(
            timeframe=timeframe,
            order_block=self.order_block,
            gap=self.gap,
            top=max(part.top for part in parts),
            bottom=min(part.bottom for part in parts),
            quality=self.quality,
            distance=self.distance,
        )


def _nearness(distance: float, reach: float) -> float:
    return 1 - 0.5 * distance / reach


def _overlap(one: _Found, other: _Found) -> bool:
    block, gap = one.order_block, other.gap
    return (
        block is not None
        and gap is not None
        and block.bottom <= gap.top
        and gap.bottom <= block.top
    )


def _joined(block: _Found, gap: _Found) -> _Found:
    stronger, weaker = max(block.quality, gap.quality), min(block.quality, gap.quality)
    return _Found(
        min(stronger + OVERLAP_SHARE * weaker, 1.0),
        min(block.distance, gap.distance),
        max(block.formed_at, gap.formed_at),
        block.order_block,
        gap.gap,
    )


def _rank(found: _Found) -> tuple[float, float, int]:
    return found.quality, -found.distance, found.formed_at
