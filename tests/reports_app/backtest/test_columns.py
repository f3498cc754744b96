"""Longer candles from shorter ones."""

from reports_app.backtest.columns import resample
from signals_app.market.candle import Candle, Candles, Timeframe

QUARTER, HOUR = 900_000, 3_600_000


def numbered(count: int, step: int = QUARTER) -> Candles:
    return Candles.of(
        Candle(n * step, n + 0.5, n + 2.0, n - 1.0, n + 1.0, 10.0) for n in range(count)
    )


def test_longer_candles_are_aligned_to_midnight_and_holes_make_none() -> None:
    candles = numbered(12)
    with_a_hole = Candles.of(c for n, c in enumerate(candles) if n not in (0, 4, 5, 6, 7))

    assert list(resample(with_a_hole, Timeframe.H1)) == [
        Candle(0, 1.5, 5.0, 0.0, 4.0, 30.0),
        Candle(2 * HOUR, 8.5, 13.0, 7.0, 12.0, 40.0),
    ]
    assert len(resample(candles.part(0, 0), Timeframe.H1)) == 0
