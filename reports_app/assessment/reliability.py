"""Whether higher confluence scores did better: outcomes by band of score, beside random entries."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from reports_app.assessment import reliability_words as words
from reports_app.assessment.scored_outcomes import LOWEST_SCORE, ScoredOutcome
from reports_app.assessment.share_comparison import (
    Share,
    ShareAnswer,
    ShareComparison,
    compare_shares,
    compare_with_known,
)
from signals_app.market.direction import Direction
from signals_app.probability.estimate import wilson

#: Where a band of scores begins; it ends where the next one does.
BANDS = (LOWEST_SCORE, 60.0, 70.0, 80.0, 90.0)
#: Outcomes below which nothing is said of a band.
MINIMUM_OUTCOMES = 30


@dataclass(frozen=True, slots=True)
class ScoreBand:
    """The signals whose score is `from_score` to below `to_score` (100 included).

    Only those count that do not overlap one before of their band and direction. `low` and `high`
    are Wilson's 95 % interval of `wins` of `n`; shares and means are `None` where there was nothing
    to take them of. `text` says in plain words how it did against lower scores and random entries.
    """

    from_score: float
    to_score: float
    n: int
    wins: int
    share: float | None
    low: float | None
    high: float | None
    random_share: float | None
    mean_r: float | None
    against_lower: ShareAnswer | None
    against_random: ShareAnswer | None
    text: str


@dataclass(frozen=True, slots=True)
class Reliability:
    """The bands, lowest first, and what scores from the threshold on did, in plain words.

    `signals` is how many outcomes there were before those that overlap were left out.
    """

    signals: int
    bands: tuple[ScoreBand, ...]
    verdicts: tuple[str, ...]
    notes: tuple[str, ...]


def reliability(scored: Sequence[ScoredOutcome], threshold: float) -> Reliability:
    """Put outcomes into bands, and ask whether scores from ``threshold`` on were better.

    Wherever shares are taken, each side is thinned on its own: a move that was scored at ten closes
    is one outcome, not ten.
    """
    bands = tuple(_band(scored, low, high) for low, high in limits())
    taken = _apart([one for one in scored if one.score >= threshold])
    left = _apart([one for one in scored if one.score < threshold])
    return Reliability(
        signals=len(scored),
        bands=bands,
        verdicts=(
            words.order(_compared(taken, left), len(taken), len(left), threshold),
            words.beside_random(_compared_with_random(taken), len(taken), threshold),
        ),
        notes=words.notes(sum(_comparisons(band) for band in bands)),
    )


def limits() -> list[tuple[float, float]]:
    """Where each band begins and ends, lowest first."""
    return list(zip(BANDS, (*BANDS[1:], 100.0), strict=True))


def is_within(score: float, low: float, high: float) -> bool:
    """Whether a score belongs to the band of these limits; 100 is in the highest."""
    return low <= score < high or score == high == 100.0


def _band(scored: Sequence[ScoredOutcome], low: float, high: float) -> ScoreBand:
    members = _apart([one for one in scored if is_within(one.score, low, high)])
    lower = _apart([one for one in scored if one.score < low])
    n, wins = len(members), sum(one.won for one in members)
    interval = wilson(wins, n) if n else (None, None)
    multiples = [one.r_multiple for one in members if one.r_multiple is not None]
    against_lower, against_random = _compared(members, lower), _compared_with_random(members)
    return ScoreBand(
        from_score=low,
        to_score=high,
        n=n,
        wins=wins,
        share=wins / n if n else None,
        low=interval[0],
        high=interval[1],
        random_share=_random_share(members),
        mean_r=fmean(multiples) if multiples else None,
        against_lower=None if against_lower is None else against_lower.answer,
        against_random=None if against_random is None else against_random.answer,
        text=words.band((low, high), n, against_lower, against_random),
    )


def _comparisons(band: ScoreBand) -> int:
    return (band.against_lower is not None) + (band.against_random is not None)


def _compared(
    some: Sequence[ScoredOutcome], others: Sequence[ScoredOutcome]
) -> ShareComparison | None:
    """`None` where either group has too few outcomes for any answer."""
    if min(len(some), len(others)) < MINIMUM_OUTCOMES:
        return None
    return compare_shares(_share(some), _share(others))


def _compared_with_random(some: Sequence[ScoredOutcome]) -> ShareComparison | None:
    random = _random_share(some)
    if len(some) < MINIMUM_OUTCOMES or random is None:
        return None
    return compare_with_known(_share(some), random)


def _share(scored: Sequence[ScoredOutcome]) -> Share:
    return Share(sum(one.won for one in scored), len(scored))


def _random_share(scored: Sequence[ScoredOutcome]) -> float | None:
    n = sum(one.random_n for one in scored)
    return sum(one.random_wins for one in scored) / n if n else None


def _apart(scored: Sequence[ScoredOutcome]) -> list[ScoredOutcome]:
    """Leave out outcomes that overlap one kept before of the same direction."""
    free_at: dict[Direction, int] = {}
    kept: list[ScoredOutcome] = []
    for one in scored:
        if one.time_ms >= free_at.get(one.direction, one.time_ms):
            free_at[one.direction] = one.over_ms
            kept.append(one)
    return kept
