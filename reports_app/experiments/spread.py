"""Trials spread over a stack's Celery workers, or over processes of this machine."""

import multiprocessing
import os
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, cast

import redis
from celery import Celery, current_app
from celery.exceptions import BackendError, WorkerLostError
from django.conf import settings
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from reports_app.experiments.trials import run_trial

Trades = list[list[float]]
#: Parameters as JSON holds them, by their place in the search.
Candidates = Mapping[int, dict[str, Any]]
#: Named by string: the tasks are a layer above.
_TASK = "reports_app.tasks.run_trial"
#: A queue for nothing but trials, for those who start a worker on it.
_OWN_QUEUE = "research"
_QUEUE = "analysis"
_LOOK_SECONDS = 0.2
_ASK_SECONDS = 10.0
#: A busy stack may let a trial wait in the queue for a while.
_PATIENCE_SECONDS = 120.0
_TRIES = 3


class LostTrial(Exception):  # noqa: N818 - it names what happened
    """A trial's result cannot be had from there; the sentence says why."""


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
    candidates: Candidates,
    *,
    patience_seconds: float = _PATIENCE_SECONDS,
) -> Iterator[tuple[int, Trades]]:
    """Yield each candidate's place and trades as workers finish them.

    A trial whose process or worker died is sent again; the workers are asked now and then what
    they are at, and one of which none of them knows for ``patience_seconds`` counts as lost. Raises
    `LostTrial` where one was lost three times or could not be run. What was not finished is
    withdrawn then.
    """
    waiting: dict[int, _Sent] = {}
    upcoming = deque(candidates.items())
    asked = time.monotonic()
    try:
        while upcoming or waiting:
            while upcoming and len(waiting) < workers.at_once:
                place, parameters = upcoming.popleft()
                waiting[place] = _send(workers, market, parameters, tries=1)
            finished = [place for place, sent in waiting.items() if sent.result.ready()]
            for place in finished:
                trades = _brought(waiting[place].result)
                if trades is None:
                    waiting[place] = _send_again(workers, market, waiting[place])
                else:
                    del waiting[place]
                    yield place, trades
            if time.monotonic() - asked > min(_ASK_SECONDS, patience_seconds / 2):
                waiting = _looked_after(workers, market, waiting, patience_seconds)
                asked = time.monotonic()
            if not finished:
                time.sleep(_LOOK_SECONDS)
    except (RedisError, OperationalError, BackendError) as error:
        raise LostTrial(f"The stack's store does not answer: {error}.") from error
    finally:
        with suppress(RedisError, OperationalError):
            for sent in waiting.values():
                sent.result.revoke()


@dataclass(frozen=True, slots=True)
class _Sent:
    """A trial on its way: how often it was sent, and when it was last known to be alive."""

    parameters: dict[str, Any]
    result: Any
    tries: int
    heard: float


def _send(
    workers: Workers, market: dict[str, Any], parameters: dict[str, Any], *, tries: int
) -> _Sent:
    result = current_app.send_task(_TASK, args=(market, parameters), queue=workers.queue)
    return _Sent(parameters, result, tries, time.monotonic())


def _send_again(workers: Workers, market: dict[str, Any], sent: _Sent) -> _Sent:
    if sent.tries >= _TRIES:
        raise LostTrial(f"A trial was lost {sent.tries} times with the worker that ran it.")
    sent.result.revoke()
    return _send(workers, market, sent.parameters, tries=sent.tries + 1)


def _looked_after(
    workers: Workers, market: dict[str, Any], waiting: dict[int, _Sent], patience_seconds: float
) -> dict[int, _Sent]:
    """Return what is waited for, with those sent again that no worker has had for so long."""
    ids = [sent.result.id for sent in waiting.values()]
    answers: dict[str, dict[str, Any]] = (
        current_app.control.inspect(timeout=1.0).query_task(*ids) or {}
    )
    now = time.monotonic()
    alive = {known for answer in answers.values() for known in answer}
    found = dict[int, _Sent]()
    for place, sent in waiting.items():
        if sent.result.id in alive:
            found[place] = replace(sent, heard=now)
        elif now - sent.heard > patience_seconds and not sent.result.ready():
            found[place] = _send_again(workers, market, sent)
        else:
            found[place] = sent
    return found


def _brought(result: Any) -> Trades | None:
    """Return what a worker brought, `None` where the process that ran it died."""
    brought = result.get(propagate=False)
    if result.successful():
        return cast("Trades", brought)
    if isinstance(brought, WorkerLostError):
        return None
    raise LostTrial(f"A worker could not run a trial: {brought}")


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
        if left and deaths >= _TRIES:
            raise LostTrial(f"A process that tried settings died {deaths} times.")


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


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
