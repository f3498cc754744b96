"""One name is one spool: while it is connected a name belongs to one numbering of a symbol's ticks.

Two spools under one name would number different ticks alike, and the stream would mix them. Redis
keeps who holds a name, so that several gateways agree; it is forgotten soon after its session ends.
"""

from collections.abc import Collection
from enum import IntEnum
from typing import Any, Final

from redis.asyncio import Redis

from signals_app.gateway.availability import redis_answers

#: A gateway that dies lets go of its names after this time; living sessions renew every second.
_EXPIRES_MS: Final = 15_000

# KEYS: a hash for the name and each symbol. ARGV: spool, session, milliseconds.
_ACQUIRE: Final = """
for _, key in ipairs(KEYS) do
  local held = redis.call('HMGET', key, 'spool', 'session', 'refused')
  if held[1] and held[1] ~= ARGV[1] and held[2] ~= ARGV[2] then
    if held[3] == ARGV[1] then
      return 2
    end
    redis.call('HSET', key, 'refused', ARGV[1], 'notice', '1')
    return 1
  end
end
for _, key in ipairs(KEYS) do
  redis.call('DEL', key)
  redis.call('HSET', key, 'spool', ARGV[1], 'session', ARGV[2])
  redis.call('PEXPIRE', key, ARGV[3])
end
return 0
"""
# Counts the symbols for which another spool was refused since. What Redis forgot is taken again.
_RENEW: Final = """
local notices = 0
for _, key in ipairs(KEYS) do
  local session = redis.call('HGET', key, 'session')
  if not session then
    redis.call('HSET', key, 'spool', ARGV[1], 'session', ARGV[2])
  end
  if not session or session == ARGV[2] then
    redis.call('PEXPIRE', key, ARGV[3])
    notices = notices + redis.call('HDEL', key, 'notice')
  end
end
return notices
"""
_RELEASE: Final = """
for _, key in ipairs(KEYS) do
  if redis.call('HGET', key, 'session') == ARGV[1] then
    redis.call('DEL', key)
  end
end
"""


class Acquired(IntEnum):
    """What came of asking for a name."""

    GRANTED = 0
    REFUSED = 1
    REFUSED_AGAIN = 2
    """As before, for the same spool: nobody needs to hear of it once more."""


class NameLeases:
    """The names of all connectors. Every method raises `StreamUnavailable`."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    async def acquire(
        self, name: str, symbols: Collection[str], spool: str, session: str
    ) -> Acquired:
        """Take a name for a session's symbols, unless one with another spool holds it for one.

        A newer session of the same spool replaces the older.
        """
        arguments = (spool, session, str(_EXPIRES_MS))
        return Acquired(await self._run(_ACQUIRE, name, symbols, *arguments))

    async def renew(self, name: str, symbols: Collection[str], spool: str, session: str) -> bool:
        """Keep the name; return whether another spool was refused since the last time."""
        arguments = (spool, session, str(_EXPIRES_MS))
        return bool(await self._run(_RENEW, name, symbols, *arguments))

    async def release(self, name: str, symbols: Collection[str], session: str) -> None:
        """Let the name go, where the session holds it."""
        await self._run(_RELEASE, name, symbols, session)

    async def _run(self, script: str, name: str, symbols: Collection[str], *arguments: str) -> Any:
        keys = [f"connector:{name}:{symbol}" for symbol in symbols]
        with redis_answers():
            return await self._redis.eval(script, len(keys), *keys, *arguments)
