"""Measured probabilities: how often events of one bucket won, how sure that is, or that it is not.

`p = (wins + 20*p0)/(n + 20)`, where `p0` is how often random entries matched to the bucket won,
with the Wilson 95 % interval of `wins` of `n`. Below 200 outcomes there is no probability.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

from signals_app.smc.measures import Bias

#: Outcomes below which nothing is said.
MINIMUM_OUTCOMES = 200
#: How many outcomes the random entries' rate weighs as.
PRIOR_WEIGHT = 20
#: The normal quantile of a two-sided 95 % interval.
Z_95 = 1.959963984540054


class EventType(StrEnum):
    """What is measured: a zone's outcome or a sweep's."""

    ORDER_BLOCK = "ORDER_BLOCK"
    FVG = "FVG"
    SWEEP = "SWEEP"


class MeasuredEventKind(StrEnum):
    """How it came: a zone formed or was first retested; which liquidity a sweep took.

    A retest that closes through an order block, or trades through a gap, is none: the analysis
    does not show the zone any more.
    """

    FORMED = "FORMED"
    RETEST = "RETEST"
    SWING = "SWING"
    DAY = "DAY"
    WEEK = "WEEK"


#: The places that columns hold instead of names.
EVENT_TYPES, EVENT_KINDS, BIASES = (
    tuple(EventType),
    tuple(MeasuredEventKind),
    (Bias.BULLISH, Bias.BEARISH),
)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Events that are measured together: type, kind, direction and score tercile (1 lowest)."""

    type: EventType
    kind: MeasuredEventKind
    direction: Bias
    tercile: int


@dataclass(frozen=True, slots=True)
class Probability:
    """What was measured of one bucket.

    Scores are above `score_above` and up to `score_to` (`None`: without limit). `p`, `low` and
    `high` are `None` where `n` is below 200. `p0` is the rate of the matched random entries and
    `placebo` that of the `placebo_n` placebos, `None` where there were none.
    """

    bucket: Bucket
    score_above: float | None
    score_to: float | None
    n: int
    wins: int
    p0: float | None
    p: float | None
    low: float | None
    high: float | None
    placebo: float | None
    placebo_n: int

    def holds(self, score: float) -> bool:
        """Whether a finding with this score belongs to the bucket's tercile."""
        above = self.score_above is None or score > self.score_above
        return above and (self.score_to is None or score <= self.score_to)

    @property
    def measured(self) -> "Measured | None":
        """What is shown of it; `None`: not measured."""
        if self.p is None or self.low is None or self.high is None:
            return None
        return Measured(self.p, self.low, self.high, self.n, self.p0)

    @property
    def scores(self) -> str:
        """The scores that belong to it, in words.

        Not "third 2 of 3": few different scores share one third, and leave another empty.
        """
        above = "" if self.score_above is None else f"above {self.score_above:.4g}"
        to = "" if self.score_to is None else f"up to {self.score_to:.4g}"
        return f"score {f'{above} {to}'.strip()}" if above or to else "any score"


@dataclass(frozen=True, slots=True)
class Measured:
    """A probability as it is shown: a share of 1, Wilson's 95 % interval, how many outcomes.

    `random` is how often matched random entries won, without which the share cannot be judged;
    `None` where it was not recorded.
    """

    p: float
    low: float
    high: float
    n: int
    random: float | None

    def __str__(self) -> str:
        share = f"{self.p:.0%} [{100 * self.low:.0f}-{100 * self.high:.0f}], n={self.n:,}"
        return share if self.random is None else f"{share}; random entries {self.random:.0%}"


def estimate(wins: int, n: int, p0: float | None) -> tuple[float, float, float] | None:
    """p, low and high; `None` below 200 outcomes, or without random entries to lean on."""
    if n < MINIMUM_OUTCOMES or p0 is None:
        return None
    low, high = wilson(wins, n)
    return (wins + PRIOR_WEIGHT * p0) / (n + PRIOR_WEIGHT), low, high


def wilson(wins: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval of ``wins`` of ``n`` (at least one), as shares of 1."""
    share, z2 = wins / n, z * z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def look_up(
    probabilities: Iterable[Probability],
    type_: EventType,
    kind: MeasuredEventKind,
    direction: Bias,
    score: float,
) -> Probability | None:
    """The bucket that a finding belongs to; `None` where nothing like it was measured."""
    for probability in probabilities:
        bucket = probability.bucket
        wanted = (bucket.type, bucket.kind, bucket.direction) == (type_, kind, direction)
        if wanted and probability.holds(score):
            return probability
    return None
