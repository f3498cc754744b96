"""The record of each symbol in Redis: one atomic step stores ticks once, whoever else writes.

A symbol's record is the stream `ticks:{symbol}` and beside it the hash `ticks:{symbol}:state`. A
step is planned from the position that this process remembers, and done by Redis only if the
position still is that one; otherwise Redis answers with the new one, and the step is planned again.

An entry's id is `<ordinal of its last tick>-0`, that of a watermark `<ordinal>-<quarter hours since
1970>`, so that an id means the same after Redis lost everything.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha1
from itertools import chain
from typing import Any, Final, TypeAlias

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from mt5_bridge.protocol.quote_filter import QuoteFilter
from mt5_bridge.protocol.wire import Role
from signals_app.gateway import append_plan, lease
from signals_app.gateway.append_plan import Mark, Position, Run, Step
from signals_app.gateway.lease import Holder, Patience
from signals_app.market.candle import TIMEFRAMES

ResumeMark: TypeAlias = Callable[[str], Awaitable[Mark | None]]
_Fields: TypeAlias = Mapping[str, str]
_Script: TypeAlias = list[Any]

# Compares fields of the state, and only if all are as expected ('' means: not there) sets fields
# and appends entries. Answers 'OK', or the whole state where it is another one.
#   ARGV: n, n field/value pairs; field for Redis's own time, or ''; m, m field/value pairs;
#         then for each entry: id, k, k field/value pairs
_STEP: Final = """
local at = 1
local function take()
  at = at + 1
  return ARGV[at - 1]
end
for _ = 1, tonumber(take()) do
  local field, expected = take(), take()
  if (redis.call('HGET', KEYS[1], field) or '') ~= expected then
    return redis.call('HGETALL', KEYS[1])
  end
end
local clock, set = take(), {}
for _ = 1, 2 * tonumber(take()) do
  set[#set + 1] = take()
end
while at <= #ARGV do
  local entry = {take()}
  for _ = 1, 2 * tonumber(take()) do
    entry[#entry + 1] = take()
  end
  redis.call('XADD', KEYS[2], unpack(entry))
end
if clock ~= '' then
  local time = redis.call('TIME')
  set[#set + 1] = clock
  set[#set + 1] = string.format('%d%03d', time[1], math.floor(time[2] / 1000))
end
if #set > 0 then
  redis.call('HSET', KEYS[1], unpack(set))
end
return 'OK'
"""
_STEP_SHA: Final = sha1(_STEP.encode(), usedforsecurity=False).hexdigest()

# A stream without its state cannot be continued; the connector sends again what it held.
_NEW: Final = """
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], unpack(ARGV))
end
"""

_WATERMARK_STEP_MS: Final = TIMEFRAMES[0].milliseconds
_SEQ: Final = "seq:"
# A position changes only while another connection of the symbol writes; that ends soon.
_ATTEMPTS: Final = 50


class StreamUnavailable(Exception):  # noqa: N818 - a state, not a mistake
    """Redis does not answer or cannot write now: try again later."""


class LedgerUnavailable(Exception):  # noqa: N818 - a state, not a mistake
    """The database does not answer now: try again later."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a connector is for a symbol, and where the symbol's record stands."""

    role: Role
    position: Position
    taken_from: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What one connection has for a symbol: runs of ticks, and the watermark behind them.

    `known_seq` is the last seq that this connection knows to be stored. `since` is when the oldest
    of it was read, on the clock that measures how long storing takes.
    """

    symbol: str
    connector: str
    connection: str
    known_seq: int
    runs: Sequence[Run] = ()
    watermark_ms: int | None = None
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class Stored:
    """The offer is in the record, but for what `step` says was refused or known."""

    step: Step


@dataclass(frozen=True, slots=True)
class Displaced:
    """Another connector is active by now; nothing was stored."""

    position: Position


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Redis no longer holds what it held; nothing was stored. The connection must resume anew."""


Outcome: TypeAlias = Stored | Displaced | Forgotten


class TickStream:
    """The records of all symbols, as one gateway process writes them."""

    def __init__(
        self,
        redis: "Redis",
        resume_mark: ResumeMark,
        *,
        quote_filter: QuoteFilter | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._redis = redis
        self._resume_mark = resume_mark
        self._filter = quote_filter or QuoteFilter()
        self._patience = patience or Patience()
        self._positions: dict[str, Position] = {}
        self._actives: dict[str, str] = {}

    async def join(self, symbol: str, connector: str, connection: str) -> Standing:
        """Let a connection take the active role if it may; say where to resume.

        A record that Redis lost, or that stands behind what the database has used, is first put to
        the database's mark; that a database which is down cannot tell matters only where Redis
        holds nothing. Who was active then keeps the role for as long as after a goodbye. Raises
        `StreamUnavailable` and `LedgerUnavailable`.
        """
        for _ in range(_ATTEMPTS):
            position, now_ms = await self._read(symbol)
            before = position.holder if position is not None else None
            holder = lease.claim(before, connector, connection, now_ms, self._patience)
            if holder is None and position is not None:
                return Standing(Role.STANDBY, position)
            position = await self._restored(symbol, position, now_ms)
            if position is None or holder is None:
                continue
            claim = _script(symbol, expect=_holder_fields(before), change=_holder_fields(holder))
            (reply,) = await self._run([claim])
            if reply == b"OK":
                self._positions[symbol] = replace(position, holder=holder)
                self._actives[symbol] = connector
                last = before.connector if before is not None else position.writer
                taken_from = last if last != connector else None
                return Standing(Role.ACTIVE, self._positions[symbol], taken_from)
        raise StreamUnavailable(f"the record of {symbol} does not stand still")

    async def store(self, offers: Sequence[Offer], now_ms: int | None) -> list[Outcome]:
        """Store each offer in one atomic step; return what became of them, in their order.

        The offers are for different symbols. Raises `StreamUnavailable`; then each may be stored or
        not, and offering the same again stores what is missing.
        """
        outcomes: dict[str, Outcome] = {}
        waiting = {offer.symbol: offer for offer in offers}
        for _ in range(_ATTEMPTS):
            planned: list[tuple[Offer, Step]] = []
            for symbol, offer in list(waiting.items()):
                position = self._positions.get(symbol, Position())
                refused = _refused(offer, position)
                if refused is not None:
                    # What this process remembers may be stale: it never refuses by memory alone.
                    position = (await self._read(symbol))[0] or Position()
                    self._positions[symbol] = position
                    refused = _refused(offer, position)
                if refused is not None:
                    outcomes[symbol] = refused
                    del waiting[symbol]
                    continue
                step = append_plan.step(
                    position, offer.connector, offer.runs, offer.watermark_ms, self._filter, now_ms
                )
                planned.append((offer, step))
            if not planned:
                break
            replies = await self._run(
                [
                    _step_script(offer, self._positions.get(offer.symbol, Position()), step)
                    for offer, step in planned
                ]
            )
            for (offer, step), reply in zip(planned, replies, strict=True):
                if reply == b"OK":
                    self._positions[offer.symbol] = step.position
                    outcomes[offer.symbol] = Stored(step)
                    del waiting[offer.symbol]
                elif found := _position(reply):
                    self._positions[offer.symbol] = found
                else:
                    self._positions.pop(offer.symbol, None)
                    outcomes[offer.symbol] = Forgotten()
                    del waiting[offer.symbol]
        if waiting:
            raise StreamUnavailable(f"the records of {', '.join(waiting)} do not stand still")
        return [outcomes[offer.symbol] for offer in offers]

    async def heard(self, symbols: Iterable[str], connector: str) -> None:
        """Note a sign of life of an active connector. Raises `StreamUnavailable`."""
        expect = {"active": connector}
        await self._run(
            [
                _script(symbol, expect=expect, change={"active_gone": ""}, clock="active_seen")
                for symbol in symbols
            ]
        )

    async def leave(self, symbols: Iterable[str], connection: str) -> None:
        """Note that a connection ended. Raises `StreamUnavailable`."""
        expect = {"active_connection": connection, "active_gone": ""}
        await self._run([_script(symbol, expect=expect, clock="active_gone") for symbol in symbols])

    async def has_forgotten(self, symbol: str, connector: str, known_seq: int) -> bool:
        """Return whether Redis lost what it held of an active connector since it came in.

        That is to be asked now and then, as a quiet market has nothing to store. Raises
        `StreamUnavailable`.
        """
        position, _ = await self._read(symbol)
        if position is None or position.holder is None or position.seq(connector) < known_seq:
            return True
        # Put back by another connection's `join`; this one has to take up its role again.
        return position.holder == replace(position.holder, connector=connector, connection="")

    async def _read(self, symbol: str) -> tuple[Position | None, int]:
        """Return where the record stands, `None` where there is none, and Redis's own time."""
        with _answering():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.hgetall(_state_key(symbol))
            pipeline.time()
            found, (seconds, microseconds) = await pipeline.execute()
        position = _position(list(chain.from_iterable(found.items())))
        if position is not None and position.holder is not None:
            self._actives[symbol] = position.holder.connector
        return position, int(seconds) * 1000 + int(microseconds) // 1000

    async def _restored(
        self, symbol: str, position: Position | None, now_ms: int
    ) -> Position | None:
        """Return the position if it can be trusted; otherwise put it right and return `None`."""
        try:
            mark = await self._resume_mark(symbol)
        except LedgerUnavailable:
            if position is None:
                raise
            return position
        if position is None:
            fresh = Position() if mark is None else Position.at(mark)
            fields = _fields(fresh)
            # A standby hears of the loss first where the active connector is just coming back.
            active = self._actives.get(symbol) or fresh.writer
            if active is not None:
                fields |= _holder_fields(Holder(active, "", now_ms, gone_ms=now_ms))
            keys = _state_key(symbol), _stream_key(symbol)
            with _answering():
                await self._redis.eval(_NEW, len(keys), *keys, *_flat(fields))
            return None
        if mark is not None and mark.ordinal > position.ordinal:
            # Redis came back from an older copy of itself.
            expect = {"ordinal": str(position.ordinal)}
            await self._run([_script(symbol, expect=expect, change=_fields(Position.at(mark)))])
            return None
        return position

    async def _run(self, scripts: Sequence[_Script]) -> list[Any]:
        """Run the step script for each; return the replies."""
        with _answering():
            pipeline = self._redis.pipeline(transaction=False)
            for script in scripts:
                pipeline.evalsha(_STEP_SHA, 2, *script)
            try:
                return list(await pipeline.execute())
            except NoScriptError:
                await self._redis.script_load(_STEP)
        return await self._run(scripts)


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise StreamUnavailable(str(error) or type(error).__name__) from error


def _refused(offer: Offer, position: Position) -> Outcome | None:
    if position.seq(offer.connector) < offer.known_seq or position.holder is None:
        return Forgotten()
    if position.holder.connector != offer.connector:
        return Displaced(position)
    return None


def _step_script(offer: Offer, position: Position, step: Step) -> _Script:
    connector, after = offer.connector, step.position
    expect = {
        "ordinal": str(position.ordinal),
        "watermark": str(position.watermark_ms),
        "active": connector,
        _SEQ + connector: _seq_text(position.seqs.get(connector)),
    }
    change: dict[str, str] = {"active_connection": offer.connection, "active_gone": ""}
    entries: list[tuple[str, dict[str, Any]]] = []
    origin = {"c": connector, "q": step.seq, "r": _received_ms(offer)}
    if step.seq:
        change[_SEQ + connector] = str(step.seq)
    if len(step.ticks):
        change |= {
            "ordinal": str(after.ordinal),
            "time_ms": str(after.time_ms),
            "bid": repr(after.bid),
            "writer": connector,
        }
        first, count = step.ticks.first_ordinal, len(step.ticks)
        entries.append(
            (f"{after.ordinal}-0", {"f": first, "n": count, **origin, "d": step.ticks.pack()})
        )
    if step.watermark_ms is not None:
        change["watermark"] = str(step.watermark_ms)
        entry_id = f"{after.ordinal}-{step.watermark_ms // _WATERMARK_STEP_MS}"
        watermark = {"f": after.ordinal + 1, "n": 0, **origin, "w": step.watermark_ms}
        entries.append((entry_id, watermark))
    return _script(offer.symbol, expect=expect, change=change, clock="active_seen", entries=entries)


def _received_ms(offer: Offer) -> int:
    """Return when the oldest of an offer was read, by the wall clock; only latencies need it."""
    waited = time.perf_counter() - offer.since if offer.since else 0.0
    return round((time.time() - waited) * 1000)


def _script(
    symbol: str,
    *,
    expect: _Fields,
    change: _Fields | None = None,
    clock: str = "",
    entries: Sequence[tuple[str, Mapping[str, Any]]] = (),
) -> _Script:
    change = change or {}
    arguments: list[Any] = [_state_key(symbol), _stream_key(symbol)]
    arguments += [len(expect), *_flat(expect), clock, len(change), *_flat(change)]
    for entry_id, fields in entries:
        arguments += [entry_id, len(fields), *_flat(fields)]
    return arguments


def _flat(fields: Mapping[str, Any]) -> list[Any]:
    return list(chain.from_iterable(fields.items()))


def _fields(position: Position) -> dict[str, str]:
    """Return the hash that says this, without the holder."""
    return {
        "ordinal": str(position.ordinal),
        "time_ms": str(position.time_ms),
        "bid": repr(position.bid),
        "watermark": str(position.watermark_ms),
        "writer": position.writer or "",
        **{_SEQ + connector: str(seq) for connector, seq in position.seqs.items()},
    }


def _holder_fields(holder: Holder | None) -> dict[str, str]:
    if holder is None:
        return {"active": "", "active_connection": "", "active_seen": "", "active_gone": ""}
    return {
        "active": holder.connector,
        "active_connection": holder.connection,
        "active_seen": str(holder.seen_ms),
        "active_gone": "" if holder.gone_ms is None else str(holder.gone_ms),
    }


def _position(reply: Sequence[bytes]) -> Position | None:
    """Return what a hash says, as its fields and values in turn; `None` where there is none."""
    found = {
        field.decode(): value.decode() for field, value in zip(reply[::2], reply[1::2], strict=True)
    }
    if "ordinal" not in found:
        return None
    gone = found.get("active_gone")
    holder = (
        Holder(
            connector=found["active"],
            connection=found.get("active_connection", ""),
            seen_ms=int(found.get("active_seen") or 0),
            gone_ms=int(gone) if gone else None,
        )
        if found.get("active")
        else None
    )
    return Position(
        ordinal=int(found["ordinal"]),
        time_ms=int(found["time_ms"]),
        bid=float(found["bid"]),
        watermark_ms=int(found["watermark"]),
        writer=found["writer"] or None,
        seqs={
            field.removeprefix(_SEQ): int(value)
            for field, value in found.items()
            if field.startswith(_SEQ)
        },
        holder=holder,
    )


def _seq_text(seq: int | None) -> str:
    return "" if seq is None else str(seq)


def _stream_key(symbol: str) -> str:
    return f"ticks:{symbol}"


def _state_key(symbol: str) -> str:
    return f"ticks:{symbol}:state"
