"""What a score can reach at most, before anybody weighs it to the hundredth.

The backtest prunes by it: a close at which no direction can reach the threshold needs no values,
no reasons and no decision. A ceiling never lies below the score, so that pruning changes no
decision; a test holds that on random markets.
"""

from signals_app.confluence.scoring import WEIGHTS, Group, Views
from signals_app.confluence.setup import best_zone
from signals_app.confluence.votes import (
    Vote,
    break_vote,
    dealing_range_vote,
    displacement_vote,
    liquidity_vote,
    session_share,
    trend_vote,
    zone_vote,
)
from signals_app.market.candle import Timeframe
from signals_app.market.direction import Direction

#: More than rounding each vote to the hundredth, and the sums of floats, can add.
ROUNDING = 0.005 * len(WEIGHTS) + 0.001


def ceiling(views: Views, direction: Direction) -> float:
    """The most that the score of ``direction`` can be, whichever session M15 closed in."""
    h4, h1, m15 = views
    price = m15.structure.close
    votes: dict[tuple[Timeframe, Group], Vote] = {
        (Timeframe.H4, Group.STRUCTURE): trend_vote(h4, direction),
        (Timeframe.H4, Group.LOCATION): dealing_range_vote(h4, direction),
        (Timeframe.H4, Group.LIQUIDITY): liquidity_vote(h4, direction),
        (Timeframe.H1, Group.STRUCTURE): trend_vote(h1, direction),
        (Timeframe.H1, Group.LOCATION): zone_vote(best_zone(h1, direction, price), direction),
        (Timeframe.H1, Group.LIQUIDITY): liquidity_vote(h1, direction),
        (Timeframe.H1, Group.MOMENTUM): displacement_vote(h1, direction),
        (Timeframe.M15, Group.STRUCTURE): break_vote(m15.structure, m15.candles, direction),
        (Timeframe.M15, Group.LOCATION): zone_vote(best_zone(m15, direction, price), direction),
        (Timeframe.M15, Group.LIQUIDITY): liquidity_vote(m15, direction),
        (Timeframe.M15, Group.MOMENTUM): displacement_vote(m15, direction),
    }
    lost = (WEIGHTS[asked] * (1 - min(max(vote.share, 0.0), 1.0)) for asked, vote in votes.items())
    return sum(WEIGHTS.values()) + ROUNDING - sum(lost)


def lost_to_the_session(close_time_ms: int) -> float:
    """The points by which a ceiling is lower at an M15 close (Unix ms) in this session."""
    return WEIGHTS[Timeframe.M15, Group.CONTEXT] * (1 - session_share(close_time_ms))
