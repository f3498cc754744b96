"""One connection being served: carries out what its `Connection` decides.

The reader takes frames in, the tick writer stores what they hold, the sender answers. The reader
stops reading while too much waits to be stored.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex
from typing import Final, assert_never

from websockets.exceptions import ConnectionClosed

from mt5_bridge.protocol.wire import Role
from signals_app.connector_codes import ConnectorEventCode
from signals_app.gateway import metrics
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
from signals_app.gateway.admission import Admission
from signals_app.gateway.append_log import AppendLog
from signals_app.gateway.availability import StreamUnavailable, until_available
from signals_app.gateway.bounded_protocol import is_cut
from signals_app.gateway.clock import wall_ms
from signals_app.gateway.connection import GOING_AWAY, Connection
from signals_app.gateway.event_writer import EventWriter
from signals_app.gateway.history_writer import HistoryWriter
from signals_app.gateway.message_sender import MessageSender
from signals_app.gateway.name_lease import NameLeases
from signals_app.gateway.ports import GatewayDatabase
from signals_app.gateway.session_leases import SessionLeases
from signals_app.gateway.session_name import SessionName
from signals_app.gateway.session_socket import SessionSocket
from signals_app.gateway.tick_writer import TickWriter
from signals_app.gateway.wakers import PipelineWakers

log = logging.getLogger(__name__)

# What was read before the peer went is still stored, if it takes no longer than this.
_LAST_APPENDS_TIMEOUT: Final = 5.0
# After so many characters the other connections get their turn.
_CHARACTERS_A_TURN: Final = 65_536


@dataclass(frozen=True, slots=True)
class Services:
    """What the sessions of a gateway share."""

    append_log: AppendLog
    database: GatewayDatabase
    events: EventWriter
    wakers: PipelineWakers
    names: NameLeases


class ConnectorSession:
    """One connector's conversation, over a WebSocket connection or over requests.

    ``on_admitted`` is called when its connector is let in, ``has_room`` says whether it can be.
    """

    def __init__(
        self,
        services: Services,
        socket: SessionSocket,
        connection: Connection,
        on_admitted: Callable[["ConnectorSession"], None],
        has_room: Callable[[], bool],
    ) -> None:
        self.connection = connection
        self.ended = asyncio.Event()
        self._services = services
        self._socket = socket
        self._on_admitted = on_admitted
        self._has_room = has_room
        self._is_draining = False
        session_id, append_log = token_hex(8), services.append_log
        self._leases = SessionLeases(append_log, services.events, session_id)
        self._sender = MessageSender(socket)
        self._history = HistoryWriter(services.database, self._sender)
        self._ticks = TickWriter(
            append_log, services.wakers, connection, self._leases, self._sender, session_id
        )
        self._name = SessionName(
            services.names, services.events, connection, self._sender, session_id
        )
        self._admission = Admission(
            services.database,
            socket,
            connection,
            self._name,
            self._leases,
            self._ticks,
            self._sender,
        )

    @property
    def name(self) -> str:
        """The connector's name, empty before it is admitted."""
        return self.connection.name

    @property
    def address(self) -> str | None:
        """The address that the connector is connected from."""
        return self._socket.address

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

    async def settled(self) -> None:
        """Wait until what was heard is stored and what was said of it is sent."""
        await self._ticks.drained()
        if not self.ended.is_set():
            await self._sender.flushed()

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
        await self._name.renew()
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
                self.carry_out(self.connection.promoted(symbol, assignment, wall_ms()))

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
            await self._name.release()

    async def _read(self) -> None:
        recv = self._socket.recv
        receive, oversized = self.connection.receive, self.connection.oversized
        characters = 0
        while not (self.connection.closed or self._is_draining):
            frame = await recv()
            characters += len(frame)
            if characters > _CHARACTERS_A_TURN:
                characters = 0
                await asyncio.sleep(0)
            now_ms = wall_ms()
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
                metrics.ticks_rejected.labels(Role.STANDBY.value).inc(count)
                if seq is not None:
                    self._sender.acknowledge(symbol, seq)
            case RenewLeases(symbols):
                if symbols:
                    renew = self._services.append_log.renew
                    await until_available(lambda: renew(symbols, self.name))
            case Admit():
                if not (self.connection.name or self._has_room()):
                    self.carry_out(self.connection.turned_away(wall_ms()))
                elif await self._admission.admit(action):
                    self._on_admitted(self)
            case StoreHistory(symbol):
                is_new = self._leases.is_without_ticks(symbol)
                await self._history.store(action, is_needed_first=is_new)
            case RecordEvent(code, symbol, message):
                self._services.events.record(self.name, ConnectorEventCode(code), symbol, message)
            case Send() | Close():
                self.carry_out((action,))
            case _:
                assert_never(action)
