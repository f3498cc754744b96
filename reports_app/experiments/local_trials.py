"""Trials in processes of this machine."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import Any

from reports_app.experiments.trials import TRIES, Candidates, LostTrial, Trades, run_trial


def by_processes(
    count: int, market: dict[str, Any], candidates: Candidates
) -> Iterator[tuple[int, Trades]]:
    """Yield each candidate's place and trades as ``count`` processes finish them.

    Where one of them dies, what it had not finished is begun again. Raises `LostTrial` where that
    happens three times and nothing is finished between.
    """
    if count == 1:
        for place, parameters in candidates.items():
            yield place, run_trial(market, parameters)
        return
    left, deaths = dict(candidates), 0
    while left:
        before = len(left)
        for place, trades in _from_pool(count, market, left):
            del left[place]
            yield place, trades
        deaths = 0 if len(left) < before else deaths + 1
        if left and deaths >= TRIES:
            raise LostTrial(f"A process that tried settings died {deaths} times.")


def processors() -> int:
    """How many processors this process may use, which may be fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _from_pool(
    count: int, market: dict[str, Any], candidates: Candidates
) -> Iterator[tuple[int, Trades]]:
    """Yield what a pool of processes finishes; when one of them dies, that is not all."""
    # Started afresh, not forked: this process has threads and connections.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context) as pool:
        try:
            places = {
                pool.submit(run_trial, market, parameters): place
                for place, parameters in candidates.items()
            }
            for finished in as_completed(places):
                with suppress(BrokenProcessPool):
                    trades = finished.result()
                    yield places[finished], trades
        except BrokenProcessPool:
            return
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
