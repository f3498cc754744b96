"""One connection being served: carries out what its `Connection` decides.

The reader takes frames in, the tick writer stores what they hold, the sender answers. The reader
stops reading while too much waits to be stored.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Final, assert_never

from websockets.exceptions import ConnectionClosed

from mt5_bridge.protocol.wire import ErrorCode, Role
from signals_app.gateway import metrics, replies
from signals_app.gateway.actions import (
    Action,
    Actions,
    Admit,
    Close,
    Dropped,
    RecordEvent,
    RenewLeases,
    Send,
    StoreHistory,
    StoreTicks,
    StoreWatermark,
)
from signals_app.gateway.append_log import AppendLog
from signals_app.gateway.availability import (
    DatabaseUnavailable,
    StreamUnavailable,
    until_available,
)
from signals_app.gateway.connection import (
    GOING_AWAY,
    TRY_AGAIN_LATER,
    Connection,
    second_spool,
)
from signals_app.gateway.event_writer import EventWriter
from signals_app.gateway.history_writer import HistoryWriter
from signals_app.gateway.message_sender import MessageSender
from signals_app.gateway.name_lease import Acquired, NameLeases
from signals_app.gateway.ports import GatewayDatabase
from signals_app.gateway.session_leases import SessionLeases
from signals_app.gateway.tick_writer import TickWriter
from signals_app.gateway.transport import GatewayConnection, is_cut
from signals_app.gateway.wakers import PipelineWakers

log = logging.getLogger(__name__)

# What was read before the peer went is still stored, if it takes no longer than this.
_LAST_APPENDS_TIMEOUT: Final = 5.0


@dataclass(frozen=True, slots=True)
class Services:
    """What the sessions of a gateway share."""

    append_log: AppendLog
    database: GatewayDatabase
    events: EventWriter
    wakers: PipelineWakers
    names: NameLeases


class ConnectorSession:
    """One accepted WebSocket connection. ``on_admitted`` is called when its connector is let in."""

    def __init__(
        self,
        services: Services,
        socket: GatewayConnection,
        connection: Connection,
        on_admitted: Callable[["ConnectorSession"], None],
    ) -> None:
        self.connection = connection
        self.ended = asyncio.Event()
        self._services = services
        self._socket = socket
        self._on_admitted = on_admitted
        self._is_draining = False
        self._session_id = session_id = token_hex(8)
        append_log = services.append_log
        self._leases = SessionLeases(append_log, services.events, session_id)
        self._sender = MessageSender(socket)
        self._history = HistoryWriter(services.database, self._sender)
        self._ticks = TickWriter(
            append_log, services.wakers, connection, self._leases, self._sender, session_id
        )

    @property
    def name(self) -> str:
        """The connector's name, empty before it is admitted."""
        return self.connection.name

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols that the connector was admitted with."""
        return frozenset(self.connection.roles.by_symbol)

    async def run(self) -> None:
        """Serve the connection until it ends; raises nothing but cancellation."""
        reader = asyncio.create_task(self._read())
        writer = asyncio.create_task(self._ticks.run())
        sender = asyncio.create_task(self._sender.run())
        history = asyncio.create_task(self._history.run())
        tasks = (reader, writer, sender, history)
        try:
            self.carry_out(self.connection.greet())
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            self.connection.closed = True
            if not writer.done():
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LAST_APPENDS_TIMEOUT):
                        await self._ticks.drained()
        finally:
            self.connection.closed = True
            self._ticks.discard()
            await self._end(tasks)
            self.ended.set()
            self._ticks.stop()

    async def turn_away(self) -> None:
        """Say that no place is free, instead of serving the connection."""
        self.carry_out(self.connection.turn_away())
        with suppress(TimeoutError, ConnectionClosed):
            await self._sender.run()

    async def drain(self) -> None:
        """Take in no more, store and acknowledge what was taken in, and close the connection."""
        self._is_draining = True
        await self._ticks.drained()
        self.carry_out(self.connection.end(GOING_AWAY, "the server goes down"))

    def carry_out(self, actions: Actions) -> None:
        """Carry out actions that only speak."""
        self._sender.carry_out(actions)

    async def check_leases(self) -> None:
        """Become active where the active connector is away for too long; end where Redis lost what
        it held of this one, which then resumes.

        Raises `StreamUnavailable` and `DatabaseUnavailable`.
        """
        await self._keep_name()
        roles = self.connection.roles
        for symbol in roles.symbols_as(Role.ACTIVE):
            if await self._leases.is_lost(symbol, self.name):
                self._ticks.resume_anew(symbol)
                return
        for symbol in roles.symbols_as(Role.STANDBY):
            assignment = await self._leases.join(symbol, self.name)
            if assignment.role is Role.ACTIVE and self.ended.is_set():
                await self._leases.leave([symbol])
            elif assignment.role is Role.ACTIVE:
                self.carry_out(self.connection.promoted(symbol, assignment, _now_ms()))

    async def _keep_name(self) -> None:
        """Renew the connector's name, and let it hear of a second one that wanted it."""
        if not self.name or self.connection.closed:
            return
        names, spool = self._services.names, self.connection.spool
        if await names.renew(self.name, self.symbols, spool, self._session_id):
            self.carry_out(self.connection.name_was_wanted(_now_ms()))

    async def _end(self, tasks: tuple["asyncio.Task[None]", ...]) -> None:
        for task in tasks:
            task.cancel()
        for end in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(end, TimeoutError):
                self._socket.transport.abort()
            elif isinstance(end, Exception) and not isinstance(end, ConnectionClosed):
                log.error("session of %r failed", self.name, exc_info=end)
        with suppress(StreamUnavailable):  # then the leases end by silence
            await self._leases.leave_all()
            if self.name:
                await self._services.names.release(self.name, self.symbols, self._session_id)

    async def _read(self) -> None:
        recv = self._socket.recv
        receive, oversized = self.connection.receive, self.connection.oversized
        while not (self.connection.closed or self._is_draining):
            frame = await recv()
            now_ms = _now_ms()
            for action in oversized(now_ms) if is_cut(frame) else receive(frame, now_ms):
                # Nearly all frames are ticks: they go the short way.
                if isinstance(action, StoreTicks):
                    self._ticks.add_ticks(action.symbol, action.seq, action.rows)
                else:
                    await self._follow(action)
            if self._ticks.is_full:
                await self._ticks.room()
        # What still comes is discarded, so that the peer's goodbye is heard behind it.
        while True:
            await recv()

    async def _follow(self, action: Action) -> None:
        match action:
            case StoreTicks():
                raise AssertionError("ticks are stored where frames are read")
            case StoreWatermark(symbol, time_ms):
                self._ticks.add_watermark(symbol, time_ms)
            case Dropped(symbol, seq, count):
                metrics.ticks_received.labels(symbol).inc(count)
                metrics.ticks_rejected.labels("standby").inc(count)
                if seq is not None:
                    self._sender.acknowledge(symbol, seq)
            case RenewLeases(symbols):
                if symbols:
                    renew = self._services.append_log.renew
                    await until_available(lambda: renew(symbols, self.name))
            case Admit():
                await self._admit(action)
            case StoreHistory(symbol):
                is_new = self._leases.is_without_ticks(symbol)
                await self._history.store(action, is_needed_first=is_new)
            case RecordEvent(code, symbol, message):
                self._services.events.record(self.name, code.value, symbol, message)
            case Send() | Close():
                self.carry_out((action,))
            case _:
                assert_never(action)

    async def _admit(self, admit: Admit) -> None:
        name = admit.claims.connector
        try:
            if not await asyncio.to_thread(self._services.database.is_admitted, name):
                reason = "the connector is revoked"
                self.carry_out(self.connection.refused(reason, _now_ms()))
                return
            admit = await self._with_known_spellings(admit)
            if not admit.symbols or not await self._has_name(admit):
                return
            await self._ticks.drained()
            assignments = {
                symbol: await self._leases.join(symbol, name) for symbol in admit.symbols
            }
            await self._leases.leave(self.symbols - assignments.keys())
        except (StreamUnavailable, DatabaseUnavailable) as error:
            log.warning("connector %r cannot be let in now: %s", name, error)
            self.carry_out(self.connection.end(TRY_AGAIN_LATER, "try again later"))
            return
        self._socket.let_in()
        admitted = self.connection.admitted(admit.claims, assignments, _now_ms(), admit.spool)
        self.carry_out(admitted)
        self._on_admitted(self)

    async def _with_known_spellings(self, admit: Admit) -> Admit:
        """Leave out, with a sentence, the symbols that are instruments in another case only.

        Raises `DatabaseUnavailable`.
        """
        known = self._services.database.other_spellings
        spellings = await asyncio.to_thread(known, admit.symbols)
        for symbol, known_as in spellings.items():
            self.carry_out((replies.misspelt(symbol, known_as, _now_ms()),))
        symbols = tuple(symbol for symbol in admit.symbols if symbol not in spellings)
        return replace(admit, symbols=symbols)

    async def _has_name(self, admit: Admit) -> bool:
        """Take the connector's name; where another spool holds it, refuse and record that."""
        name = admit.claims.connector
        acquired = await self._services.names.acquire(
            name, admit.symbols, admit.spool, self._session_id
        )
        if acquired is Acquired.GRANTED:
            return True
        if acquired is Acquired.REFUSED:
            self._services.events.record(name, ErrorCode.NAME_IN_USE, "", second_spool(name))
        self.carry_out(self.connection.name_in_use(name, _now_ms()))
        return False


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
