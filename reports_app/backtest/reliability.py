"""Whether higher confluence scores did better: outcomes by band of score, beside random entries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import sqrt
from typing import Any

import numpy as np

from reports_app.backtest.engine import run_on_candles
from signals_app.confluence.direction import Direction
from signals_app.confluence.events import Events
from signals_app.confluence.outcomes import HORIZON, STOP_ATR, measure
from signals_app.confluence.parameters import Parameters
from signals_app.confluence.probability import Z_95, wilson
from signals_app.confluence.signal import TradingSignal
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.instrument import Instrument
from signals_app.market.tick import Float64s, Int64s
from signals_app.smc.measures import average_true_ranges

#: Where a band of scores begins; it ends where the next one does.
BANDS = (50.0, 60.0, 70.0, 80.0, 90.0)


@dataclass(frozen=True, slots=True)
class Scored:
    """One signal's score and outcome.

    `won` is +1 R before -1 R within 48 candles; `random_wins` of `random_n` matched random
    entries (same direction, hour and distance) did so. `r_multiple` is what its trade brought,
    managed as the product manages trades, `None` where the data ended before it.
    """

    score: float
    time_ms: int
    won: bool
    random_wins: int
    random_n: int
    r_multiple: float | None


@dataclass(frozen=True, slots=True)
class ScoreBand:
    """The signals whose score is `from_score` to below `to_score` (100 included).

    `low` and `high` are Wilson's 95 % interval of `wins` of `n`; shares and means are `None` where
    there was nothing to take them of.
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


@dataclass(frozen=True, slots=True)
class Reliability:
    """The bands, lowest first, and what they say in plain words."""

    bands: tuple[ScoreBand, ...]
    verdicts: tuple[str, ...]


def score_outcomes(
    instrument: Instrument,
    parameters: Parameters,
    candles: Candles,
    spread: Float64s,
    *,
    decide_from_ms: int | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> list[Scored]:
    """Return the outcomes of all signals from a score of 50 on, over M15 candles.

    The engine makes them with the protections off, which are about the account and not about the
    score. Of a band and direction only those are kept that do not overlap the one before: the same
    move counted at ten closes would be one outcome told ten times.
    """
    loose = replace(
        parameters,
        threshold=BANDS[0],
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
        {},
        decide_from_ms=decide_from_ms,
        on_progress=on_progress,
    )
    multiples = {
        trade.signal_id: None if trade.is_open else _float(trade.r_multiple)
        for trade, _ in result.trades
    }
    kept = _apart(result.signals, candles)
    if not kept:
        return []
    outcomes = measure(candles, spread, _events(kept, candles))
    return [
        Scored(
            score=kept[event].confidence_score,
            time_ms=kept[event].timestamp_ms,
            won=bool(won),
            random_wins=int((random == 1).sum()),
            random_n=int((random >= 0).sum()),
            r_multiple=multiples[kept[event].signal_id],
        )
        for event, won, random in zip(
            outcomes.event.tolist(), outcomes.won.tolist(), outcomes.random_won, strict=True
        )
    ]


def reliability(scored: Sequence[Scored], threshold: float) -> Reliability:
    """Return the bands of these outcomes, and whether scores from ``threshold`` on were better."""
    ends = (*BANDS[1:], 100.0)
    bands = tuple(_band(scored, low, high) for low, high in zip(BANDS, ends, strict=True))
    taken = [one for one in scored if one.score >= threshold]
    left = [one for one in scored if one.score < threshold]
    return Reliability(bands, (_order(taken, left, threshold), _against_random(taken, threshold)))


def reliability_as_json(found: Reliability) -> dict[str, Any]:
    """Return the bands and the verdicts as plain values."""
    return {
        "bands": [
            {name: getattr(band, name) for name in ScoreBand.__slots__} for band in found.bands
        ],
        "verdicts": list(found.verdicts),
    }


def _band(scored: Sequence[Scored], low: float, high: float) -> ScoreBand:
    members = [one for one in scored if low <= one.score < high or one.score == high == 100.0]
    n, wins = len(members), sum(one.won for one in members)
    interval = wilson(wins, n) if n else (None, None)
    multiples = [one.r_multiple for one in members if one.r_multiple is not None]
    return ScoreBand(
        from_score=low,
        to_score=high,
        n=n,
        wins=wins,
        share=wins / n if n else None,
        low=interval[0],
        high=interval[1],
        random_share=_random_share(members),
        mean_r=sum(multiples) / len(multiples) if multiples else None,
    )


def _order(taken: Sequence[Scored], left: Sequence[Scored], threshold: float) -> str:
    """Say whether scores from the threshold on won more often than lower ones."""
    if len(taken) < 30 or len(left) < 30:
        return "Higher against lower scores: too few outcomes to say."
    high, low = _share(taken), _share(left)
    pooled = (high * len(taken) + low * len(left)) / (len(taken) + len(left))
    error = sqrt(pooled * (1 - pooled) * (1 / len(taken) + 1 / len(left)))
    facts = (
        f"scores from {threshold:g} on won {high:.1%} of {len(taken):,}, "
        f"lower ones {low:.1%} of {len(left):,}"
    )
    return f"Did higher scores do better? {_answer(high - low, error)}: {facts}."


def _against_random(taken: Sequence[Scored], threshold: float) -> str:
    """Say whether scores from the threshold on won more often than random entries."""
    random = _random_share(taken)
    if len(taken) < 30 or random is None:
        return "Against random entries: too few outcomes to say."
    share = _share(taken)
    error = sqrt(random * (1 - random) / len(taken))
    facts = f"{share:.1%} of {len(taken):,} against {random:.1%}"
    return (
        f"Did scores from {threshold:g} on do better than random entries of the same direction, "
        f"hour and distance? {_answer(share - random, error)}: {facts}."
    )


def _answer(difference: float, error: float) -> str:
    if error == 0 or abs(difference) < Z_95 * error:
        return "No difference that chance would not make as well"
    return "Yes" if difference > 0 else "No, worse"


def _share(scored: Sequence[Scored]) -> float:
    return sum(one.won for one in scored) / len(scored)


def _random_share(scored: Sequence[Scored]) -> float | None:
    n = sum(one.random_n for one in scored)
    return sum(one.random_wins for one in scored) / n if n else None


def _apart(signals: Sequence[TradingSignal], candles: Candles) -> list[TradingSignal]:
    free_at: dict[tuple[int, Direction], int] = {}
    kept: list[TradingSignal] = []
    for signal, index in zip(signals, _places(signals, candles).tolist(), strict=True):
        band = sum(signal.confidence_score >= start for start in BANDS)
        if index >= free_at.get((band, signal.direction), 0):
            free_at[band, signal.direction] = index + HORIZON
            kept.append(signal)
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
