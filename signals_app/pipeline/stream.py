"""The symbol's tick stream in Redis, as its only reader sees it.

An entry's id is `<ordinal of its last tick>-0`, so that a place in the stream is a tick's number
and means the same after Redis lost everything. A watermark has the id `<ordinal>-<n>`, n from 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import redis
from django.conf import settings

from signals_app.market.tick import Ticks
from signals_app.pipeline.stream_keys import PREFIX, stream_key

#: One transaction uses at most about this many ticks, so that followers see progress.
TICKS_PER_BATCH = 20_000
_ENTRIES_PER_READ = 32


class TicksMissing(Exception):  # noqa: N818 - it says what is the matter
    """Redis does not hold ticks that are still needed: wait, the connector sends them again."""


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """One entry: ticks that came together, or a watermark (then `ticks` is `None`).

    `received_ms` is the gateway's clock when it came, `None` where the entry does not say.
    """

    entry_id: str
    connector: str
    seq: int
    ticks: Ticks | None
    watermark_ms: int | None
    received_ms: int | None = None
    spool: str = ""

    @property
    def sender(self) -> str:
        """The connector, with its spool's identity where it says one."""
        return f"{self.connector}/{self.spool}" if self.spool else self.connector


@cache
def connection() -> "redis.Redis":
    """This process's connection to Redis."""
    return redis.Redis.from_url(settings.REDIS_URL)


def read_batch(symbol: str, after: str) -> tuple[list[StreamEntry], bool]:
    """The entries behind the id ``after``, as many as one transaction should use.

    The flag says whether they were the last in the stream.
    """
    entries: list[StreamEntry] = []
    ticks = 0
    while ticks < TICKS_PER_BATCH:
        found = _range(symbol, f"({after}", "+", _ENTRIES_PER_READ)
        entries += found
        if len(found) < _ENTRIES_PER_READ:
            return entries, True
        ticks += sum(len(entry.ticks) for entry in found if entry.ticks is not None)
        after = found[-1].entry_id
    return entries, False


def read_ticks(symbol: str, after_ordinal: int, last_ordinal: int) -> Iterator[Ticks]:
    """Yield the ticks above ``after_ordinal`` up to ``last_ordinal``, in order.

    Raises `TicksMissing` where Redis does not hold them all.
    """
    following = after_ordinal + 1
    while following <= last_ordinal:
        found = _range(symbol, f"{following}-0", "+", _ENTRIES_PER_READ)
        runs = [entry.ticks for entry in found if entry.ticks is not None]
        if not runs or runs[0].first_ordinal > following:
            raise TicksMissing(f"{symbol}: tick {following} is not in the stream")
        for run in runs:
            part = run.part(following - run.first_ordinal, last_ordinal + 1 - run.first_ordinal)
            if len(part):
                yield part
            following = min(run.last_ordinal, last_ordinal) + 1
            if following > last_ordinal:
                return


def last_entry_id(symbol: str) -> str:
    """The newest entry's id; `0-0` where the stream is empty."""
    found: Any = connection().xrevrange(stream_key(symbol), count=1)
    return found[0][0].decode() if found else "0-0"


def is_after(entry_id: str, other: str) -> bool:
    """Whether ``entry_id`` comes later in the stream than ``other``."""
    return _id_parts(entry_id) > _id_parts(other)


def streamed_symbols() -> list[str]:
    keys = connection().scan_iter(match=f"{PREFIX}*", count=1000, _type="stream")
    return sorted(key.decode().removeprefix(PREFIX) for key in keys)


def trim(symbol: str, needed_ordinal: int) -> None:
    """Forget the entries whose last tick comes before ``needed_ordinal``."""
    connection().xtrim(stream_key(symbol), minid=f"{needed_ordinal}-0", approximate=True)


def _id_parts(entry_id: str) -> tuple[int, int]:
    ordinal, _, place = entry_id.partition("-")
    return int(ordinal), int(place)


def _range(symbol: str, first: str, last: str, count: int) -> list[StreamEntry]:
    found: Any = connection().xrange(stream_key(symbol), first, last, count=count)
    return [_entry(entry_id, fields) for entry_id, fields in found]


def _entry(entry_id: bytes, fields: dict[bytes, bytes]) -> StreamEntry:
    packed = fields.get(b"d")
    watermark = fields.get(b"w")
    return StreamEntry(
        entry_id=entry_id.decode(),
        connector=fields.get(b"c", b"").decode(),
        seq=int(fields.get(b"q", 0)),
        ticks=None if packed is None else Ticks.unpack(int(fields[b"f"]), packed),
        watermark_ms=None if watermark is None else int(watermark),
        received_ms=int(received) if (received := fields.get(b"r")) else None,
        spool=fields.get(b"s", b"").decode(),
    )
