"""Trials on a running stack's Celery workers."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, cast

import redis
from celery import Celery, Task
from celery.exceptions import BackendError, WorkerLostError
from django.conf import settings
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from reports_app.experiments.trials import TRIES, Candidates, LostTrial, Trades

#: A queue for nothing but trials, for those who start a worker on it.
_OWN_QUEUE = "research"
_QUEUE = "analysis"
_LOOK_SECONDS = 0.2
_ASK_SECONDS = 10.0
#: A busy stack may let a trial wait in the queue for a while.
_LOST_AFTER_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Workers:
    """The Celery workers to use: their queue and how many trials they take at once."""

    queue: str
    at_once: int


def find_workers(app: Celery) -> Workers | None:
    """Look for a running stack's workers; `None` where none can take trials.

    Workers on a queue of their own take as many as they have processes. Of those that analyse, one
    process is always left to the live market; with only one there is none to spare.
    """
    try:
        store = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
        store.ping()
        store.connection_pool.disconnect()
        inspect = app.control.inspect(timeout=1.0)
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
    task: "Task[Any, Any]",
    workers: Workers,
    market: dict[str, Any],
    candidates: Candidates,
    *,
    lost_after_seconds: float = _LOST_AFTER_SECONDS,
) -> Iterator[tuple[int, Trades]]:
    """Yield each candidate's place and trades as workers finish them.

    ``task`` runs one trial, as `run_trial` does. A trial whose process or worker died is sent
    again; the workers are asked now and then what they run, and a trial that none of them has had
    for ``lost_after_seconds`` counts as lost. Raises `LostTrial` where one was lost three times or
    could not be run. What was not finished is revoked then.
    """
    sender = _Sender(task, workers.queue, market)
    waiting: dict[int, _Sent] = {}
    upcoming = deque(candidates.items())
    asked = time.monotonic()
    try:
        while upcoming or waiting:
            while upcoming and len(waiting) < workers.at_once:
                place, parameters = upcoming.popleft()
                waiting[place] = sender.send(parameters)
            finished = [place for place, sent in waiting.items() if sent.result.ready()]
            for place in finished:
                trades = _trades(waiting[place].result)
                if trades is None:
                    waiting[place] = sender.send_again(waiting[place])
                else:
                    del waiting[place]
                    yield place, trades
            if time.monotonic() - asked > min(_ASK_SECONDS, lost_after_seconds / 2):
                waiting = sender.send_lost_again(waiting, lost_after_seconds)
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
    """A trial on its way: how often it was sent, and when a worker last had it (monotonic)."""

    parameters: dict[str, Any]
    result: Any
    tries: int
    last_seen: float


@dataclass(frozen=True, slots=True)
class _Sender:
    """Sends the trials of one search to the workers' queue."""

    task: "Task[Any, Any]"
    queue: str
    market: dict[str, Any]

    def send(self, parameters: dict[str, Any], *, tries: int = 1) -> _Sent:
        result = self.task.apply_async(args=(self.market, parameters), queue=self.queue)
        return _Sent(parameters, result, tries, time.monotonic())

    def send_again(self, sent: _Sent) -> _Sent:
        """Send a lost trial again; raises `LostTrial` where that was done too often."""
        if sent.tries >= TRIES:
            raise LostTrial(f"A trial was lost {sent.tries} times with the worker that ran it.")
        sent.result.revoke()
        return self.send(sent.parameters, tries=sent.tries + 1)

    def send_lost_again(
        self, waiting: dict[int, _Sent], lost_after_seconds: float
    ) -> dict[int, _Sent]:
        """Send again what no worker has had for so long; return all that is waited for."""
        ids = [sent.result.id for sent in waiting.values()]
        inspect = self.task.app.control.inspect(timeout=1.0)
        answers: dict[str, dict[str, Any]] = inspect.query_task(*ids) or {}
        now = time.monotonic()
        alive = {known for answer in answers.values() for known in answer}
        found = dict[int, _Sent]()
        for place, sent in waiting.items():
            if sent.result.id in alive:
                found[place] = replace(sent, last_seen=now)
            elif now - sent.last_seen > lost_after_seconds and not sent.result.ready():
                found[place] = self.send_again(sent)
            else:
                found[place] = sent
        return found


def _trades(result: Any) -> Trades | None:
    """The trades of a finished trial, `None` where the process that ran it died."""
    returned = result.get(propagate=False)
    if result.successful():
        return cast("Trades", returned)
    if isinstance(returned, WorkerLostError):
        return None
    raise LostTrial(f"A worker could not run a trial: {returned}")
