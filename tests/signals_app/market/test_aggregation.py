"""Ticks to candles."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from signals_app.market.aggregation import ClosedCandle, aggregate, candles_of, close_until
from signals_app.market.candle import TIMEFRAMES, Candle, Timeframe
from signals_app.market.tick import Ticks

MINUTE = 60_000
QUARTER = 15 * MINUTE


def ticks(*rows: tuple[int, float], first_ordinal: int = 1) -> Ticks:
    times, bids = zip(*rows, strict=True)
    return Ticks(
        first_ordinal,
        np.array(times, dtype=np.int64),
        np.array(bids, dtype=np.float64),
        np.array(bids, dtype=np.float64) + 0.3,
    )


def test_a_candle_holds_first_highest_lowest_and_last_bid_and_counts_its_ticks() -> None:
    forming, closed = aggregate({}, ticks((0, 10.0), (1, 12.0), (2, 9.0), (3, 11.0)))

    assert closed == []
    assert forming[Timeframe.M15] == Candle(0, 10.0, 12.0, 9.0, 11.0, 4.0)


def test_a_tick_at_the_end_closes_the_candle_and_begins_the_next() -> None:
    forming, closed = aggregate({}, ticks((0, 10.0), (QUARTER, 11.0)))

    assert closed == [ClosedCandle(Timeframe.M15, Candle(0, 10.0, 10.0, 10.0, 10.0, 1.0), 2)]
    assert closed[0].close_time_ms == QUARTER
    assert forming[Timeframe.M15] == Candle(QUARTER, 11.0, 11.0, 11.0, 11.0, 1.0)
    assert forming[Timeframe.H1] == Candle(0, 10.0, 11.0, 10.0, 11.0, 2.0)


def test_an_interval_without_ticks_makes_no_candle() -> None:
    _, closed = aggregate({}, ticks((0, 10.0), (3 * QUARTER, 11.0), (4 * QUARTER, 12.0)))

    assert [c.candle.time_ms for c in closed if c.timeframe is Timeframe.M15] == [0, 3 * QUARTER]


def test_candles_that_end_together_close_shortest_first() -> None:
    _, closed = aggregate({}, ticks((15 * QUARTER, 10.0), (16 * QUARTER, 11.0)))

    assert [c.timeframe for c in closed] == [Timeframe.M15, Timeframe.H1, Timeframe.H4]
    assert {c.close_time_ms for c in closed} == {16 * QUARTER}
    assert {c.closed_by for c in closed} == {2}


def test_candles_of_one_timeframe_are_those_that_closed_and_on_request_the_last() -> None:
    runs = [
        ticks((0, 10.0), (QUARTER - 1, 12.0)),
        ticks((QUARTER, 11.0), (2 * QUARTER, 9.0), first_ordinal=3),
    ]
    closed = [
        Candle(0, 10.0, 12.0, 10.0, 12.0, 2.0),
        Candle(QUARTER, 11.0, 11.0, 11.0, 11.0, 1.0),
    ]

    assert candles_of(runs, Timeframe.M15) == closed
    assert candles_of(runs, Timeframe.M15, include_forming=True) == [
        *closed,
        Candle(2 * QUARTER, 9.0, 9.0, 9.0, 9.0, 1.0),
    ]
    assert candles_of(runs, Timeframe.H4) == []


def test_a_sparse_stream_closes_the_earlier_end_first() -> None:
    _, closed = aggregate({}, ticks((2 * QUARTER, 10.0), (5 * QUARTER, 11.0)))

    assert [(c.timeframe, c.close_time_ms) for c in closed] == [
        (Timeframe.M15, 3 * QUARTER),
        (Timeframe.H1, 4 * QUARTER),
    ]


def test_a_watermark_closes_what_ended_and_nothing_else() -> None:
    forming, _ = aggregate({}, ticks((0, 10.0)))

    assert close_until(forming, QUARTER - 1) == (forming, [])
    still_forming, closed = close_until(forming, QUARTER)
    assert closed == [ClosedCandle(Timeframe.M15, Candle(0, 10.0, 10.0, 10.0, 10.0, 1.0), None)]
    assert set(still_forming) == {Timeframe.H1, Timeframe.H4}


@given(
    steps=st.lists(st.integers(0, 20 * MINUTE), min_size=1, max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=5),
    bids=st.lists(st.integers(1, 500), min_size=60, max_size=60),
)
def test_candles_do_not_depend_on_how_the_ticks_were_cut_into_batches(
    steps: list[int], cuts: list[int], bids: list[int]
) -> None:
    times = np.cumsum(np.array(steps, dtype=np.int64))
    whole = Ticks(1, times, np.array(bids[: len(times)]) / 4, np.array(bids[: len(times)]) / 4)
    expected = aggregate({}, whole)

    forming, closed = {}, []
    edges = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    for start, stop in pairwise(edges):
        forming, more = aggregate(forming, whole.part(start, stop))
        closed += more

    assert (forming, closed) == expected
    assert set(forming) == set(TIMEFRAMES)
