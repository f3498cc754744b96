"""Closes screened by several threads come in their order, all of them, whatever the number."""

import threading

import numpy as np
import pytest

from reports_app.backtest.screening_threads import screen_in_order
from signals_app.market.tick import Float64s, Int64s


def doubled(ends: Int64s) -> Float64s:
    return ends[:, :2] * 2.0


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 1024, 1025, 5000])
def test_parts_come_in_order_and_whole(workers: int, count: int) -> None:
    ends = np.arange(count * 3, dtype=np.int64).reshape(-1, 3)

    parts = list(screen_in_order(doubled, ends, workers))

    assert [start for start, _ in parts] == list(range(0, count, 1024))
    together = np.concatenate([found for _, found in parts]) if parts else np.empty((0, 2))
    assert np.array_equal(together, doubled(ends))


def test_a_failure_reaches_the_caller_and_ends_the_threads() -> None:
    def failing(ends: Int64s) -> Float64s:
        raise ZeroDivisionError(len(ends))

    with pytest.raises(ZeroDivisionError):
        list(screen_in_order(failing, np.zeros((5000, 3), dtype=np.int64), 2))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("screen")]
