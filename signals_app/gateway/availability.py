"""Stores that do not answer now: which one it is, and waiting until it does."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from redis.exceptions import RedisError

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0

_Result = TypeVar("_Result")


class StreamUnavailable(Exception):  # noqa: N818 - a state, not a mistake
    """Redis does not answer or cannot write now: try again later."""


class DatabaseUnavailable(Exception):  # noqa: N818 - a state, not a mistake
    """The database does not answer now: try again later."""


@contextmanager
def redis_answers() -> Iterator[None]:
    """Turn the absence of Redis, and its refusal to write, into `StreamUnavailable`."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise StreamUnavailable(str(error) or type(error).__name__) from error


async def until_available(attempt: Callable[[], Awaitable[_Result]]) -> _Result:
    """Repeat an attempt until the stores answer, and return its result.

    Pauses double from 50 ms up to a second. An attempt has to be one that may be repeated.
    """
    pause = _FIRST_PAUSE
    while True:
        try:
            return await attempt()
        except (StreamUnavailable, DatabaseUnavailable) as error:
            if pause == _FIRST_PAUSE:
                log.warning("waiting for a store to answer: %s", error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
