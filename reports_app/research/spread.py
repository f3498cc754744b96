"""Trials spread over a stack's Celery workers, or over processes of this machine."""

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any, cast

import redis
from celery import Celery, current_app
from celery.exceptions import CeleryError
from django.conf import settings
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from reports_app.research.trials import run_trial

Trades = list[list[float]]
#: Named by string: the tasks are a layer above.
_TASK = "reports_app.tasks.run_trial"
#: A queue for nothing but trials, for those who start a worker on it.
_OWN_QUEUE = "research"
_QUEUE = "analysis"
_LOOK_SECONDS = 0.2


class LostTrial(Exception):  # noqa: N818 - it names what happened
    """A worker did not bring a trial's result."""


@dataclass(frozen=True, slots=True)
class Workers:
    """The Celery workers to use: their queue and how many trials they take at once."""

    queue: str
    at_once: int


def find_workers(app: Celery | None = None) -> Workers | None:
    """Return a running stack's workers, `None` where none can take trials.

    Workers on a queue of their own take as many as they have processes. Of those that analyse, one
    process is always left to the live market; with only one there is none to spare.
    """
    try:
        store = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
        store.ping()
        store.connection_pool.disconnect()
        inspect = (app or current_app).control.inspect(timeout=1.0)
        queues: dict[str, Any] = inspect.active_queues() or {}
        stats: dict[str, Any] = inspect.stats() or {}
    except (RedisError, OperationalError, OSError):
        return None
    for queue, spared in ((_OWN_QUEUE, 0), (_QUEUE, 1)):
        processes = sum(
            stats.get(name, {}).get("pool", {}).get("max-concurrency", 0)
            for name, served in queues.items()
            if any(found["name"] == queue for found in served)
        )
        if processes > spared:
            return Workers(queue, processes - spared)
    return None


def by_workers(
    workers: Workers,
    market: dict[str, Any],
    candidates: Sequence[dict[str, Any]],
    *,
    patience_seconds: float,
) -> Iterator[tuple[int, Trades]]:
    """Yield each candidate's place and trades as workers finish them.

    Raises `LostTrial` where nothing came for so long or a worker could not run one. What was not
    started is withdrawn then.
    """
    waiting: dict[int, Any] = {}
    upcoming = iter(enumerate(candidates))
    heard = time.monotonic()
    try:
        while True:
            while len(waiting) < workers.at_once:
                following = next(upcoming, None)
                if following is None:
                    break
                place, parameters = following
                waiting[place] = current_app.send_task(
                    _TASK, args=(market, parameters), queue=workers.queue
                )
            if not waiting:
                return
            finished = [place for place, result in waiting.items() if result.ready()]
            for place in finished:
                heard = time.monotonic()
                yield place, _brought(waiting.pop(place))
            if time.monotonic() - heard > patience_seconds:
                raise LostTrial(f"No worker brought a result for {patience_seconds:.0f} seconds.")
            if not finished:
                time.sleep(_LOOK_SECONDS)
    finally:
        for result in waiting.values():
            result.revoke()


def _brought(result: Any) -> Trades:
    try:
        return cast("Trades", result.get())
    except CeleryError as error:
        raise LostTrial(f"A worker could not run a trial: {error!r}.") from error


def by_processes(
    count: int, market: dict[str, Any], candidates: Sequence[dict[str, Any]]
) -> Iterator[tuple[int, Trades]]:
    """Yield each candidate's place and trades as ``count`` processes finish them."""
    if count == 1:
        for place, parameters in enumerate(candidates):
            yield place, run_trial(market, parameters)
        return
    # Started afresh, not forked: this process has threads and connections.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context) as pool:
        places = {
            pool.submit(run_trial, market, parameters): place
            for place, parameters in enumerate(candidates)
        }
        try:
            for finished in as_completed(places):
                yield places[finished], finished.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
