"""The streams and states of all symbols in Redis: read, created, changed by atomic scripts."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from signals_app.gateway import append_script
from signals_app.gateway.append_script import Arguments
from signals_app.gateway.availability import redis_answers
from signals_app.gateway.stream_state import StreamState, parse_state
from signals_app.pipeline.stream_keys import state_key

DONE: Final = b"OK"
"""The reply to an update whose expectations held."""


class StreamStore:
    """Every method raises `StreamUnavailable` where Redis does not answer or cannot write."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    async def read(self, symbol: str) -> tuple[StreamState | None, int]:
        """The state of a symbol, `None` where there is none, and Redis's own time (ms)."""
        with redis_answers():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.hgetall(state_key(symbol))
            pipeline.time()
            found, (seconds, microseconds) = await pipeline.execute()
        now_ms = int(seconds) * 1000 + int(microseconds) // 1000
        return parse_state(list(chain.from_iterable(found.items()))), now_ms

    async def create(self, symbol: str, fields: Mapping[str, str]) -> None:
        """Begin the stream anew with a state of these fields, unless the symbol has a state."""
        with redis_answers():
            arguments = append_script.create_arguments(symbol, fields)
            await self._redis.eval(append_script.CREATE, 2, *arguments)

    async def update(self, updates: Sequence[Arguments]) -> list[Any]:
        """Run the update script for each, in one round trip.

        A reply is `DONE`, or the whole state (as `parse_state` takes it) where an expectation did
        not hold and nothing was changed.
        """
        with redis_answers():
            pipeline = self._redis.pipeline(transaction=False)
            for arguments in updates:
                pipeline.evalsha(append_script.UPDATE_SHA, 2, *arguments)
            try:
                return list(await pipeline.execute())
            except NoScriptError:
                await self._redis.script_load(append_script.UPDATE)
        return await self.update(updates)
