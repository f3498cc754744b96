"""What the live record's signals really did, by band of score."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import Any

from reports_app.assessment.reliability import MINIMUM_OUTCOMES, count, is_within, limits
from signals_app.probability.estimate import Z_95, wilson


@dataclass(frozen=True, slots=True)
class Told:
    """A signal of the live record: its score, and what its trade brought, `None` while it runs."""

    score: float
    r_multiple: float | None


@dataclass(frozen=True, slots=True)
class LiveBand:
    """What the live record holds of a band: signals told, trades over, those that made money.

    `low` and `high` are Wilson's 95 % interval of `wins` of `closed`; `None`: no trade is over.
    """

    from_score: float
    to_score: float
    told: int
    closed: int
    wins: int
    low: float | None
    high: float | None
    mean_r: float | None


@dataclass(frozen=True, slots=True)
class Live:
    """The live record's bands, lowest first, those without signals left out, and what they say."""

    bands: tuple[LiveBand, ...]
    verdict: str


def live_reliability(told: Sequence[Told]) -> Live:
    """Return what the live record's signals really did, by band of score."""
    found = [_live_band(told, low, high) for low, high in limits()]
    multiples = [one.r_multiple for one in told if one.r_multiple is not None]
    return Live(tuple(band for band in found if band.told), _live_verdict(multiples))


def live_as_json(live: Live) -> dict[str, Any]:
    """Return the live record's bands and verdict as plain values."""
    return asdict(live)


def _live_band(told: Sequence[Told], low: float, high: float) -> LiveBand:
    members = [one for one in told if is_within(one.score, low, high)]
    multiples = [one.r_multiple for one in members if one.r_multiple is not None]
    closed, wins = len(multiples), sum(multiple > 0 for multiple in multiples)
    interval = wilson(wins, closed) if closed else (None, None)
    return LiveBand(
        from_score=low,
        to_score=high,
        told=len(members),
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
        return f"The live record: {mean:+.2f} R a trade over {closed}, too few to say anything."
    least = Z_95 * stdev(multiples) / sqrt(len(multiples))
    if abs(mean) < least:
        return (
            f"The live record: {mean:+.2f} R a trade over {closed}, which cannot be told from "
            f"nothing: chance alone reaches {least:.2f} R either way."
        )
    way = "made" if mean > 0 else "lost"
    return f"The live record {way} money: {mean:+.2f} R a trade over {closed}, +-{least:.2f}."
