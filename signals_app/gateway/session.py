"""One connection being served: carries out what its `Connection` decides.

The reader takes frames in, the pump stores what they offered, the writer sends. The
pump takes everything that gathered while Redis was busy with the step before, so that steps grow
with the load; the reader stops reading while too much waits for the pump.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Final, Protocol, TypeAlias, TypeVar, assert_never

from websockets.exceptions import ConnectionClosed

from mt5_bridge.protocol import wire
from mt5_bridge.protocol.wire import CandleRow, Role
from signals_app.gateway import connection as core
from signals_app.gateway import metrics
from signals_app.gateway.append_log import (
    Displaced,
    Forgotten,
    LedgerUnavailable,
    Offer,
    Outcome,
    Stored,
    StreamUnavailable,
    TickStream,
)
from signals_app.gateway.append_plan import Position, Run, Step
from signals_app.gateway.connection import Actions, Close, Connection, Place, Send
from signals_app.gateway.tokens import Claims
from signals_app.gateway.transport import GatewayConnection, is_cut
from signals_app.market.candle import Timeframe

log = logging.getLogger(__name__)

MAX_STEP_ROWS: Final = 5_000
"""Ticks that one step, and so one stream entry, gathers at most; a longer frame stays whole."""

_MAX_WAITING_ROWS: Final = 20_000
_MAX_WAITING_HISTORY: Final = 20_000
_MAX_OUTGOING: Final = 1_000
# Acknowledgements that come together are sent together.
_ACK_DELAY: Final = 0.02
_SEND_TIMEOUT: Final = 30.0
# What was read before the peer went is still stored, if it takes no longer than this.
_LAST_STEPS_TIMEOUT: Final = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0

_Result = TypeVar("_Result")
_Item: TypeAlias = Run | int


class Host(Protocol):
    """What a session needs of the gateway that serves it."""

    @property
    def stream(self) -> TickStream:
        """Return the records of all symbols."""
        ...

    async def is_admitted(self, claims: Claims) -> bool:
        """Return whether the connector is known and not revoked; raises `LedgerUnavailable`."""
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
        """Store closed candles, return how many were kept; raises `LedgerUnavailable`."""
        ...

    def record(self, connector: str, code: str, symbol: str, message: str) -> None:
        """Keep what a connector reported or what happened to it."""
        ...


@dataclass(slots=True)
class _Waiting:
    """What waits to be stored for one symbol: runs, and watermarks (integers) between them."""

    items: deque[_Item] = field(default_factory=deque)
    since: float = 0.0

    def add(self, item: _Item) -> None:
        if not self.items:
            self.since = time.perf_counter()
        self.items.append(item)

    def take(self) -> tuple[list[Run], int | None]:
        """Take the first runs, of one step's size, and the watermark behind them."""
        runs: list[Run] = []
        rows = 0
        while self.items:
            item = self.items[0]
            if isinstance(item, int):
                self.items.popleft()
                return runs, item
            if runs and rows + len(item.rows) > MAX_STEP_ROWS:
                break
            self.items.popleft()
            runs.append(item)
            rows += len(item.rows)
        return runs, None


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
                await self._host.stream.leave(self._known, self.id)
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
            if await self._host.stream.has_forgotten(symbol, self.name, known):
                self._forget(symbol)
                return
        for symbol in self.connection.symbols_as(Role.STANDBY):
            place = await self._join(symbol, self.name)
            if place.role is Role.ACTIVE and self.ended.is_set():
                await self._host.stream.leave([symbol], self.id)
            elif place.role is Role.ACTIVE:
                self.act(self.connection.promoted(symbol, place, _now_ms()))

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
                    self._offer(action.symbol, Run(action.seq, action.rows))
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
                    await _persist(lambda: self._host.stream.heard(symbols, self.name))
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
            places = {symbol: await self._join(symbol, claims.connector) for symbol in symbols}
            given_up = self.symbols - places.keys()
            await self._host.stream.leave(given_up, self.id)
        except (StreamUnavailable, LedgerUnavailable) as error:
            log.warning("connector %r cannot be let in now: %s", claims.connector, error)
            self.act(self.connection.end(core.TRY_AGAIN_LATER, "try again later"))
            return
        self._socket.let_in()
        self.act(self.connection.admitted(claims, places, _now_ms()))
        self._host.settle(self)

    async def _join(self, symbol: str, connector: str) -> Place:
        standing = await self._host.stream.join(symbol, connector, self.id)
        if standing.taken_from is not None:
            text = f"active in place of {standing.taken_from}"
            self._host.record(connector, "PROMOTED", symbol, text)
        place = _place(standing.role, connector, standing.position)
        self._known[symbol] = place.seq
        if place.time_ms is None:
            self._new.add(symbol)
        else:
            self._new.discard(symbol)
        return place

    async def _store_history(self, history: core.StoreHistory) -> None:
        """Store history before the ticks behind it; where it has to wait for the database, ticks of
        a symbol that has some already go on.
        """
        attempt = self._keep_history(history)
        try:
            await attempt()
        except LedgerUnavailable as error:
            self._history_rows += len(history.rows)
            is_needed_first = history.symbol in self._new
            if is_needed_first or self._history_rows > _MAX_WAITING_HISTORY:
                await _persist(attempt)
                self._history_rows -= len(history.rows)
            else:
                log.warning("history of %s waits for the database: %s", history.symbol, error)
                self._later.put_nowait(history)

    async def _store_history_later(self) -> None:
        while True:
            history = await self._later.get()
            await _persist(self._keep_history(history))
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
            while offers := self._take():
                self._is_storing = True
                outcomes = await self._store(offers)
                self._is_storing = False
                for offer, outcome in zip(offers, outcomes, strict=True):
                    self._follow_up(offer, outcome)
                if self._waiting_rows <= _MAX_WAITING_ROWS // 2:
                    self._room.set()
            self._idle.set()

    async def _store(self, offers: list[Offer]) -> list[Outcome]:
        return await _persist(lambda: self._host.stream.store(offers, _now_ms()))

    def _take(self) -> list[Offer]:
        offers = []
        for symbol, waiting in self._waiting.items():
            if waiting.items:
                since = waiting.since
                runs, watermark_ms = waiting.take()
                self._waiting_rows -= _count(runs)
                known = self._known.get(symbol, 0)
                offers.append(Offer(symbol, self.name, self.id, known, runs, watermark_ms, since))
        return offers

    def _follow_up(self, offer: Offer, outcome: Outcome) -> None:
        symbol, count = offer.symbol, _count(offer.runs)
        metrics.ticks_received.labels(symbol).inc(count)
        match outcome:
            case Stored(step):
                metrics.store_seconds.observe(time.perf_counter() - offer.since)
                # Also where nothing is new: an attempt before may have stored it without a reply.
                self._host.wake(symbol, at_once=step.decides)
                if step.seq:
                    self._known[symbol] = step.seq
                    self._new.discard(symbol)
                    self._acknowledge(symbol, step.seq)
                self._complain(symbol, step)
            case Displaced(position):
                place = _place(Role.STANDBY, self.name, position)
                runs = [*offer.runs, *self._give_up_symbol(symbol)]
                metrics.ticks_rejected.labels("standby").inc(_count(runs))
                dropped = [(run.seq, run.rows) for run in runs]
                self.act(self.connection.displaced(symbol, place, dropped))
            case Forgotten():
                self._forget(symbol)
            case _:
                assert_never(outcome)

    def _forget(self, symbol: str) -> None:
        if not self.connection.closed:
            log.warning("Redis lost ticks of %s; %r has to resume", symbol, self.name)
        # What waits may not be stored before what is sent again.
        self._give_up()
        self.act(self.connection.end(core.TRY_AGAIN_LATER, "resume from the beginning"))

    def _complain(self, symbol: str, step: Step) -> None:
        """Count what was not stored, and tell the connector about bad ticks."""
        for reason, count in step.refusals.items():
            metrics.ticks_rejected.labels(reason.value).inc(count)
        if step.known:
            metrics.ticks_rejected.labels("known").inc(step.known)
        if step.earlier:
            metrics.ticks_rejected.labels("earlier").inc(step.earlier)
        if step.missing:
            log.warning("%r left out %d ticks of %s", self.name, step.missing, symbol)
        if step.first_refusal is not None:
            self.act(
                self.connection.ticks_refused(
                    symbol,
                    step.refusals,
                    step.first_refusal.text,
                    step.first_refused_seq,
                    _now_ms(),
                )
            )

    def _give_up(self) -> None:
        """Forget what waits to be stored; the connector has it."""
        for symbol in self._waiting:
            self._give_up_symbol(symbol)
        self._room.set()
        self._idle.set()

    def _give_up_symbol(self, symbol: str) -> list[Run]:
        """Forget what waits to be stored of a symbol; return it."""
        items = list(self._waiting[symbol].items)
        self._waiting[symbol].items.clear()
        runs = [item for item in items if isinstance(item, Run)]
        self._waiting_rows -= _count(runs)
        return runs

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


def _place(role: Role, connector: str, position: Position) -> Place:
    return Place(role, position.seq(connector), position.time_ms if position.ordinal else None)


def _count(runs: Sequence[Run]) -> int:
    return sum(len(run.rows) for run in runs)


async def _persist(attempt: Callable[[], Awaitable[_Result]]) -> _Result:
    """Return what ``attempt`` returns once the stores answer; until then nothing is read."""
    pause = _FIRST_PAUSE
    while True:
        try:
            return await attempt()
        except (StreamUnavailable, LedgerUnavailable) as error:
            if pause == _FIRST_PAUSE:
                log.warning("waiting for a store to answer: %s", error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
