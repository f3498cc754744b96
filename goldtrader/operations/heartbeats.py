"""Heartbeats of Celery's workers and beat: keys in Redis that expire, read by the health check.

A process that was killed is missed within seconds, since nothing renews its key.
"""

import json
from collections.abc import Iterable
from typing import Any

import structlog
from celery import current_app, signals
from redis.exceptions import RedisError

from goldtrader.store import store

log = structlog.get_logger(__name__)

#: Seconds; workers send a heartbeat every two.
_WORKER_EXPIRES = 10
#: Seconds; beat sends one with each task that it starts, the most frequent every five seconds.
_BEAT_EXPIRES = 20
_WORKER, _BEAT = "alive:worker:", "alive:beat"


def connect() -> None:
    """Record heartbeats of the Celery processes that load the app."""
    signals.heartbeat_sent.connect(_on_worker_heartbeat)
    signals.beat_init.connect(_on_beat_start)
    signals.beat_embedded_init.connect(_on_beat_start)


def workers() -> dict[str, list[str]]:
    """The living workers, each with the queues that it serves; raises `RedisError`."""
    keys = sorted(store().scan_iter(match=f"{_WORKER}*", count=1000))
    asked = store().pipeline(transaction=False)
    for key in keys:
        asked.get(key)
        asked.pttl(key)
    answers = asked.execute()
    return {
        key.decode().removeprefix(_WORKER): json.loads(value)
        for key, value, left_ms in zip(keys, answers[::2], answers[1::2], strict=True)
        if value is not None and _is_fresh(left_ms, _WORKER_EXPIRES)
    }


def served_queues() -> set[str]:
    """The queues that at least one living worker serves; raises `RedisError`."""
    return {queue for served in workers().values() for queue in served}


def beat_lives() -> bool:
    """Whether beat started a task lately; raises `RedisError`."""
    return _is_fresh(store().pttl(_BEAT), _BEAT_EXPIRES)


def forget_all() -> None:
    """Forget the heartbeats of processes that are gone; raises `RedisError`."""
    for key in [_BEAT.encode(), *store().scan_iter(match=f"{_WORKER}*", count=1000)]:
        store().delete(key)


def record_worker(name: str, queues: Iterable[str]) -> None:
    """Record that a worker lives and serves these queues."""
    _record(f"{_WORKER}{name}", json.dumps(sorted(queues)), _WORKER_EXPIRES)


def record_beat() -> None:
    _record(_BEAT, "1", _BEAT_EXPIRES)


def _on_worker_heartbeat(sender: Any, **_: Any) -> None:
    record_worker(sender.eventer.hostname, current_app.amqp.queues.consume_from)


def _on_beat_start(**_: Any) -> None:
    signals.before_task_publish.connect(_on_beat_publish)


def _on_beat_publish(**_: Any) -> None:
    record_beat()


def _is_fresh(left_ms: Any, expires: int) -> bool:
    """Whether a key may still live for ``left_ms`` after a heartbeat that expires in seconds.

    More than that was recorded by a clock that was ahead, and would outlive its process by as much.
    """
    return 0 < int(left_ms) <= 1000 * expires


def _record(key: str, value: str, expires: int) -> None:
    try:
        store().set(key, value, ex=expires)
    except RedisError as failure:
        log.warning("sign_of_life_lost", key=key, detail=str(failure))
