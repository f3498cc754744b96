"""What the live record's signals really made, by band of score."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from reports_app.assessment.reliability import MINIMUM_OUTCOMES, is_within, limits
from reports_app.assessment.reliability_words import count
from signals_app.probability.estimate import Z_95, wilson


@dataclass(frozen=True, slots=True)
class LiveSignal:
    """A signal of the live record: its score, and its trade's result in R, `None` while it runs."""

    score: float
    r_multiple: float | None


@dataclass(frozen=True, slots=True)
class LiveBand:
    """The live record's signals of a band: published, their trades closed, those that made money.

    `low` and `high` are Wilson's 95 % interval of `wins` of `closed`; `None`: no trade is over.
    """

    from_score: float
    to_score: float
    published: int
    closed: int
    wins: int
    low: float | None
    high: float | None
    mean_r: float | None


@dataclass(frozen=True, slots=True)
class LiveScores:
    """The live record's bands, lowest first, those without signals left out, and what they say."""

    bands: tuple[LiveBand, ...]
    verdict: str


def live_scores(signals: Sequence[LiveSignal]) -> LiveScores:
    """Put the live record's signals into bands, and judge all their results together."""
    found = [_live_band(signals, low, high) for low, high in limits()]
    multiples = [one.r_multiple for one in signals if one.r_multiple is not None]
    return LiveScores(tuple(band for band in found if band.published), _live_verdict(multiples))


def _live_band(signals: Sequence[LiveSignal], low: float, high: float) -> LiveBand:
    members = [one for one in signals if is_within(one.score, low, high)]
    multiples = [one.r_multiple for one in members if one.r_multiple is not None]
    closed, wins = len(multiples), sum(multiple > 0 for multiple in multiples)
    interval = wilson(wins, closed) if closed else (None, None)
    return LiveBand(
        from_score=low,
        to_score=high,
        published=len(members),
        closed=closed,
        wins=wins,
        low=interval[0],
        high=interval[1],
        mean_r=fmean(multiples) if multiples else None,
    )


def _live_verdict(multiples: Sequence[float]) -> str:
    if not multiples:
        return "The live record has no trade yet that is over."
    mean, closed = fmean(multiples), count(len(multiples), "trade")
    if len(multiples) < MINIMUM_OUTCOMES:
        return f"The live record: {mean:+z.2f} R a trade over {closed}, too few to say anything."
    least = Z_95 * stdev(multiples) / sqrt(len(multiples))
    if abs(mean) < least:
        return (
            f"The live record: {mean:+z.2f} R a trade over {closed}, which cannot be told from "
            f"nothing: chance alone reaches {least:.2f} R either way."
        )
    verb = "made" if mean > 0 else "lost"
    return f"The live record {verb} money: {mean:+z.2f} R a trade over {closed}, +-{least:.2f}."
