"""What each kind of evidence says for one direction on one timeframe: a share of its points.

A vote is one question about a view, answered from 0 (nothing speaks for it) to 1 (all of its
points). docs/domain/confluence.md, "The score", says how each is measured and why; how many
points a whole vote is worth stands in `signals_app.confluence.scoring`.
"""

from collections.abc import Callable
from operator import itemgetter
from typing import NamedTuple

from signals_app.confluence.setup import (
    Zone,
    best_sweep,
    bias_of,
    graded,
    latest_break,
    opposing_pools,
    sweep_extreme,
    trend_of,
)
from signals_app.market.calendar import TradingSession, session_at
from signals_app.market.direction import Direction
from signals_app.smc.liquidity import LiquidityPool, LiquiditySweep, PoolKind
from signals_app.smc.structure import BreakKind, Trend
from signals_app.smc.views import StructureView, TimeframeView

#: Candles after which a break, a sweep or a displacement says nothing about now.
MEMORY = 20
#: A trend this strong earns the whole vote: efficiency over 50 candles seldom passes a third, so
#: that strengths near 100 exist on paper only.
FULL_TREND = 40.0
#: How far ahead a pool must lie to draw price, in average true ranges of its timeframe.
DRAW_ATR = 1.0
#: What a pool ahead is worth beside a sweep: previous day's or week's extremes and equal highs or
#: lows, and a single swing.
MARKED_PULL, SWING_PULL = 0.8, 0.6


class Vote(NamedTuple):
    """A share (0..1) of the points; `text` is called only for scores that somebody reads."""

    share: float
    text: Callable[[], str]


def trend_vote(view: TimeframeView, direction: Direction) -> Vote:
    """Does the trend agree, and how strong is it?"""
    structure = view.structure
    if structure.trend is Trend.NONE:
        return Vote(0.0, lambda: "no trend yet")
    name = f"{structure.trend}trend, strength"
    if structure.trend is not trend_of(direction):
        return Vote(0.0, lambda: f"{name} {structure.trend_strength:z.0f}, against {direction}")
    share = graded(structure.trend_strength / FULL_TREND)
    return Vote(share, lambda: f"{name} {structure.trend_strength:z.0f}")


def dealing_range_vote(view: TimeframeView, direction: Direction) -> Vote:
    """Is price cheap in its dealing range (discount for BUY, premium for SELL)?"""
    position = view.structure.position
    if position is None:
        return Vote(0.0, lambda: "no dealing range")
    # Full marks from the middle of the range on; buying at its very top earns nothing.
    depth = 1 - position if direction is Direction.BUY else position
    name = "discount" if position < 0.5 else "premium"
    return Vote(depth / 0.5, lambda: f"price in {name} of its dealing range ({position:z.2f})")


def liquidity_vote(view: TimeframeView, direction: Direction) -> Vote:
    """Was liquidity swept behind the price, or does some draw it ahead? The better of both."""
    swept, draw = _swept(view, direction), _draw(view, direction)
    found = [vote for vote in (swept, draw) if vote is not None]
    if not found:
        return Vote(0.0, lambda: "no liquidity swept or left ahead")
    return max(found, key=lambda vote: vote.share)


def zone_vote(zone: Zone | None, direction: Direction) -> Vote:
    """Is price at a zone that should hold? ``zone`` is the best there is, `None` for none."""
    if zone is None:
        return Vote(0.0, lambda: f"no {bias_of(direction)} zone at the price")
    return Vote(zone.quality, lambda: f"{bias_of(direction)} {_zone_text(zone)}")


def displacement_vote(view: TimeframeView, direction: Direction) -> Vote:
    """Did price leave an unfilled gap this way lately? The strongest one counts."""
    bias, first = bias_of(direction), view.candles - MEMORY
    recent = [gap for gap in view.gaps.gaps if gap.index >= first and gap.direction is bias]
    if not recent:
        return Vote(0.0, lambda: f"no {bias} displacement lately")
    gap = max(recent, key=lambda gap: (gap.strength, gap.index))
    ago = view.candles - 1 - gap.index
    return Vote(
        graded(gap.strength / 100),
        lambda: f"{bias} displacement {_ago(ago)}, gap strength {gap.strength:z.0f}",
    )


def break_vote(structure: StructureView, candles: int, direction: Direction) -> Vote:
    """Was structure broken this way last, and how long ago, in a window of ``candles``?"""
    found = latest_break(structure, direction)
    if found is None:
        return Vote(0.0, lambda: f"structure not broken towards {direction}")
    age = candles - 1 - found.index
    name = break_name(found.kind)
    return Vote(
        1 - 0.5 * min(age / MEMORY, 1),
        lambda: f"{name} {found.direction} through {_price(found.level)}, {_ago(age)}",
    )


def session_vote(view: TimeframeView) -> Vote:
    """Are London or New York at work?"""
    session = session_at(view.close_time_ms)
    share = session_share(view.close_time_ms)
    return Vote(share, lambda: f"candle closed in the {session} session")


def session_share(close_time_ms: int) -> float:
    """What the session of a close (Unix ms) earns."""
    return 0.5 if session_at(close_time_ms) is TradingSession.ASIAN else 1.0


def break_name(kind: BreakKind) -> str:
    """The break as traders write it: BOS or CHoCH."""
    return "CHoCH" if kind is BreakKind.CHOCH else "BOS"


def _swept(view: TimeframeView, direction: Direction) -> Vote | None:
    found = best_sweep(view, direction, MEMORY)
    if found is None:
        return None
    sweep, worth = found
    return Vote(worth, lambda: _sweep_text(sweep, view.candles - 1 - sweep.index))


def _draw(view: TimeframeView, direction: Direction) -> Vote | None:
    price, sign, nearest = view.structure.close, direction.sign, DRAW_ATR * view.structure.atr
    ahead = [
        (_pull(pool), -distance, pool)
        for pool in opposing_pools(view, direction)
        if (distance := (pool.price - price) * sign) >= nearest
    ]
    if not ahead:
        return None
    pull, _, pool = max(ahead, key=itemgetter(0, 1))
    return Vote(pull, lambda: f"liquidity ahead: {_pool_name(pool)} at {_price(pool.price)}")


def _pull(pool: LiquidityPool) -> float:
    is_marked = pool.touches >= 2 or pool.kind is not PoolKind.SWING
    return MARKED_PULL if is_marked else SWING_PULL


def _pool_name(pool: LiquidityPool) -> str:
    if pool.kind is not PoolKind.SWING:
        return pool.kind.value
    return "equal highs or lows" if pool.touches >= 2 else "swing"


def _sweep_text(sweep: LiquiditySweep, age: int) -> str:
    span = f"{_price(sweep.price)} to {_price(sweep_extreme(sweep))}"
    return f"{sweep.direction} sweep of {sweep.kind} {span}, {_ago(age)}, score {sweep.score:z.2f}"


def _zone_text(zone: Zone) -> str:
    found = []
    if zone.gap is not None:
        gap = zone.gap
        found.append(f"FVG {_span(gap.bottom, gap.top)}, strength {gap.strength:z.0f}")
    if zone.order_block is not None:
        block = zone.order_block
        touched = "untouched" if block.touched_at is None else "touched"
        found.append(
            f"order block {_span(block.bottom, block.top)}, {touched}, score {block.score:z.2f}"
        )
    place = "price inside" if not zone.distance else f"price {_price(zone.distance)} away"
    return f"{' with '.join(found)}, {place}"


def _span(bottom: float, top: float) -> str:
    return f"{_price(bottom)}-{_price(top)}"


def _price(price: float) -> str:
    """A price with the decimals it has, at most five: 2,042 or 1.08345."""
    return f"{price:z,.5f}".rstrip("0").rstrip(".")


def _ago(candles: int) -> str:
    match candles:
        case 0:
            return "now"
        case 1:
            return "1 candle ago"
        case _:
            return f"{candles} candles ago"
