"""The confluence score: H4 trend alignment 40, H1 setup quality 35, M15 entry precision 25.

Each timeframe asks independent groups of evidence for one vote each, for the reasons in
docs/domain/confluence.md: ten findings of one kind weigh as much as the best of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from signals_app.confluence.setup import Zone, best_sweep, best_zone
from signals_app.confluence.votes import (
    MEMORY,
    Vote,
    break_vote,
    dealing_range_vote,
    displacement_vote,
    liquidity_vote,
    session_vote,
    trend_vote,
    zone_vote,
)
from signals_app.market.candle import Timeframe
from signals_app.market.direction import Direction
from signals_app.smc.liquidity import LiquiditySweep
from signals_app.smc.views import TimeframeView

#: H4, H1 and M15 of one moment.
Views: TypeAlias = tuple[TimeframeView, TimeframeView, TimeframeView]


class Group(StrEnum):
    """A kind of evidence that is independent of the others."""

    STRUCTURE = "structure"
    LOCATION = "location"
    LIQUIDITY = "liquidity"
    MOMENTUM = "momentum"
    CONTEXT = "context"


#: The points of a whole vote.
WEIGHTS = MappingProxyType(
    {
        # Trend alignment: 40.
        (Timeframe.H4, Group.STRUCTURE): 28.0,
        (Timeframe.H4, Group.LOCATION): 6.0,
        (Timeframe.H4, Group.LIQUIDITY): 6.0,
        # Setup quality: 35.
        (Timeframe.H1, Group.STRUCTURE): 10.0,
        (Timeframe.H1, Group.LOCATION): 14.0,
        (Timeframe.H1, Group.LIQUIDITY): 6.0,
        (Timeframe.H1, Group.MOMENTUM): 5.0,
        # Entry precision: 25.
        (Timeframe.M15, Group.STRUCTURE): 9.0,
        (Timeframe.M15, Group.LOCATION): 7.0,
        (Timeframe.M15, Group.LIQUIDITY): 4.0,
        (Timeframe.M15, Group.MOMENTUM): 3.0,
        (Timeframe.M15, Group.CONTEXT): 2.0,
    }
)


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

    `votes` are all there are, H4 first. `zone` is what the trade would lean on and `sweep` the
    taken liquidity behind it, `None` where there is none.
    """

    direction: Direction
    total: float
    h4: float
    h1: float
    m15: float
    votes: "tuple[CountedVote, ...]" = field(compare=False)
    zone: Zone | None
    sweep: LiquiditySweep | None

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The votes as people read them; those with no points say what is missing.

        They are written when asked for: most scores come to nothing, and nobody reads them.
        """
        return tuple(vote.reason() for vote in self.votes)


class CountedVote(NamedTuple):
    """A vote in points, rounded to the hundredth."""

    timeframe: Timeframe
    group: Group
    points: float
    text: Callable[[], str]

    def reason(self) -> Reason:
        maximum = WEIGHTS[self.timeframe, self.group]
        text = f"{self.timeframe} {self.text()}"
        return Reason(self.timeframe, self.group, self.points, maximum, text)


@dataclass(frozen=True, slots=True)
class H4Votes:
    """What H4 says for one direction, whatever the rest says: it lasts for four hours."""

    h4: TimeframeView
    direction: Direction
    votes: tuple[CountedVote, ...]
    points: float


@dataclass(frozen=True, slots=True)
class H4H1Votes:
    """What H4 and H1 say for one direction, whatever M15 and the price say: it lasts for an hour.

    The vote for H1's zone is missing: the zone depends on where M15 closes.
    """

    h4: TimeframeView
    h1: TimeframeView
    direction: Direction
    votes: tuple[CountedVote, ...]
    points: float


def best_score(views: Views) -> Score:
    """The better direction's score; BUY's where both are equal."""
    return best_direction(views)[0]


def best_direction(views: Views) -> tuple[Score, float]:
    """The better direction's score, BUY's where both are equal, and the other's total."""
    h4, h1, m15 = views
    both = [h4_h1_votes(h4_votes(h4, direction), h1) for direction in Direction]
    buy, sell = (score_at(votes, m15) for votes in both)
    return (buy, sell.total) if buy.total >= sell.total else (sell, buy.total)


def score(h4: TimeframeView, h1: TimeframeView, m15: TimeframeView, direction: Direction) -> Score:
    """The score of one direction, with its reasons."""
    return score_at(h4_h1_votes(h4_votes(h4, direction), h1), m15)


def h4_votes(h4: TimeframeView, direction: Direction) -> H4Votes:
    """Trend alignment, 40 points: the trend, where in its range price is, and the liquidity."""
    votes = (
        _count(Timeframe.H4, Group.STRUCTURE, trend_vote(h4, direction)),
        _count(Timeframe.H4, Group.LOCATION, dealing_range_vote(h4, direction)),
        _count(Timeframe.H4, Group.LIQUIDITY, liquidity_vote(h4, direction)),
    )
    return H4Votes(h4, direction, votes, sum(vote.points for vote in votes))


def h4_h1_votes(before: H4Votes, h1: TimeframeView) -> H4H1Votes:
    """Of setup quality the 21 points that no price changes, behind the votes of H4."""
    direction = before.direction
    votes = (
        *before.votes,
        _count(Timeframe.H1, Group.STRUCTURE, trend_vote(h1, direction)),
        _count(Timeframe.H1, Group.LIQUIDITY, liquidity_vote(h1, direction)),
        _count(Timeframe.H1, Group.MOMENTUM, displacement_vote(h1, direction)),
    )
    return H4H1Votes(before.h4, h1, direction, votes, sum(vote.points for vote in votes))


def score_at(before: H4H1Votes, m15: TimeframeView) -> Score:
    """The score at the close of M15."""
    votes, h1_zone, m15_zone = _all_votes(before, m15)
    h4, h1, m15_points = (_points(votes, timeframe) for timeframe in _ORDER)
    sweep = best_sweep(m15, before.direction, MEMORY)
    return Score(
        direction=before.direction,
        total=round(h4 + h1 + m15_points, 2),
        h4=h4,
        h1=h1,
        m15=m15_points,
        votes=votes,
        zone=h1_zone or m15_zone,
        sweep=sweep[0] if sweep else None,
    )


def _all_votes(
    before: H4H1Votes, m15: TimeframeView
) -> tuple[tuple[CountedVote, ...], Zone | None, Zone | None]:
    """All votes at M15's close, and the zones of H1 and M15 there.

    Added to those before: H1's zone, 14 points, and entry precision, 25 points.
    """
    direction, price = before.direction, m15.structure.close
    h1_zone = best_zone(before.h1, direction, price)
    m15_zone = best_zone(m15, direction, price)
    votes = (
        *before.votes,
        _count(Timeframe.H1, Group.LOCATION, zone_vote(h1_zone, direction)),
        _count(Timeframe.M15, Group.STRUCTURE, break_vote(m15.structure, m15.candles, direction)),
        _count(Timeframe.M15, Group.LOCATION, zone_vote(m15_zone, direction)),
        _count(Timeframe.M15, Group.LIQUIDITY, liquidity_vote(m15, direction)),
        _count(Timeframe.M15, Group.MOMENTUM, displacement_vote(m15, direction)),
        _count(Timeframe.M15, Group.CONTEXT, session_vote(m15)),
    )
    return votes, h1_zone, m15_zone


_ORDER = (Timeframe.H4, Timeframe.H1, Timeframe.M15)


def _count(timeframe: Timeframe, group: Group, vote: Vote) -> CountedVote:
    share = min(max(vote.share, 0.0), 1.0)
    return CountedVote(timeframe, group, round(WEIGHTS[timeframe, group] * share, 2), vote.text)


def _points(votes: tuple[CountedVote, ...], timeframe: Timeframe) -> float:
    return round(sum(vote.points for vote in votes if vote.timeframe is timeframe), 2)
