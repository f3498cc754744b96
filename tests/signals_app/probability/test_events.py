"""Events are what an analysis of each window shows as new."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from signals_app.importers.candle_files import read_candles
from signals_app.market.candle import Candles, Timeframe
from signals_app.probability.estimate import (
    BIASES,
    EVENT_KINDS,
    EVENT_TYPES,
    EventType,
    MeasuredEventKind,
)
from signals_app.probability.events import _find, find_events
from signals_app.probability.evidence import POOL_KINDS
from signals_app.smc import readable
from signals_app.smc.compiled import kernel


@pytest.fixture(scope="module")
def candles(shared) -> Candles:
    path = shared / "data" / "XAUUSD_H1_mt5charan_2025-01_to_2026-01_SERVER-EU.csv.gz"
    return read_candles(path, "server-eu")


def shown_as_new(candles: Candles, index: int) -> set:
    """Return the events that the readable analysis of the window behind ``index`` shows."""
    window = candles.window(index + 1)
    view, last = readable.view(window, Timeframe.H1), len(window) - 1
    found = set()
    for gap in view.gaps.gaps:
        if last in (gap.index, gap.touched_at):
            kind = MeasuredEventKind.FORMED if gap.index == last else MeasuredEventKind.RETEST
            found.add((EventType.FVG, kind, gap.direction, gap.strength))
    for block in view.order_blocks.order_blocks:
        if last in (block.confirmed_at, block.touched_at):
            kind = (
                MeasuredEventKind.FORMED if block.confirmed_at == last else MeasuredEventKind.RETEST
            )
            found.add((EventType.ORDER_BLOCK, kind, block.direction, block.score))
    for sweep in view.liquidity.sweeps:
        if sweep.index == last:
            found.add((EventType.SWEEP, POOL_KINDS[sweep.kind], sweep.direction, sweep.score))
    return found


def test_events_are_those_of_the_last_two_hundred_candles_and_the_best_of_those_alike(candles):
    events = find_events(candles, 300, 360)

    for index in range(300, 360):
        expected: dict = {}
        for *name, score in shown_as_new(candles, index):
            expected[tuple(name)] = max(score, expected.get(tuple(name), 0.0))
        at = np.flatnonzero(events.index == index)
        found = {
            (
                EVENT_TYPES[events.type[e]],
                EVENT_KINDS[events.kind[e]],
                BIASES[events.side[e]],
            ): events.score[e]
            for e in at.tolist()
        }
        assert found == expected


def test_later_candles_change_no_event(candles):
    whole, part = find_events(candles, 300, 400), find_events(candles.part(0, 400), 300)

    for name in whole.__slots__:
        assert np.array_equal(getattr(whole, name), getattr(part, name))


def test_what_is_compiled_here_is_bound_to_the_detectors_that_it_was_compiled_with():
    # The cache on disk asks for this file and for what its function closes over, not for the
    # detectors that are compiled into it.
    bound = [cell.cell_contents for cell in _find.py_func.__closure__]

    assert bound == [sha256(Path(kernel.__file__).read_bytes()).hexdigest()]
