"""The addresses from which connectors were let in, which have places reserved at the gateways.

Redis keeps them for all gateways and over restarts; while it is away the process goes on with what
it remembers.
"""

import time
from collections.abc import Iterable
from typing import Final

from redis.asyncio import Redis

from signals_app.gateway.availability import redis_answers

_KEY: Final = "gateway:addresses"
_AT_MOST: Final = 1_000
#: An address from which nobody was let in for so long is forgotten.
_KEPT_SECONDS: Final = 30 * 24 * 3600


class KnownAddresses:
    """Addresses as `places.address_of` gives them."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        # In the order in which they were last let in.
        self._addresses: dict[str, None] = {}
        self._untold: set[str] = set()

    def __contains__(self, address: object) -> bool:
        return address in self._addresses

    def remember(self, address: str) -> None:
        """A connector was let in from here."""
        self._note((address,))
        self._untold.add(address)

    async def exchange(self) -> None:
        """Tell Redis who was let in since, and learn of those that other gateways let in.

        Raises `StreamUnavailable`.
        """
        now, told = time.time(), frozenset(self._untold)
        with redis_answers():
            pipeline = self._redis.pipeline(transaction=False)
            if told:
                pipeline.zadd(_KEY, dict.fromkeys(told, now))
            pipeline.zremrangebyscore(_KEY, "-inf", now - _KEPT_SECONDS)
            pipeline.zremrangebyrank(_KEY, 0, -_AT_MOST - 1)
            pipeline.zrange(_KEY, 0, -1)
            found = (await pipeline.execute())[-1]
        self._untold -= told
        self._note(address.decode() for address in found)

    def _note(self, addresses: Iterable[str]) -> None:
        for address in addresses:
            self._addresses.pop(address, None)
            self._addresses[address] = None
        while len(self._addresses) > _AT_MOST:
            oldest = next(iter(self._addresses))
            del self._addresses[oldest]
            self._untold.discard(oldest)
