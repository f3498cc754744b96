"""One market's history calibrated, whole or up to a moment."""

import numpy as np

from signals_app.market.candle import Candles, Timeframe
from signals_app.market.candle_run import CandleRun
from signals_app.probability.calibration import calibrate

HOUR_MS = Timeframe.H1.milliseconds


def random_walk(count: int, *, first_hour: int = 0) -> CandleRun:
    """Return hours of prices without memory, at a spread of 0.3."""
    random = np.random.default_rng(3)
    close = 1800 + np.cumsum(random.normal(0, 2, count))
    open_ = np.concatenate(([1800.0], close[:-1]))
    candles = Candles(
        (first_hour + np.arange(count, dtype=np.int64)) * HOUR_MS,
        open_,
        np.maximum(open_, close) + 1,
        np.minimum(open_, close) - 1,
        close,
        random.integers(50, 200, count).astype(np.float64),
    )
    return CandleRun(f"from {first_hour}", candles, np.full(count, 0.3))


def test_two_runs_are_one_sample_of_their_span() -> None:
    first, second = random_walk(400), random_walk(600, first_hour=9000)

    found = calibrate("XAUUSD", Timeframe.H1, [first, second])

    assert found is not None
    assert (found.candles, found.from_ms, found.to_ms) == (1000, 0, 9600 * HOUR_MS)
    assert found.runs == (first.description, second.description)
    assert found.events == sum(one.n for one in found.probabilities) > 0


def test_candles_that_had_not_closed_by_then_are_left_out() -> None:
    whole, later = random_walk(500), random_walk(400, first_hour=9000)
    until_ms = 450 * HOUR_MS

    found = calibrate("XAUUSD", Timeframe.H1, [whole, later], until_ms=until_ms)

    assert found == calibrate("XAUUSD", Timeframe.H1, [whole.part(0, 450)])
    assert found is not None
    assert found.to_ms == until_ms


def test_without_candles_nothing_is_measured() -> None:
    assert calibrate("XAUUSD", Timeframe.H1, []) is None
    assert calibrate("XAUUSD", Timeframe.H1, [random_walk(400)], until_ms=0) is None
