"""One connection being served: carries out what its `Connection` decides.

The reader takes frames in, the pump stores what they hold, the writer sends. The pump takes
everything that gathered while Redis was busy with the append before, so that appends grow with the
load; the reader stops reading while too much waits for the pump.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Final, Protocol, TypeAlias, assert_never

from websockets.exceptions import ConnectionClosed

from mt5_bridge.protocol import wire
from mt5_bridge.protocol.wire import CandleRow, Role
from signals_app.gateway import connection as core
from signals_app.gateway import metrics
from signals_app.gateway.append_log import (
    Appended,
    AppendLog,
    AppendRequest,
    AppendResult,
    LeaseLost,
    StateLost,
)
from signals_app.gateway.append_plan import AppendPlan, Batch
from signals_app.gateway.availability import DatabaseUnavailable, StreamUnavailable, until_available
from signals_app.gateway.connection import Actions, Assignment, Close, Connection, Send
from signals_app.gateway.stream_state import StreamState
from signals_app.gateway.tokens import Claims
from signals_app.gateway.transport import GatewayConnection, is_cut
from signals_app.market.candle import Timeframe

log = logging.getLogger(__name__)

MAX_STEP_ROWS: Final = 5_000
"""Ticks that one append, and so one stream entry, gathers at most; a longer frame stays whole."""

_MAX_WAITING_ROWS: Final = 20_000
_MAX_WAITING_HISTORY: Final = 20_000
_MAX_OUTGOING: Final = 1_000
# Acknowledgements that come together are sent together.
_ACK_DELAY: Final = 0.02
_SEND_TIMEOUT: Final = 30.0
# What was read before the peer went is still stored, if it takes no longer than this.
_LAST_STEPS_TIMEOUT: Final = 5.0

_Item: TypeAlias = Batch | int


class Host(Protocol):
    """What a session needs of the gateway that serves it."""

    @property
    def stream(self) -> AppendLog:
        """Return the records of all symbols."""
        ...

    async def is_admitted(self, claims: Claims) -> bool:
        """Return whether the connector is known and not revoked; raises `DatabaseUnavailable`."""
        ...

    def settle(self, session: "Session") -> None:
        """Note that a session was let in; older ones of its connector and symbols end."""
        ...

    def wake(self, symbol: str, *, at_once: bool) -> None:
        """See to it that the symbol's stream is read soon."""
        ...

    async def store_history(
        self, symbol: str, timeframe: Timeframe, rows: Sequence[CandleRow]
    ) -> int:
        """Store closed candles, return how many were kept; raises `DatabaseUnavailable`."""
        ...

    def record(self, connector: str, code: str, symbol: str, message: str) -> None:
        """Keep what a connector reported or what happened to it."""
        ...


@dataclass(slots=True)
class _Waiting:
    """What waits to be stored for one symbol: batches, and watermarks (integers) between them."""

    items: deque[_Item] = field(default_factory=deque)
    since: float = 0.0

    def add(self, item: _Item) -> None:
        if not self.items:
            self.since = time.perf_counter()
        self.items.append(item)

    def take(self) -> tuple[list[Batch], int | None]:
        """Take the first batches, of one append's size, and the watermark behind them."""
        batches: list[Batch] = []
        rows = 0
        while self.items:
            item = self.items[0]
            if isinstance(item, int):
                self.items.popleft()
                return batches, item
            if batches and rows + len(item.rows) > MAX_STEP_ROWS:
                break
            self.items.popleft()
            batches.append(item)
            rows += len(item.rows)
        return batches, None


class Session:
    """One accepted WebSocket connection."""

    def __init__(self, host: Host, socket: GatewayConnection, connection: Connection) -> None:
        self.connection = connection
        self.id = token_hex(8)
        self.ended = asyncio.Event()
        self._host = host
        self._socket = socket
        self._is_draining = False
        # Storing
        self._known: dict[str, int] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._waiting_rows = 0
        self._is_storing = False
        self._work = asyncio.Event()
        self._room = asyncio.Event()
        self._idle = asyncio.Event()
        # History that waits for the database, and symbols that have no tick yet
        self._later: asyncio.Queue[core.StoreHistory] = asyncio.Queue()
        self._history_rows = 0
        self._new: set[str] = set()
        # Sending
        self._outgoing: deque[wire.ServerMessage] = deque()
        self._acks: dict[str, int] = {}
        self._news = asyncio.Event()
        self._close: Close | None = None

    @property
    def name(self) -> str:
        """Return the connector's name, empty before it is known."""
        return self.connection.name

    @property
    def symbols(self) -> frozenset[str]:
        """Return the symbols that the connector was let in with."""
        return frozenset(self.connection.roles)

    async def run(self) -> None:
        """Serve the connection until it ends; raises nothing but cancellation."""
        reader = asyncio.create_task(self._read())
        pump = asyncio.create_task(self._pump())
        writer = asyncio.create_task(self._write())
        later = asyncio.create_task(self._store_history_later())
        tasks = (reader, pump, writer, later)
        try:
            self.act(self.connection.greet())
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            self.connection.closed = True
            if not pump.done():
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LAST_STEPS_TIMEOUT):
                        await self._emptied()
        finally:
            self.connection.closed = True
            self._give_up()
            for task in tasks:
                task.cancel()
            for end in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(end, TimeoutError):
                    self._socket.transport.abort()
                elif isinstance(end, Exception) and not isinstance(end, ConnectionClosed):
                    log.error("session of %r failed", self.name, exc_info=end)
            with suppress(StreamUnavailable):  # then the roles end by silence
                await self._host.stream.disconnect(self._known, self.id)
            self.ended.set()
            self._idle.set()

    async def say_goodbye(self) -> None:
        """Send what there is to say to a connection that is not served."""
        with suppress(TimeoutError, ConnectionClosed):
            await self._write()

    async def drain(self) -> None:
        """Take in no more, store and acknowledge what was taken in, and say goodbye."""
        self._is_draining = True
        await self._emptied()
        self.act(self.connection.end(core.GOING_AWAY, "the server goes down"))

    def act(self, actions: Actions) -> None:
        """Carry out actions that only speak."""
        for action in actions:
            match action:
                case Send(message):
                    self._send(message)
                case Close():
                    self._close = action
                    self._news.set()
                case _:
                    raise TypeError(f"{action} follows from a frame only")

    async def look_after_roles(self) -> None:
        """Become active where the active connector is away for too long; end where Redis lost what
        it held of this one, which then resumes.
        """
        for symbol in self.connection.symbols_as(Role.ACTIVE):
            known = self._known.get(symbol, 0)
            if await self._host.stream.has_lost_state(symbol, self.name, known):
                self._forget(symbol)
                return
        for symbol in self.connection.symbols_as(Role.STANDBY):
            assignment = await self._join(symbol, self.name)
            if assignment.role is Role.ACTIVE and self.ended.is_set():
                await self._host.stream.disconnect([symbol], self.id)
            elif assignment.role is Role.ACTIVE:
                self.act(self.connection.promoted(symbol, assignment, _now_ms()))

    # Reading

    async def _read(self) -> None:
        recv = self._socket.recv
        receive, oversized = self.connection.receive, self.connection.oversized
        while not (self.connection.closed or self._is_draining):
            frame = await recv()
            now_ms = _now_ms()
            actions = oversized(now_ms) if is_cut(frame) else receive(frame, now_ms)
            for action in actions:
                if isinstance(action, core.Store):
                    self._offer(action.symbol, Batch(action.seq, action.rows))
                    self._waiting_rows += len(action.rows)
                else:
                    await self._carry_out(action)
            if self._waiting_rows > _MAX_WAITING_ROWS:
                self._room.clear()
                await self._room.wait()
        # What still comes is discarded, so that the peer's goodbye is heard behind it.
        while True:
            await recv()

    async def _carry_out(self, action: core.Action) -> None:
        match action:
            case core.Watermark(symbol, time_ms):
                self._offer(symbol, time_ms)
            case core.Dropped(symbol, seq, count):
                metrics.ticks_received.labels(symbol).inc(count)
                metrics.ticks_rejected.labels("standby").inc(count)
                if seq is not None:
                    self._acknowledge(symbol, seq)
            case core.Alive(symbols):
                if symbols:
                    await until_available(lambda: self._host.stream.renew(symbols, self.name))
            case core.Admit(claims, symbols):
                await self._admit(claims, symbols)
            case core.StoreHistory():
                await self._store_history(action)
            case core.Report(code, symbol, message):
                self._host.record(self.name, code.value, symbol, message)
            case Send() | Close():
                self.act((action,))
            case core.Store():
                raise AssertionError("ticks are offered where frames are read")
            case _:
                assert_never(action)

    def _offer(self, symbol: str, item: _Item) -> None:
        waiting = self._waiting.get(symbol)
        if waiting is None:
            waiting = self._waiting[symbol] = _Waiting()
        waiting.add(item)
        self._work.set()

    async def _admit(self, claims: Claims, symbols: tuple[str, ...]) -> None:
        try:
            if not await self._host.is_admitted(claims):
                self.act(self.connection.refused("the connector is revoked", _now_ms()))
                return
            await self._emptied()
            assignments = {symbol: await self._join(symbol, claims.connector) for symbol in symbols}
            given_up = self.symbols - assignments.keys()
            await self._host.stream.disconnect(given_up, self.id)
        except (StreamUnavailable, DatabaseUnavailable) as error:
            log.warning("connector %r cannot be let in now: %s", claims.connector, error)
            self.act(self.connection.end(core.TRY_AGAIN_LATER, "try again later"))
            return
        self._socket.let_in()
        self.act(self.connection.admitted(claims, assignments, _now_ms()))
        self._host.settle(self)

    async def _join(self, symbol: str, connector: str) -> Assignment:
        joined = await self._host.stream.join(symbol, connector, self.id)
        if joined.taken_from is not None:
            text = f"active in place of {joined.taken_from}"
            self._host.record(connector, "PROMOTED", symbol, text)
        assignment = _assignment(joined.role, connector, joined.state)
        self._known[symbol] = assignment.seq
        if assignment.time_ms is None:
            self._new.add(symbol)
        else:
            self._new.discard(symbol)
        return assignment

    async def _store_history(self, history: core.StoreHistory) -> None:
        """Store history before the ticks behind it; where it has to wait for the database, ticks of
        a symbol that has some already go on.
        """
        attempt = self._keep_history(history)
        try:
            await attempt()
        except DatabaseUnavailable as error:
            self._history_rows += len(history.rows)
            is_needed_first = history.symbol in self._new
            if is_needed_first or self._history_rows > _MAX_WAITING_HISTORY:
                await until_available(attempt)
                self._history_rows -= len(history.rows)
            else:
                log.warning("history of %s waits for the database: %s", history.symbol, error)
                self._later.put_nowait(history)

    async def _store_history_later(self) -> None:
        while True:
            history = await self._later.get()
            await until_available(self._keep_history(history))
            self._history_rows -= len(history.rows)

    def _keep_history(self, history: core.StoreHistory) -> Callable[[], Awaitable[None]]:
        symbol, timeframe, rows = history.symbol, history.timeframe, history.rows

        async def attempt() -> None:
            kept = await self._host.store_history(symbol, timeframe, rows)
            self.act(self.connection.history_stored(symbol, timeframe, kept))

        return attempt

    # Storing

    async def _pump(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while requests := self._take():
                self._is_storing = True
                results = await self._store(requests)
                self._is_storing = False
                for request, result in zip(requests, results, strict=True):
                    self._follow_up(request, result)
                if self._waiting_rows <= _MAX_WAITING_ROWS // 2:
                    self._room.set()
            self._idle.set()

    async def _store(self, requests: list[AppendRequest]) -> list[AppendResult]:
        return await until_available(lambda: self._host.stream.append(requests, _now_ms()))

    def _take(self) -> list[AppendRequest]:
        requests = []
        for symbol, waiting in self._waiting.items():
            if waiting.items:
                since = waiting.since
                batches, watermark_ms = waiting.take()
                self._waiting_rows -= _count(batches)
                known = self._known.get(symbol, 0)
                requests.append(
                    AppendRequest(symbol, self.name, self.id, known, batches, watermark_ms, since)
                )
        return requests

    def _follow_up(self, request: AppendRequest, result: AppendResult) -> None:
        symbol, count = request.symbol, _count(request.batches)
        metrics.ticks_received.labels(symbol).inc(count)
        match result:
            case Appended(plan):
                metrics.store_seconds.observe(time.perf_counter() - request.received_at)
                # Also where nothing is new: an attempt before may have stored it without a reply.
                self._host.wake(symbol, at_once=plan.may_decide)
                if plan.seq:
                    self._known[symbol] = plan.seq
                    self._new.discard(symbol)
                    self._acknowledge(symbol, plan.seq)
                self._complain(symbol, plan)
            case LeaseLost(state):
                assignment = _assignment(Role.STANDBY, self.name, state)
                batches = [*request.batches, *self._give_up_symbol(symbol)]
                metrics.ticks_rejected.labels("standby").inc(_count(batches))
                dropped = [(batch.seq, batch.rows) for batch in batches]
                self.act(self.connection.demoted(symbol, assignment, dropped))
            case StateLost():
                self._forget(symbol)
            case _:
                assert_never(result)

    def _forget(self, symbol: str) -> None:
        if not self.connection.closed:
            log.warning("Redis lost ticks of %s; %r has to resume", symbol, self.name)
        # What waits may not be stored before what is sent again.
        self._give_up()
        self.act(self.connection.end(core.TRY_AGAIN_LATER, "resume from the beginning"))

    def _complain(self, symbol: str, plan: AppendPlan) -> None:
        """Count what was not stored, and tell the connector about bad ticks."""
        for reason, count in plan.refusals.items():
            metrics.ticks_rejected.labels(reason.value).inc(count)
        if plan.duplicates:
            metrics.ticks_rejected.labels("known").inc(plan.duplicates)
        if plan.earlier:
            metrics.ticks_rejected.labels("earlier").inc(plan.earlier)
        if plan.missing:
            log.warning("%r left out %d ticks of %s", self.name, plan.missing, symbol)
        if plan.first_refusal is not None:
            self.act(
                self.connection.ticks_refused(
                    symbol,
                    plan.refusals,
                    plan.first_refusal.text,
                    plan.first_refused_seq,
                    _now_ms(),
                )
            )

    def _give_up(self) -> None:
        """Forget what waits to be stored; the connector has it."""
        for symbol in self._waiting:
            self._give_up_symbol(symbol)
        self._room.set()
        self._idle.set()

    def _give_up_symbol(self, symbol: str) -> list[Batch]:
        """Forget what waits to be stored of a symbol; return it."""
        items = list(self._waiting[symbol].items)
        self._waiting[symbol].items.clear()
        batches = [item for item in items if isinstance(item, Batch)]
        self._waiting_rows -= _count(batches)
        return batches

    async def _emptied(self) -> None:
        """Wait until nothing waits to be stored, or will be any more."""
        while not self.ended.is_set() and (
            self._is_storing or any(waiting.items for waiting in self._waiting.values())
        ):
            self._idle.clear()
            await self._idle.wait()

    # Sending

    def _acknowledge(self, symbol: str, seq: int) -> None:
        self._acks[symbol] = seq
        self._news.set()

    def _send(self, message: wire.ServerMessage) -> None:
        if isinstance(message, wire.Error):
            metrics.errors_sent.labels(message.code).inc()
            if len(self._outgoing) >= _MAX_OUTGOING:
                return  # a peer that does not read gets no more complaints
        self._outgoing.append(message)
        self._news.set()

    async def _write(self) -> None:
        while True:
            await self._news.wait()
            if not self._outgoing and self._close is None:
                await asyncio.sleep(_ACK_DELAY)
            self._news.clear()
            async with asyncio.timeout(_SEND_TIMEOUT):
                while self._outgoing:
                    await self._socket.send(wire.encode(self._outgoing.popleft()))
                acks, self._acks = self._acks, {}
                for symbol, seq in acks.items():
                    await self._socket.send(wire.encode(wire.Ack(symbol=symbol, seq=seq)))
            if self._close is not None:
                await self._socket.close(self._close.code, self._close.reason[:120])
                return


def _assignment(role: Role, connector: str, state: StreamState) -> Assignment:
    return Assignment(role, state.seq(connector), state.time_ms if state.ordinal else None)


def _count(batches: Sequence[Batch]) -> int:
    return sum(len(batch.rows) for batch in batches)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
