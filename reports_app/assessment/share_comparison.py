"""Whether one share of wins is really above another, or chance alone would do it."""

from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

from signals_app.probability.estimate import Z_95

#: A difference that has to be this large to show was looked for in too few outcomes.
COARSE = 0.10


@dataclass(frozen=True, slots=True)
class Share:
    """How many of so many outcomes were won; of none there is no share."""

    wins: int
    n: int

    @property
    def value(self) -> float:
        return self.wins / self.n


class ShareAnswer(StrEnum):
    """What a comparison of two shares came to."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no difference shows"
    TOO_FEW = "too few to say"


@dataclass(frozen=True, slots=True)
class ShareComparison:
    """A share (0..1) against another one; a difference smaller than `least` would not show."""

    share: float
    other: float
    least: float

    @property
    def difference(self) -> float:
        return self.share - self.other

    @property
    def answer(self) -> ShareAnswer:
        if abs(self.difference) >= self.least > 0:
            return ShareAnswer.BETTER if self.difference > 0 else ShareAnswer.WORSE
        return ShareAnswer.TOO_FEW if self.least >= COARSE else ShareAnswer.NO_DIFFERENCE


def compare_shares(share: Share, other: Share) -> ShareComparison:
    """Compare two measured shares, by the pooled two-proportion z-test at 95 %."""
    pooled = (share.value * share.n + other.value * other.n) / (share.n + other.n)
    error = sqrt(pooled * (1 - pooled) * (1 / share.n + 1 / other.n))
    return ShareComparison(share.value, other.value, Z_95 * error)


def compare_with_known(share: Share, known: float) -> ShareComparison:
    """Compare a measured share with one that is known well, by the z-test at 95 %."""
    return ShareComparison(share.value, known, Z_95 * sqrt(known * (1 - known) / share.n))
