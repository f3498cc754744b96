"""Runs of ticks."""

import numpy as np
import pytest

from signals_app.market.tick import Tick, Ticks


def run(first_ordinal: int, *bids: float) -> Ticks:
    times = np.arange(len(bids), dtype=np.int64) * 1000
    return Ticks(first_ordinal, times, np.array(bids), np.array(bids) + 0.5)


def test_packed_ticks_come_back_unchanged() -> None:
    ticks = run(7, 1.25, 1.5)

    assert list(Ticks.unpack(7, ticks.pack())) == list(ticks)
    assert ticks[1] == Tick(8, 1000, 1.5, 2.0)


def test_a_broken_pack_is_refused() -> None:
    with pytest.raises(ValueError, match="buffer size"):
        Ticks.unpack(1, run(1, 1.25).pack()[:-1])


def test_ticks_after_an_ordinal_leave_out_what_was_used() -> None:
    ticks = run(10, 1.0, 2.0, 3.0)

    assert list(ticks.after(11)) == [Tick(12, 2000, 3.0, 3.5)]
    assert len(ticks.after(12)) == 0
    assert list(ticks.after(5)) == list(ticks)


def test_consecutive_runs_join() -> None:
    ticks = run(1, 1.0, 2.0, 3.0)

    assert list(Ticks.join([ticks.part(0, 2), ticks.part(2)])) == list(ticks)
