"""Signs of life: Celery's workers and beat leave theirs in Redis, and health reads them.

A sign ends by itself, so that a process that was killed is missed within seconds.
"""

import json
from collections.abc import Iterable
from typing import Any

import structlog
from celery import current_app, signals
from redis.exceptions import RedisError

from goldtrader.store import store

log = structlog.get_logger(__name__)

#: Workers give a sign every two seconds.
_WORKER_EXPIRES = 10
#: Beat gives one with each task that it starts, the most frequent every five seconds.
_BEAT_EXPIRES = 20
_WORKER, _BEAT = "alive:worker:", "alive:beat"


def connect() -> None:
    """Let the Celery processes that load the app give their signs."""
    signals.heartbeat_sent.connect(_worker_lives)
    signals.beat_init.connect(_beat_began)
    signals.beat_embedded_init.connect(_beat_began)


def workers() -> dict[str, list[str]]:
    """Return the workers that live, each with the queues that it serves; raises `RedisError`."""
    keys = sorted(store().scan_iter(match=f"{_WORKER}*", count=1000))
    signs = store().mget(keys) if keys else []
    return {
        key.decode().removeprefix(_WORKER): json.loads(sign)
        for key, sign in zip(keys, signs, strict=True)
        if sign is not None
    }


def beat_lives() -> bool:
    """Return whether beat started a task lately; raises `RedisError`."""
    return bool(store().exists(_BEAT))


def give_worker_sign(name: str, queues: Iterable[str]) -> None:
    """Note that a worker lives and serves these queues."""
    _give(f"{_WORKER}{name}", json.dumps(sorted(queues)), _WORKER_EXPIRES)


def give_beat_sign() -> None:
    """Note that beat lives."""
    _give(_BEAT, "1", _BEAT_EXPIRES)


def _worker_lives(sender: Any, **_: Any) -> None:
    give_worker_sign(sender.eventer.hostname, current_app.amqp.queues.consume_from)


def _beat_began(**_: Any) -> None:
    signals.before_task_publish.connect(_beat_published)


def _beat_published(**_: Any) -> None:
    give_beat_sign()


def _give(key: str, sign: str, expires: int) -> None:
    try:
        store().set(key, sign, ex=expires)
    except RedisError as failure:
        log.warning("sign_of_life_lost", key=key, detail=str(failure))
