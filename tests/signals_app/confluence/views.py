"""Views of three timeframes drawn by hand, and their mirror image."""

from dataclasses import dataclass, field

from signals_app.confluence.scoring import Score
from signals_app.confluence.setup import Zone
from signals_app.market.candle import Timeframe
from signals_app.market.direction import Direction
from signals_app.market.tick import Tick
from signals_app.smc.fair_value_gap import FairValueGap
from signals_app.smc.liquidity import LiquidityPool, LiquiditySweep, PoolKind, Side
from signals_app.smc.measures import Bias
from signals_app.smc.order_block import OrderBlock
from signals_app.smc.structure import BreakKind, StructureBreak, Trend
from signals_app.smc.swings import Swing, SwingKind
from signals_app.smc.views import (
    GapView,
    LiquidityView,
    OrderBlockView,
    StructureView,
    TimeframeView,
)

#: 2024-01-05 14:30:00 UTC, a Friday: London and New York are both open.
CLOSE_MS = 1_704_465_000_000
LAST = 199


@dataclass
class Drawing:
    """What a view holds; `view` makes it. The defaults are a window in which nothing happened."""

    timeframe: Timeframe
    atr: float
    close: float = 2000.0
    trend: Trend = Trend.NONE
    trend_strength: float = 0.0
    position: float | None = None
    breaks: list[StructureBreak] = field(default_factory=list)
    swings: list[Swing] = field(default_factory=list)
    gaps: list[FairValueGap] = field(default_factory=list)
    order_blocks: list[OrderBlock] = field(default_factory=list)
    pools: list[LiquidityPool] = field(default_factory=list)
    sweeps: list[LiquiditySweep] = field(default_factory=list)
    candles: int = 200
    close_time_ms: int = CLOSE_MS

    def view(self) -> TimeframeView:
        return TimeframeView(
            timeframe=self.timeframe,
            close_time_ms=self.close_time_ms,
            candles=self.candles,
            structure=StructureView(
                trend=self.trend,
                trend_strength=self.trend_strength,
                position=self.position,
                range_high=None,
                range_low=None,
                breaks=tuple(self.breaks),
                swings=tuple(self.swings),
                close=self.close,
                atr=self.atr,
            ),
            gaps=GapView(tuple(self.gaps)),
            order_blocks=OrderBlockView(tuple(self.order_blocks)),
            liquidity=LiquidityView(tuple(self.pools), tuple(self.sweeps)),
        )


def gap(
    bottom: float,
    top: float,
    *,
    strength: float = 80.0,
    index: int = 195,
    direction: Bias = Bias.BULLISH,
) -> FairValueGap:
    return FairValueGap(
        index=index,
        direction=direction,
        top=top,
        bottom=bottom,
        strength=strength,
        touched_at=None,
        filled_at=None,
        fill=0.0,
    )


def block(
    bottom: float,
    top: float,
    *,
    score: float = 0.85,
    index: int = 190,
    direction: Bias = Bias.BULLISH,
) -> OrderBlock:
    return OrderBlock(
        index=index,
        confirmed_at=index + 2,
        direction=direction,
        top=top,
        bottom=bottom,
        high_volume=True,
        rejection=False,
        near_round=True,
        has_fvg=True,
        score=score,
        touched_at=196,
        invalidated_at=None,
    )


def pool(
    price: float, *, side: Side = Side.BUY, kind: PoolKind = PoolKind.SWING, touches: int = 1
) -> LiquidityPool:
    return LiquidityPool(
        created_at=150,
        side=side,
        kind=kind,
        price=price,
        touches=touches,
        taken_at=None,
        outcome=None,
    )


def sweep(
    price: float,
    *,
    penetration: float = 1.0,
    score: float = 0.85,
    index: int = 197,
    direction: Bias = Bias.BULLISH,
    kind: PoolKind = PoolKind.SWING,
) -> LiquiditySweep:
    return LiquiditySweep(
        index=index,
        taken_at=index,
        direction=direction,
        price=price,
        kind=kind,
        penetration=penetration,
        volume_spike=True,
        wick=0.6,
        score=score,
    )


def broken(
    level: float,
    *,
    index: int = 195,
    kind: BreakKind = BreakKind.BOS,
    direction: Trend = Trend.UP,
) -> StructureBreak:
    return StructureBreak(
        index=index, kind=kind, direction=direction, level=level, swing_index=index - 9
    )


def swing(price: float, kind: SwingKind, index: int = 180) -> Swing:
    return Swing(index=index, confirmed_at=index + 3, kind=kind, price=price, label=None)


def zone(
    timeframe: Timeframe,
    *,
    order_block: OrderBlock | None = None,
    fair_value_gap: FairValueGap | None = None,
) -> Zone:
    """A zone of these parts that price is in."""
    parts = [part for part in (order_block, fair_value_gap) if part is not None]
    return Zone(
        timeframe=timeframe,
        order_block=order_block,
        gap=fair_value_gap,
        top=max(part.top for part in parts),
        bottom=min(part.bottom for part in parts),
        quality=0.95,
        distance=0.0,
    )


def scored(
    direction: Direction = Direction.BUY,
    *,
    total: float = 85.0,
    leans_on: Zone | None = None,
    swept: LiquiditySweep | None = None,
) -> Score:
    """A score that leans on a zone and a sweep; its reasons are left out."""
    return Score(
        direction=direction,
        total=total,
        h4=40.0,
        h1=30.0,
        m15=total - 70.0,
        votes=(),
        zone=leans_on,
        sweep=swept,
    )


def bullish_market() -> tuple[Drawing, Drawing, Drawing]:
    """Everything for BUY: trends up, zones at the price 2000, lows swept, pools above."""
    h4 = Drawing(
        Timeframe.H4,
        atr=8.0,
        trend=Trend.UP,
        trend_strength=60.0,
        position=0.25,
        breaks=[broken(1990.0)],
        sweeps=[sweep(1985.0)],
    )
    h1 = Drawing(
        Timeframe.H1,
        atr=4.0,
        trend=Trend.UP,
        trend_strength=60.0,
        breaks=[broken(1992.0)],
        order_blocks=[block(1996.0, 2000.5)],
        gaps=[gap(1998.0, 2001.0)],
        sweeps=[sweep(1991.0)],
    )
    m15 = Drawing(
        Timeframe.M15,
        atr=2.0,
        trend=Trend.UP,
        trend_strength=60.0,
        breaks=[broken(1999.0, kind=BreakKind.CHOCH)],
        gaps=[gap(1999.0, 2001.0)],
        sweeps=[sweep(1995.0)],
        pools=[pool(2010.0), pool(2020.0, kind=PoolKind.PDH)],
    )
    return h4, h1, m15


def views(
    drawings: tuple[Drawing, Drawing, Drawing],
) -> tuple[TimeframeView, TimeframeView, TimeframeView]:
    h4, h1, m15 = drawings
    return h4.view(), h1.view(), m15.view()


_TRENDS = {Trend.UP: Trend.DOWN, Trend.DOWN: Trend.UP, Trend.NONE: Trend.NONE}
_BIASES = {Bias.BULLISH: Bias.BEARISH, Bias.BEARISH: Bias.BULLISH}
_SIDES = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}
_KINDS = {
    PoolKind.SWING: PoolKind.SWING,
    PoolKind.PDH: PoolKind.PDL,
    PoolKind.PDL: PoolKind.PDH,
    PoolKind.PWH: PoolKind.PWL,
    PoolKind.PWL: PoolKind.PWH,
}
_EXTREMES = {SwingKind.HIGH: SwingKind.LOW, SwingKind.LOW: SwingKind.HIGH}


def mirrored(drawing: Drawing) -> Drawing:
    """The same market upside down: every price is negated, which is exact."""
    position = drawing.position
    return Drawing(
        drawing.timeframe,
        drawing.atr,
        close=-drawing.close,
        trend=_TRENDS[drawing.trend],
        trend_strength=drawing.trend_strength,
        position=None if position is None else 1 - position,
        breaks=[
            broken(-b.level, index=b.index, kind=b.kind, direction=_TRENDS[b.direction])
            for b in drawing.breaks
        ],
        swings=[swing(-s.price, _EXTREMES[s.kind], s.index) for s in drawing.swings],
        gaps=[
            gap(
                -g.top,
                -g.bottom,
                strength=g.strength,
                index=g.index,
                direction=_BIASES[g.direction],
            )
            for g in drawing.gaps
        ],
        order_blocks=[
            block(-b.top, -b.bottom, score=b.score, index=b.index, direction=_BIASES[b.direction])
            for b in drawing.order_blocks
        ],
        pools=[
            pool(-p.price, side=_SIDES[p.side], kind=_KINDS[p.kind], touches=p.touches)
            for p in drawing.pools
        ],
        sweeps=[
            sweep(
                -s.price,
                penetration=s.penetration,
                score=s.score,
                index=s.index,
                direction=_BIASES[s.direction],
            )
            for s in drawing.sweeps
        ],
        candles=drawing.candles,
        close_time_ms=drawing.close_time_ms,
    )


def mirrored_tick(tick: Tick) -> Tick:
    return Tick(tick.ordinal, tick.time_ms, -tick.ask, -tick.bid)


def opposite(direction: Direction) -> Direction:
    return Direction.SELL if direction is Direction.BUY else Direction.BUY
