"""The WSS server that connectors send ticks to: starts, limits connections, and drains.

Several gateways can serve one Redis: whose ticks count and what is stored is decided there.
"""

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from websockets.asyncio.server import Server

from signals_app.gateway import tokens
from signals_app.gateway.append_log import AppendLog
from signals_app.gateway.background import BackgroundTasks
from signals_app.gateway.clock import wall_ms
from signals_app.gateway.connection import Connection
from signals_app.gateway.event_writer import EventWriter
from signals_app.gateway.http_entry import HttpEntry
from signals_app.gateway.known_addresses import KnownAddresses
from signals_app.gateway.lease import LeaseTimeouts
from signals_app.gateway.limits import Limits
from signals_app.gateway.listener import PATH, CannotServe, Endpoint, open_server, serve_metrics
from signals_app.gateway.name_lease import NameLeases
from signals_app.gateway.places import PlaceLimits, Places
from signals_app.gateway.ports import GatewayDatabase
from signals_app.gateway.session import ConnectorSession, Services
from signals_app.gateway.session_socket import SessionSocket
from signals_app.gateway.stream_state import Checkpoint
from signals_app.gateway.stream_store import StreamStore
from signals_app.gateway.supervision import SessionSupervisor
from signals_app.gateway.tokens import Claims, SigningKeys
from signals_app.gateway.transport import GatewayConnection
from signals_app.gateway.wakers import PipelineWakers
from signals_app.networks import Network

__all__ = ("PATH", "CannotServe", "Gateway", "GatewayOptions", "run")

_REDIS_TIMEOUT: Final = 5.0


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """How a gateway serves. Times are in seconds; `metrics_port` 0 is none."""

    redis_url: str
    certificate: Path
    private_key: Path
    keys: SigningKeys
    host: str = "127.0.0.1"
    port: int = 8765
    reuse_port: bool = False
    metrics_port: int = 0
    networks: Sequence[Network] = ()
    maximum_connections: int = 100
    places: PlaceLimits = field(default_factory=PlaceLimits)
    limits: Limits = field(default_factory=Limits)
    lease_timeouts: LeaseTimeouts = field(default_factory=LeaseTimeouts)
    watch_interval: float = 1.0
    revocation_interval: float = 2.0
    presence_interval: float = 10.0
    drain_timeout: float = 5.0

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(
            self.host,
            self.port,
            self.certificate,
            self.private_key,
            self.reuse_port,
            self.networks,
        )


class Gateway:
    def __init__(self, options: GatewayOptions, database: GatewayDatabase) -> None:
        self._options = options
        self._database = database
        # We try again and log it; the client would try in silence.
        self._redis = Redis.from_url(
            options.redis_url,
            socket_timeout=_REDIS_TIMEOUT,
            socket_connect_timeout=_REDIS_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )
        self._tasks = BackgroundTasks()
        self._services = Services(
            append_log=AppendLog(
                StreamStore(self._redis), self._checkpoint, timeouts=options.lease_timeouts
            ),
            database=database,
            events=EventWriter(database),
            wakers=PipelineWakers(database.wake, self._tasks),
            names=NameLeases(self._redis),
        )
        known = KnownAddresses(self._redis)
        self._places = Places(options.places, known)
        self._sessions = SessionSupervisor(database, self._tasks, known)
        self._entry = HttpEntry(
            self._services,
            self._sessions,
            self._tasks,
            self._verify,
            make=self._session,
            has_room=self._has_room,
        )
        self._server: Server | None = None

    @property
    def port(self) -> int:
        """The port that is listened on."""
        assert self._server is not None
        port: int = next(iter(self._server.sockets)).getsockname()[1]
        return port

    async def start(self) -> None:
        """Listen; raises `CannotServe`."""
        options, sessions, tasks = self._options, self._sessions, self._tasks
        if options.metrics_port:
            serve_metrics(options.host, options.metrics_port)
        self._server = await open_server(options.endpoint, self._places, self._serve, self._entry)
        tasks.repeat(sessions.close_overdue, options.watch_interval)
        tasks.repeat(sessions.check_leases, options.watch_interval)
        tasks.repeat(sessions.close_revoked, options.revocation_interval)
        tasks.repeat(sessions.record_presence, options.presence_interval)
        tasks.start(sessions.exchange_addresses())
        tasks.repeat(sessions.exchange_addresses, options.presence_interval)
        tasks.start(self._services.events.run())

    async def stop(self) -> None:
        """Accept no more, store and acknowledge what was read, close every connection."""
        if self._server is not None:
            self._server.close(close_connections=False)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._options.drain_timeout):
                await self._sessions.drain()
                await self._services.wakers.settled()
                await self._services.events.settled()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        await self._tasks.cancel_all()
        await self._redis.aclose()

    async def _serve(self, socket: GatewayConnection) -> None:
        session = self._session(socket)
        if self._has_room():
            await self._sessions.serve(session)
        else:
            await session.turn_away()

    def _session(self, socket: SessionSocket) -> ConnectorSession:
        return ConnectorSession(
            self._services,
            socket,
            Connection(self._verify, wall_ms(), self._options.limits),
            on_admitted=self._sessions.admitted,
            has_room=self._has_room,
        )

    def _has_room(self) -> bool:
        return self._sessions.has_room(self._options.maximum_connections)

    def _verify(self, token: str, now: float) -> Claims:
        return tokens.verify(self._options.keys, token, now=now)

    async def _checkpoint(self, symbol: str) -> Checkpoint | None:
        return await asyncio.to_thread(self._database.checkpoint, symbol)


async def run(
    options: GatewayOptions,
    database: GatewayDatabase,
    ready: Callable[[int], None],
    ending: Callable[[], None],
) -> None:
    """Serve until SIGTERM or SIGINT, then drain; raises `CannotServe`.

    ``ready`` is called with the port once the gateway listens, ``ending`` when it begins to drain.
    """
    gateway = Gateway(options, database)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await gateway.start()
    ready(gateway.port)
    await stop.wait()
    ending()
    await gateway.stop()
