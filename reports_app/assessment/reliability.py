"""Whether higher confluence scores did better: outcomes by band of score, beside random entries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from enum import StrEnum
from math import sqrt
from statistics import fmean
from types import MappingProxyType
from typing import Any

import numpy as np

from reports_app.backtest.engine import run_on_candles
from signals_app.confluence.parameters import Parameters
from signals_app.confluence.signal import TradingSignal
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.direction import Direction
from signals_app.market.instrument import Instrument
from signals_app.market.tick import Float64s, Int64s
from signals_app.probability.estimate import Z_95, wilson
from signals_app.probability.events import Events
from signals_app.probability.outcomes import STOP_ATR, measure
from signals_app.smc.measures import average_true_ranges

#: Where a band of scores begins; it ends where the next one does.
BANDS = (50.0, 60.0, 70.0, 80.0, 90.0)
#: Outcomes below which nothing is said of a band.
MINIMUM_OUTCOMES = 30
#: A difference that has to be this large to show was looked for in too few outcomes.
COARSE = 0.10


@dataclass(frozen=True, slots=True)
class Scored:
    """One signal's score and outcome.

    `time_ms` is the close that it was made at, `over_ms` the one that ends its 48 candles. `won` is
    +1 R before -1 R within them; `random_wins` of `random_n` matched random entries (same
    direction, hour and distance) did so. `r_multiple` is what its trade brought, managed as the
    product manages trades, `None` where the data ended before it.
    """

    score: float
    direction: Direction
    time_ms: int
    over_ms: int
    won: bool
    random_wins: int
    random_n: int
    r_multiple: float | None


class Answer(StrEnum):
    """What a comparison of two shares came to."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no difference shows"
    TOO_FEW = "too few to say"


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
    against_lower: Answer | None
    against_random: Answer | None
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


def score_outcomes(
    instrument: Instrument,
    parameters: Parameters,
    candles: Candles,
    spread: Float64s,
    *,
    history: Mapping[Timeframe, Candles] = MappingProxyType({}),
    decide_from_ms: int | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> list[Scored]:
    """Return the outcomes of all signals from a score of 50 on, over M15 candles, in their order.

    The engine makes them with the protections off, which are about the account and not about the
    score. Many overlap. ``history`` fills the windows of H1 and H4 before the first candle; without
    it the first 50 candles of H4 decide nothing.
    """
    loose = replace(
        parameters,
        threshold=min(BANDS[0], parameters.threshold),
        risk_percentage=0.01,
        maximum_open_trades=1_000_000,
        zone_memory_hours=0.0,
        cool_down_minutes=0.0,
        daily_loss_percentage=100.0,
    )
    # So rich that no row of losses makes a position too small to take.
    rich = replace(instrument, starting_balance=Decimal(10) ** 9)
    result = run_on_candles(
        rich,
        loose,
        candles,
        spread,
        history,
        decide_from_ms=decide_from_ms,
        on_progress=on_progress,
    )
    multiples = {
        trade.signal_id: None if trade.is_open else _float(trade.r_multiple)
        for trade, _ in result.trades
    }
    signals = result.signals
    if not signals:
        return []
    outcomes = measure(candles, spread, _events(signals, candles))
    over_ms = candles.time_ms + Timeframe.M15.milliseconds
    return [
        Scored(
            score=signals[event].confidence_score,
            direction=signals[event].direction,
            time_ms=signals[event].timestamp_ms,
            over_ms=int(over_ms[known_at]),
            won=bool(won),
            random_wins=int((random == 1).sum()),
            random_n=int((random >= 0).sum()),
            r_multiple=multiples[signals[event].signal_id],
        )
        for event, known_at, won, random in zip(
            outcomes.event.tolist(),
            outcomes.known_at.tolist(),
            outcomes.won.tolist(),
            outcomes.random_won,
            strict=True,
        )
    ]


def reliability(scored: Sequence[Scored], threshold: float) -> Reliability:
    """Return the bands of these outcomes, and whether scores from ``threshold`` on were better.

    Wherever shares are taken, each side is thinned on its own: a move that was scored at ten closes
    is one outcome, not ten.
    """
    bands = tuple(_band(scored, low, high) for low, high in limits())
    taken = _apart([one for one in scored if one.score >= threshold])
    left = _apart([one for one in scored if one.score < threshold])
    return Reliability(
        signals=len(scored),
        bands=bands,
        verdicts=(_order(taken, left, threshold), _beside_random(taken, threshold)),
        notes=_notes(bands),
    )


def reliability_as_json(found: Reliability) -> dict[str, Any]:
    """Return the bands and the verdicts as plain values."""
    return asdict(found)


def limits() -> list[tuple[float, float]]:
    """Return where each band begins and ends, lowest first."""
    return list(zip(BANDS, (*BANDS[1:], 100.0), strict=True))


def is_within(score: float, low: float, high: float) -> bool:
    """Return whether a score belongs to the band of these limits."""
    return low <= score < high or score == high == 100.0


def count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _band(scored: Sequence[Scored], low: float, high: float) -> ScoreBand:
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
        text=_band_text(members, (low, high), against_lower, against_random),
    )


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A share against another one; a difference smaller than `least` would not show."""

    share: float
    other: float
    least: float

    @property
    def answer(self) -> Answer:
        difference = self.share - self.other
        if abs(difference) >= self.least > 0:
            return Answer.BETTER if difference > 0 else Answer.WORSE
        return Answer.TOO_FEW if self.least >= COARSE else Answer.NO_DIFFERENCE

    @property
    def least_text(self) -> str:
        return _points(self.least)


def _compared(some: Sequence[Scored], others: Sequence[Scored]) -> _Comparison | None:
    """Return how two groups compare; `None` where either has too few to be told at all."""
    if min(len(some), len(others)) < MINIMUM_OUTCOMES:
        return None
    share, other = _share(some), _share(others)
    pooled = (share * len(some) + other * len(others)) / (len(some) + len(others))
    error = sqrt(pooled * (1 - pooled) * (1 / len(some) + 1 / len(others)))
    return _Comparison(share, other, Z_95 * error)


def _compared_with_random(some: Sequence[Scored]) -> _Comparison | None:
    random = _random_share(some)
    if len(some) < MINIMUM_OUTCOMES or random is None:
        return None
    return _Comparison(_share(some), random, Z_95 * sqrt(random * (1 - random) / len(some)))


def _band_text(
    members: Sequence[Scored],
    limits: tuple[float, float],
    lower: _Comparison | None,
    random: _Comparison | None,
) -> str:
    named = f"Scores {limits[0]:g}-{limits[1]:g}"
    if random is None:
        return f"{named}: {count(len(members), 'outcome')}, too few to say anything."
    told = [f"{named} won {random.share:.1%} of {len(members):,}."]
    if lower is not None:
        told.append(f"Lower scores won {lower.other:.1%}: {_in_words(lower)}.")
    told.append(f"Random entries won {random.other:.1%}: {_in_words(random)}.")
    return " ".join(told)


def _in_words(compared: _Comparison) -> str:
    """Return the answer of a comparison, and what it could not have seen."""
    if compared.answer in (Answer.BETTER, Answer.WORSE):
        return f"{compared.answer}, by {_points(compared.share - compared.other)}"
    if compared.answer is Answer.NO_DIFFERENCE:
        return f"{compared.answer} (one would from about {compared.least_text} on)"
    return f"{compared.answer} (only a difference from about {compared.least_text} on would show)"


def _order(taken: Sequence[Scored], left: Sequence[Scored], threshold: float) -> str:
    """Say whether scores from the threshold on won more often than lower ones."""
    question = "Did higher scores do better?"
    compared = _compared(taken, left)
    if compared is None:
        return (
            f"{question} Too few outcomes to say: {len(taken):,} from {threshold:g} on, "
            f"{len(left):,} below."
        )
    facts = (
        f"scores from {threshold:g} on won {compared.share:.1%} of {len(taken):,}, "
        f"lower ones {compared.other:.1%} of {len(left):,}"
    )
    return f"{question} {_answered(compared, facts)}"


def _beside_random(taken: Sequence[Scored], threshold: float) -> str:
    """Say whether scores from the threshold on won more often than random entries."""
    question = (
        f"Did scores from {threshold:g} on do better than random entries of the same direction, "
        "hour and distance?"
    )
    compared = _compared_with_random(taken)
    if compared is None:
        return f"{question} Too few outcomes to say: {len(taken):,} from {threshold:g} on."
    facts = f"{compared.share:.1%} of {len(taken):,} against {compared.other:.1%}"
    return f"{question} {_answered(compared, facts)}"


def _answered(compared: _Comparison, facts: str) -> str:
    by = _points(compared.share - compared.other)
    unseen = f"A difference of under about {compared.least_text} would not show with so"
    return {
        Answer.BETTER: f"Yes, by {by}: {facts}.",
        Answer.WORSE: f"No, they did worse, by {by}: {facts}.",
        Answer.NO_DIFFERENCE: f"No, as far as can be seen: {facts}. {unseen} many outcomes.",
        Answer.TOO_FEW: f"Too few outcomes to say: {facts}. {unseen} few.",
    }[compared.answer]


def _notes(bands: Sequence[ScoreBand]) -> tuple[str, ...]:
    """Return what has to be known to read the answers."""
    answers = [one for band in bands for one in (band.against_lower, band.against_random) if one]
    by_band = (
        f"{count(len(answers), 'comparison')} by band: of twenty, chance alone makes about one "
        "look better or worse."
    )
    out_of_sample = (
        "No number of the score was fitted to what won. But its shares and the stop were chosen on "
        "gold of 2010-2017 and of 2025, by signals a week and the costs' share of the risk: "
        "there, only the outcomes are out of sample."
    )
    return (by_band, out_of_sample) if answers else (out_of_sample,)


def _points(share: float) -> str:
    """Return a difference of shares in percentage points."""
    return count(max(round(100 * abs(share)), 1), "point")


def _share(scored: Sequence[Scored]) -> float:
    return sum(one.won for one in scored) / len(scored)


def _random_share(scored: Sequence[Scored]) -> float | None:
    n = sum(one.random_n for one in scored)
    return sum(one.random_wins for one in scored) / n if n else None


def _apart(scored: Sequence[Scored]) -> list[Scored]:
    """Return those that do not overlap one kept before of the same direction."""
    free_at: dict[Direction, int] = {}
    kept: list[Scored] = []
    for one in scored:
        if one.time_ms >= free_at.get(one.direction, one.time_ms):
            free_at[one.direction] = one.over_ms
            kept.append(one)
    return kept


def _events(signals: Sequence[TradingSignal], candles: Candles) -> Events:
    """Return the signals as zones that end where their stops stand."""
    index = _places(signals, candles)
    atr = np.array(average_true_ranges(candles))[index]
    side = np.array([int(signal.direction is Direction.SELL) for signal in signals], dtype=np.int64)
    stop = np.array([signal.stop_loss for signal in signals])
    far = stop + np.where(side == 0, STOP_ATR, -STOP_ATR) * atr
    formed = np.zeros(len(signals), dtype=np.int64)
    return Events(index, index, formed, formed, side, far, far, formed.astype(np.float64), atr)


def _places(signals: Sequence[TradingSignal], candles: Candles) -> Int64s:
    """Return the candles at whose closes the signals were made."""
    opened = [signal.timestamp_ms - Timeframe.M15.milliseconds for signal in signals]
    return np.searchsorted(candles.time_ms, opened).astype(np.int64)


def _float(number: Decimal | None) -> float | None:
    return None if number is None else float(number)
