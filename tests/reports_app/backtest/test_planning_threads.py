"""Closes planned by several threads come in their order, all of them, whatever the number."""

import threading

import numpy as np
import pytest

from reports_app.backtest.planning_threads import plan_in_order
from signals_app.confluence.planning import Closes, Plan, Planned
from signals_app.confluence.refusals import RefusalReason
from signals_app.market.direction import Direction


def closes(count: int) -> Closes:
    times = np.arange(count, dtype=np.int64)
    return Closes(np.stack((times, times, times), axis=1), times, times * 1.0, times * 1.0)


def every_third(asked: Closes) -> Planned:
    plans = [
        Plan(place, (Direction.BUY,), Direction.BUY, float(time_ms), None, None)
        for place, time_ms in enumerate(asked.time_ms.tolist())
        if time_ms % 3 == 0
    ]
    return Planned(tuple(plans), {RefusalReason.BELOW_THRESHOLD: len(asked) - len(plans)})


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 1024, 1025, 5000])
def test_parts_come_in_order_and_whole(workers: int, count: int) -> None:
    parts = list(plan_in_order(every_third, closes(count), workers))

    assert [start for start, _ in parts] == list(range(0, count, 1024))
    places = [start + plan.place for start, planned in parts for plan in planned.plans]
    assert places == list(range(0, count, 3))
    refused = sum(planned.refused[RefusalReason.BELOW_THRESHOLD] for _, planned in parts)
    assert refused + len(places) == count


def test_a_failure_reaches_the_caller_and_ends_the_threads() -> None:
    def failing(asked: Closes) -> Planned:
        raise ZeroDivisionError(len(asked))

    with pytest.raises(ZeroDivisionError):
        list(plan_in_order(failing, closes(5000), 2))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("plan")]
