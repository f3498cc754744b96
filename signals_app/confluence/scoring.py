"""The confluence score: H4 trend alignment 40, H1 setup quality 35, M15 entry precision 25.

Each timeframe asks independent groups of evidence for one vote each (docs/confluence.md says why):
ten findings of one kind weigh as much as the best of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from signals_app.confluence.setup import (
    Zone,
    best_sweep,
    best_zone,
    bias_of,
    graded,
    latest_break,
    opposing_pools,
    sweep_extreme,
    trend_of,
)
from signals_app.market.calendar import Session, session_at
from signals_app.market.candle import Timeframe
from signals_app.market.direction import Direction
from signals_app.smc.analysis import StructureView, TimeframeView
from signals_app.smc.liquidity import LiquidityPool, LiquiditySweep, PoolKind
from signals_app.smc.structure import BreakKind, Trend

#: H4, H1 and M15 of one moment.
Views: TypeAlias = tuple[TimeframeView, TimeframeView, TimeframeView]


class Group(StrEnum):
    """A kind of evidence that is independent of the others."""

    STRUCTURE = "structure"
    LOCATION = "location"
    LIQUIDITY = "liquidity"
    MOMENTUM = "momentum"
    CONTEXT = "context"


#: The most points that each vote can give; 40, 35 and 25 by timeframe.
WEIGHTS = MappingProxyType(
    {
        (Timeframe.H4, Group.STRUCTURE): 28.0,
        (Timeframe.H4, Group.LOCATION): 6.0,
        (Timeframe.H4, Group.LIQUIDITY): 6.0,
        (Timeframe.H1, Group.STRUCTURE): 10.0,
        (Timeframe.H1, Group.LOCATION): 14.0,
        (Timeframe.H1, Group.LIQUIDITY): 6.0,
        (Timeframe.H1, Group.MOMENTUM): 5.0,
        (Timeframe.M15, Group.STRUCTURE): 9.0,
        (Timeframe.M15, Group.LOCATION): 7.0,
        (Timeframe.M15, Group.LIQUIDITY): 4.0,
        (Timeframe.M15, Group.MOMENTUM): 3.0,
        (Timeframe.M15, Group.CONTEXT): 2.0,
    }
)

_ORDER = (Timeframe.H4, Timeframe.H1, Timeframe.M15)
_H1_WEIGHT, _M15_WEIGHT = (
    sum(most for (timeframe, _), most in WEIGHTS.items() if timeframe is wanted)
    for wanted in (Timeframe.H1, Timeframe.M15)
)

#: Candles after which a break, a sweep or a displacement says nothing about now.
MEMORY = 20
#: A trend this strong earns the whole vote: efficiency over 50 candles seldom passes a third, so
#: that strengths near 100 exist on paper only.
FULL_TREND = 40.0
#: What a pool must lie ahead to draw price, in average true ranges of its timeframe.
DRAW_ATR = 1.0
#: What a pool ahead is worth beside a sweep: previous day's or week's extremes and equal highs or
#: lows, and a single swing.
MARKED_PULL, SWING_PULL = 0.8, 0.6
#: More than rounding votes and sums to the hundredth can add.
_ROUNDING = 0.5


@dataclass(frozen=True, slots=True)
class Reason:
    """One vote: points out of a maximum, and what a trader reads."""

    timeframe: Timeframe
    group: Group
    points: float
    maximum: float
    text: str


@dataclass(frozen=True, slots=True)
class Score:
    """How much speaks for `direction`: 0..100, of which H4 up to 40, H1 35, M15 25.

    `reasons` are all votes, H4 first; those with no points say what is missing. `zone` is what the
    trade would lean on and `sweep` the taken liquidity behind it, `None` where there is none.
    """

    direction: Direction
    total: float
    h4: float
    h1: float
    m15: float
    reasons: tuple[Reason, ...]
    zone: Zone | None
    sweep: LiquiditySweep | None


class _Vote(NamedTuple):
    """A share (0..1) of a group's points; the text is made only for scores that somebody reads."""

    share: float
    text: Callable[[], str]


class _Cast(NamedTuple):
    """A vote with its timeframe and group, counted."""

    timeframe: Timeframe
    group: Group
    points: float
    text: Callable[[], str]

    def reason(self) -> Reason:
        maximum = WEIGHTS[self.timeframe, self.group]
        text = f"{self.timeframe} {self.text()}"
        return Reason(self.timeframe, self.group, self.points, maximum, text)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What H4 says for one direction, whatever the rest says: it lasts for four hours.

    `votes` are all of H4's, `points` what they give.
    """

    h4: TimeframeView
    direction: Direction
    votes: tuple[_Cast, ...]
    points: float

    @property
    def ceiling(self) -> float:
        """Return what no score with this outlook can exceed."""
        return self.points + _H1_WEIGHT + _M15_WEIGHT + _ROUNDING


@dataclass(frozen=True, slots=True)
class Backdrop:
    """What H4 and H1 say for one direction, whatever M15 and the price say: it lasts for an hour.

    `votes` are all of theirs but H1's location, `points` what they give.
    """

    h4: TimeframeView
    h1: TimeframeView
    direction: Direction
    votes: tuple[_Cast, ...]
    points: float

    def ceiling(self, price: float) -> float:
        """Return what no score before this backdrop can exceed while M15 closes at ``price``."""
        zone = best_zone(self.h1, self.direction, price)
        location = WEIGHTS[Timeframe.H1, Group.LOCATION] * (zone.quality if zone else 0.0)
        return self.points + location + _M15_WEIGHT + _ROUNDING


def outlook(h4: TimeframeView, direction: Direction) -> Outlook:
    """Return the votes of H4."""
    votes = (
        _cast(Timeframe.H4, Group.STRUCTURE, _trend(h4, direction)),
        _cast(Timeframe.H4, Group.LOCATION, _dealing_range(h4, direction)),
        _cast(Timeframe.H4, Group.LIQUIDITY, _liquidity(h4, direction)),
    )
    return Outlook(h4, direction, votes, sum(vote.points for vote in votes))


def backdrop(ahead: Outlook, h1: TimeframeView) -> Backdrop:
    """Return the votes of H4 and H1 that no price changes."""
    direction = ahead.direction
    votes = (
        *ahead.votes,
        _cast(Timeframe.H1, Group.STRUCTURE, _trend(h1, direction)),
        _cast(Timeframe.H1, Group.LIQUIDITY, _liquidity(h1, direction)),
        _cast(Timeframe.H1, Group.MOMENTUM, _displacement(h1, direction)),
    )
    return Backdrop(ahead.h4, h1, direction, votes, sum(vote.points for vote in votes))


def lacking(structure: StructureView, candles: int, direction: Direction) -> float:
    """Return the points that M15's structure, in a window of ``candles``, leaves to be desired.

    A ceiling is lower by so much once the structure is known, which is the cheapest part of a view.
    """
    share = _recent_break(structure, candles, direction).share
    return WEIGHTS[Timeframe.M15, Group.STRUCTURE] * (1 - share)


def score_before(behind: Backdrop, m15: TimeframeView) -> Score:
    """Return the score of the backdrop's direction at the close of M15, with its reasons."""
    votes, h1_zone, m15_zone = _votes_before(behind, m15)
    h4, h1, m15_points = (_points(votes, timeframe) for timeframe in _ORDER)
    sweep = best_sweep(m15, behind.direction, MEMORY)
    return Score(
        direction=behind.direction,
        total=round(h4 + h1 + m15_points, 2),
        h4=h4,
        h1=h1,
        m15=m15_points,
        reasons=tuple(vote.reason() for vote in votes),
        zone=h1_zone or m15_zone,
        sweep=sweep[0] if sweep else None,
    )


def total_before(behind: Backdrop, m15: TimeframeView) -> float:
    """Return the total of `score_before` without its reasons, which take longer to write."""
    votes, _, _ = _votes_before(behind, m15)
    return round(sum(_points(votes, timeframe) for timeframe in _ORDER), 2)


def _votes_before(
    behind: Backdrop, m15: TimeframeView
) -> tuple[tuple[_Cast, ...], Zone | None, Zone | None]:
    """Return all votes and the zones of H1 and M15 at M15's close."""
    direction, price = behind.direction, m15.structure.close
    h1_zone = best_zone(behind.h1, direction, price)
    m15_zone = best_zone(m15, direction, price)
    votes = (
        *behind.votes,
        _cast(Timeframe.H1, Group.LOCATION, _at_zone(h1_zone, direction)),
        _cast(Timeframe.M15, Group.STRUCTURE, _recent_break(m15.structure, m15.candles, direction)),
        _cast(Timeframe.M15, Group.LOCATION, _at_zone(m15_zone, direction)),
        _cast(Timeframe.M15, Group.LIQUIDITY, _liquidity(m15, direction)),
        _cast(Timeframe.M15, Group.MOMENTUM, _displacement(m15, direction)),
        _cast(Timeframe.M15, Group.CONTEXT, _session(m15)),
    )
    return votes, h1_zone, m15_zone


def _cast(timeframe: Timeframe, group: Group, vote: _Vote) -> _Cast:
    share = min(max(vote.share, 0.0), 1.0)
    return _Cast(timeframe, group, round(WEIGHTS[timeframe, group] * share, 2), vote.text)


def _points(votes: tuple[_Cast, ...], timeframe: Timeframe) -> float:
    return round(sum(vote.points for vote in votes if vote.timeframe is timeframe), 2)


def score(h4: TimeframeView, h1: TimeframeView, m15: TimeframeView, direction: Direction) -> Score:
    """Return the score of ``direction`` with its reasons."""
    return score_before(backdrop(outlook(h4, direction), h1), m15)


def best_score(views: Views) -> Score:
    """Return the better direction's score; BUY's where both are equal."""
    return contest(views)[0]


def contest(views: Views) -> tuple[Score, float]:
    """Return the better direction's score, BUY's where both are equal, and the other's total."""
    h4, h1, m15 = views
    backdrops = [backdrop(outlook(h4, direction), h1) for direction in Direction]
    totals = [total_before(behind, m15) for behind in backdrops]
    best = totals.index(max(totals))
    return score_before(backdrops[best], m15), totals[1 - best]


def _trend(view: TimeframeView, direction: Direction) -> _Vote:
    structure = view.structure
    if structure.trend is Trend.NONE:
        return _Vote(0.0, lambda: "no trend yet")
    name = f"{structure.trend}trend, strength"
    if structure.trend is not trend_of(direction):
        return _Vote(0.0, lambda: f"{name} {structure.trend_strength:.0f}, against {direction}")
    share = graded(structure.trend_strength / FULL_TREND)
    return _Vote(share, lambda: f"{name} {structure.trend_strength:.0f}")


def _dealing_range(view: TimeframeView, direction: Direction) -> _Vote:
    position = view.structure.position
    if position is None:
        return _Vote(0.0, lambda: "no dealing range")
    # Full marks from the middle of the range on; buying at its very top earns nothing.
    depth = 1 - position if direction is Direction.BUY else position
    name = "discount" if position < 0.5 else "premium"
    return _Vote(depth / 0.5, lambda: f"price in {name} of its dealing range ({position:.2f})")


def _liquidity(view: TimeframeView, direction: Direction) -> _Vote:
    """One vote for liquidity: what was swept behind the price, else what draws it ahead."""
    swept, draw = _swept(view, direction), _draw(view, direction)
    found = [vote for vote in (swept, draw) if vote is not None]
    if not found:
        return _Vote(0.0, lambda: "no liquidity swept or left ahead")
    return max(found, key=lambda vote: vote.share)


def _draw(view: TimeframeView, direction: Direction) -> _Vote | None:
    price, sign, nearest = view.structure.close, direction.sign, DRAW_ATR * view.structure.atr
    ahead = [
        (_pull(pool), -distance, pool)
        for pool in opposing_pools(view, direction)
        if (distance := (pool.price - price) * sign) >= nearest
    ]
    if not ahead:
        return None
    pull, _, pool = max(ahead, key=itemgetter(0, 1))
    return _Vote(pull, lambda: f"liquidity ahead: {_pool_name(pool)} at {_price(pool.price)}")


def _pull(pool: LiquidityPool) -> float:
    is_marked = pool.touches >= 2 or pool.kind is not PoolKind.SWING
    return MARKED_PULL if is_marked else SWING_PULL


def _pool_name(pool: LiquidityPool) -> str:
    if pool.kind is not PoolKind.SWING:
        return pool.kind.value
    return "equal highs or lows" if pool.touches >= 2 else "swing"


def _at_zone(zone: Zone | None, direction: Direction) -> _Vote:
    if zone is None:
        return _Vote(0.0, lambda: f"no {bias_of(direction)} zone at the price")
    return _Vote(zone.quality, lambda: f"{bias_of(direction)} {_zone_text(zone)}")


def _zone_text(zone: Zone) -> str:
    found = []
    if zone.gap is not None:
        gap = zone.gap
        found.append(f"FVG {_span(gap.bottom, gap.top)}, strength {gap.strength:.0f}")
    if zone.order_block is not None:
        block = zone.order_block
        touched = "untouched" if block.touched_at is None else "touched"
        found.append(
            f"order block {_span(block.bottom, block.top)}, {touched}, score {block.score:.2f}"
        )
    place = "price inside" if not zone.distance else f"price {_price(zone.distance)} away"
    return f"{' with '.join(found)}, {place}"


def _swept(view: TimeframeView, direction: Direction) -> _Vote | None:
    found = best_sweep(view, direction, MEMORY)
    if found is None:
        return None
    sweep, worth = found
    return _Vote(worth, lambda: _sweep_text(sweep, view.candles - 1 - sweep.index))


def _sweep_text(sweep: LiquiditySweep, age: int) -> str:
    span = f"{_price(sweep.price)} to {_price(sweep_extreme(sweep))}"
    return f"{sweep.direction} sweep of {sweep.kind} {span}, {_ago(age)}, score {sweep.score:.2f}"


def _displacement(view: TimeframeView, direction: Direction) -> _Vote:
    bias, first = bias_of(direction), view.candles - MEMORY
    recent = [gap for gap in view.gaps.gaps if gap.index >= first and gap.direction is bias]
    if not recent:
        return _Vote(0.0, lambda: f"no {bias} displacement lately")
    gap = max(recent, key=lambda gap: (gap.strength, gap.index))
    ago = view.candles - 1 - gap.index
    return _Vote(
        graded(gap.strength / 100),
        lambda: f"{bias} displacement {_ago(ago)}, gap strength {gap.strength:.0f}",
    )


def _recent_break(structure: StructureView, candles: int, direction: Direction) -> _Vote:
    found = latest_break(structure, direction)
    if found is None:
        return _Vote(0.0, lambda: f"structure not broken towards {direction}")
    age = candles - 1 - found.index
    name = _break_name(found.kind)
    return _Vote(
        1 - 0.5 * min(age / MEMORY, 1),
        lambda: f"{name} {found.direction} through {_price(found.level)}, {_ago(age)}",
    )


def _session(view: TimeframeView) -> _Vote:
    session = session_at(view.close_time_ms)
    share = 0.5 if session is Session.ASIAN else 1.0
    return _Vote(share, lambda: f"candle closed in the {session} session")


def context(view: TimeframeView, best: Score) -> str:
    """Return one timeframe in a sentence or two: its points and what earned them."""
    votes = [reason for reason in best.reasons if reason.timeframe is view.timeframe]
    points = round(sum(reason.points for reason in votes), 2)
    maximum = sum(reason.maximum for reason in votes)
    said = "; ".join(
        reason.text.removeprefix(f"{view.timeframe} ") for reason in votes if reason.points > 0
    )
    return f"{points:g} of {maximum:g} points for {best.direction}: {said or 'nothing'}."


def _break_name(kind: BreakKind) -> str:
    return "CHoCH" if kind is BreakKind.CHOCH else "BOS"


def _span(bottom: float, top: float) -> str:
    return f"{_price(bottom)}-{_price(top)}"


def _price(price: float) -> str:
    """Return a price with the decimals it has, at most five: 2,042 or 1.08345."""
    return f"{price:,.5f}".rstrip("0").rstrip(".")


def _ago(candles: int) -> str:
    match candles:
        case 0:
            return "now"
        case 1:
            return "1 candle ago"
        case _:
            return f"{candles} candles ago"


def market_structure(views: Views, direction: Direction) -> str:
    """Return what structure did last in ``direction``, the shortest timeframe first."""
    for view in reversed(views):
        found = latest_break(view.structure, direction)
        if found is not None:
            return _break_name(found.kind)
    return "NONE"


def setup_type(best: Score) -> str:
    """Return the setup's name: a sweep and what the zone is made of, joined by `+`."""
    swept = ("LIQUIDITY_SWEEP",) * (best.sweep is not None)
    zone = best.zone.kinds if best.zone is not None else ()
    return "+".join(swept + zone) or "STRUCTURE"
