"""Candles in a row: their parts, their description, and whether they are enough."""

import numpy as np

from signals_app.market.candle import Candle, Candles
from signals_app.market.candle_run import SHORTEST_RUN, CandleRun

HOUR_MS = 3_600_000


def run(count: int) -> CandleRun:
    rows = [Candle(hour * HOUR_MS, 10.0, 11.0, 9.0, 10.5, 5.0) for hour in range(count)]
    return CandleRun("gold.csv", Candles.of(rows), np.arange(count, dtype=np.float64))


def test_a_part_keeps_each_candles_spread() -> None:
    part = run(5).part(2, 4)

    assert (part.name, part.candles.time_ms.tolist()) == ("gold.csv", [2 * HOUR_MS, 3 * HOUR_MS])
    assert part.spread.tolist() == [2.0, 3.0]
    assert len(run(5).part(3)) == 2


def test_it_is_described_by_its_source_count_and_openings() -> None:
    assert run(1200).description == (
        "gold.csv: 1,200 candles, 1970-01-01T00:00:00Z to 1970-02-19T23:00:00Z"
    )


def test_only_a_run_that_is_too_short_has_a_shortage() -> None:
    assert run(SHORTEST_RUN).shortage is None
    assert run(SHORTEST_RUN - 1).shortage == (
        "gold.csv holds 299 candles; at least 300 are needed."
    )
