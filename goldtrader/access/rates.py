"""Rates such as `20/min`, counted in fixed windows: in Redis for all processes, else alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from time import time

import structlog
from redis.exceptions import RedisError

from goldtrader.store import store

log = structlog.get_logger(__name__)

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
#: What one process counts by itself while Redis does not answer, before it begins anew.
_MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many events in so many seconds."""

    most: int
    seconds: int

    @classmethod
    @lru_cache(maxsize=32)
    def of(cls, text: str) -> "Rate":
        """The rate that a setting writes, such as `20/min`."""
        number, _, unit = text.partition("/")
        return cls(int(number), _SECONDS[unit[0]])

    def slower(self, other: "Rate") -> "Rate":
        """Whichever lets less through in the long run."""
        return min(self, other, key=lambda rate: rate.most / rate.seconds)


@dataclass(frozen=True, slots=True)
class Counted:
    """How often an event happened in the present window, and the seconds until the next one."""

    times: int
    wait: float


@dataclass(frozen=True, slots=True)
class Event:
    """Something that is counted: a name that says what and whose, and the window's length."""

    name: str
    seconds: int


class _Memory:
    """Counts of this process alone."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._lock = Lock()

    def add(self, key: str, number: int) -> int:
        with self._lock:
            if len(self._counts) >= _MOST_COUNTED:
                self._counts.clear()
            count = self._counts[key] = max(0, self._counts.get(key, 0) + number)
            return count


_memory = _Memory()


def count(events: Sequence[Event], number: int = 1) -> list[Counted]:
    """Add a number to each event's count of the present window; one round trip to Redis."""
    now = time()
    windows = [divmod(now, event.seconds) for event in events]
    keys = [
        f"rate:{event.name}:{event.seconds}:{window:.0f}"
        for event, (window, _) in zip(events, windows, strict=True)
    ]
    try:
        steps = store().pipeline(transaction=False)
        for key, event in zip(keys, events, strict=True):
            steps.incrby(key, number)
            steps.expire(key, event.seconds + 1)
        times = steps.execute()[::2]
    except RedisError as failure:
        log.warning("counted_alone", detail=str(failure))
        times = [_memory.add(key, number) for key in keys]
    return [
        Counted(times_, event.seconds - into)
        for times_, event, (_, into) in zip(times, events, windows, strict=True)
    ]


def plain(text: str) -> str:
    """A name from outside as part of a key: short, and of harmless characters."""
    return re.sub(r"[^\w.@:/-]", "_", text.casefold())[:100]
