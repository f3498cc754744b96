"""What became of every signal from a low score on: its outcome, beside matched random entries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType

import numpy as np

from reports_app.backtest.engine import run_on_candles
from reports_app.backtest.result import BacktestResult
from signals_app.confluence.parameters import Parameters
from signals_app.confluence.signal import TradingSignal
from signals_app.market.candle import Candles, Timeframe
from signals_app.market.conversion import ANY_RATES
from signals_app.market.direction import Direction
from signals_app.market.instrument import Instrument
from signals_app.market.tick import Float64s, Int64s
from signals_app.probability.events import Events
from signals_app.probability.outcomes import STOP_ATR, measure
from signals_app.smc.measures import average_true_ranges

#: The lowest score that is looked at.
LOWEST_SCORE = 50.0


@dataclass(frozen=True, slots=True)
class ScoredOutcome:
    """A signal's score and outcome.

    `time_ms` is the close that it was made at, `over_ms` the one that ends its 48 candles. `won` is
    +1 R before -1 R within them; `random_wins` of `random_n` matched random entries (same
    direction, hour and distance) did so. `r_multiple` is its trade's result, managed as the
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


def score_outcomes(
    instrument: Instrument,
    parameters: Parameters,
    candles: Candles,
    spread: Float64s,
    *,
    history: Mapping[Timeframe, Candles] = MappingProxyType({}),
    decide_from_ms: int | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
    workers: int = 1,
) -> list[ScoredOutcome]:
    """Follow every signal from a score of 50 on over M15 candles, in their order.

    The engine makes them with the protections off, which are about the account and not about the
    score. Many overlap. ``history`` fills the windows of H1 and H4 before the first candle; without
    it the first 50 candles of H4 decide nothing. ``workers`` as in `run_on_candles`.
    """
    loose = replace(
        parameters,
        threshold=min(LOWEST_SCORE, parameters.threshold),
        risk_percentage=0.01,
        maximum_open_trades=1_000_000,
        zone_memory_hours=0.0,
        cool_down_minutes=0.0,
        daily_loss_percentage=100.0,
    )
    # With so much money no row of losses makes a position too small to take.
    funded = replace(instrument, starting_balance=Decimal(10) ** 9)
    result = run_on_candles(
        funded,
        loose,
        candles,
        spread,
        history,
        decide_from_ms=decide_from_ms,
        on_progress=on_progress,
        workers=workers,
        # What a result is in R does not depend on the rate, which a trade keeps.
        rates=ANY_RATES,
        described=False,
    )
    signals, multiples = result.signals, _r_multiples(result)
    if not signals:
        return []
    outcomes = measure(candles, spread, _events(signals, candles))
    over_ms = candles.time_ms + Timeframe.M15.milliseconds
    return [
        ScoredOutcome(
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


def _r_multiples(result: BacktestResult) -> dict[str, float | None]:
    return {
        trade.signal_id: (
            None if trade.is_open or trade.r_multiple is None else float(trade.r_multiple)
        )
        for trade, _ in result.trades
    }


def _events(signals: Sequence[TradingSignal], candles: Candles) -> Events:
    """The signals as zones that end where their stops stand."""
    index = _places(signals, candles)
    atr = np.array(average_true_ranges(candles))[index]
    side = np.array([int(signal.direction is Direction.SELL) for signal in signals], dtype=np.int64)
    stop = np.array([signal.stop_loss for signal in signals])
    far = stop + np.where(side == 0, STOP_ATR, -STOP_ATR) * atr
    formed = np.zeros(len(signals), dtype=np.int64)
    return Events(index, index, formed, formed, side, far, far, formed.astype(np.float64), atr)


def _places(signals: Sequence[TradingSignal], candles: Candles) -> Int64s:
    """The places of the candles at whose closes the signals were made."""
    opened = [signal.timestamp_ms - Timeframe.M15.milliseconds for signal in signals]
    return np.searchsorted(candles.time_ms, opened).astype(np.int64)
