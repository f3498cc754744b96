"""What a score can reach at most, known before all of its timeframes are analysed.

The backtest prunes by these: where no direction can reach the threshold any more, the shorter
timeframes need no look. A bound never lies below the score that the full analysis gives, so that
pruning changes no decision; a test holds that on random markets.
"""

from signals_app.confluence.scoring import WEIGHTS, Group, H4H1Votes, H4Votes
from signals_app.confluence.setup import best_zone
from signals_app.confluence.votes import break_vote
from signals_app.market.candle import Timeframe
from signals_app.market.direction import Direction
from signals_app.smc.views import StructureView

_H1_WEIGHT, _M15_WEIGHT = (
    sum(most for (timeframe, _), most in WEIGHTS.items() if timeframe is wanted)
    for wanted in (Timeframe.H1, Timeframe.M15)
)
#: More than rounding votes and sums to the hundredth can add.
_ROUNDING = 0.5


def h4_ceiling(votes: H4Votes) -> float:
    """The most that a score with these votes of H4 can reach."""
    return votes.points + _H1_WEIGHT + _M15_WEIGHT + _ROUNDING


def h4_h1_ceiling(votes: H4H1Votes, price: float) -> float:
    """The most that a score with these votes can reach while M15 closes at ``price``."""
    zone = best_zone(votes.h1, votes.direction, price)
    location = WEIGHTS[Timeframe.H1, Group.LOCATION] * (zone.quality if zone else 0.0)
    return votes.points + location + _M15_WEIGHT + _ROUNDING


def unreachable_points(structure: StructureView, candles: int, direction: Direction) -> float:
    """The points that M15's structure, in a window of ``candles``, has lost already.

    A ceiling is lower by so much once the structure is known, which is the cheapest part of a view.
    """
    share = break_vote(structure, candles, direction).share
    return WEIGHTS[Timeframe.M15, Group.STRUCTURE] * (1 - share)
