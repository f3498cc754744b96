"""The WSS server that connectors talk to: listens, limits, watches over sessions, and drains.

Several gateways can serve one Redis: whose ticks count and what is stored is decided there.
"""

import asyncio
import logging
import os
import signal
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol

from prometheus_client import start_http_server
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from mt5_bridge.protocol import wire
from mt5_bridge.protocol.wire import CandleRow, Role
from signals_app.gateway import metrics, tokens
from signals_app.gateway.append_log import AppendLog
from signals_app.gateway.availability import DatabaseUnavailable, StreamUnavailable
from signals_app.gateway.connection import GOING_AWAY, Connection, Limits
from signals_app.gateway.lease import LeaseTimeouts
from signals_app.gateway.session import Session
from signals_app.gateway.stream_state import Checkpoint
from signals_app.gateway.stream_store import StreamStore
from signals_app.gateway.tokens import Claims, SigningKeys
from signals_app.gateway.transport import GatewayConnection, listen
from signals_app.market.candle import Timeframe

log = logging.getLogger(__name__)

PATH: Final = "/ws/v1/ticks"
HEALTH_PATH: Final = "/health"

_REDIS_TIMEOUT: Final = 5.0
# While ticks stream in, the pipeline is woken at most this often: where a decision may follow, and
# where none does but trades have to be watched. A tick alone is not worth a task.
_WAKE_PAUSE: Final = 0.01
_WATCH_PAUSE: Final = 0.25
_DATABASE_RETRY: Final = 1.0
# Reports that wait for the database; beyond that the oldest go.
_MAX_REPORTS: Final = 1_000
_LATE_MS: Final = 5_000


class CannotServe(Exception):  # noqa: N818 - a refusal with its reason
    """The gateway cannot start; the text is one sentence for the operator."""


class GatewayDatabase(Protocol):
    """What the gateway asks of the database and of the pipeline.

    The calls are made from threads, several at a time, and raise `DatabaseUnavailable` where the
    database does not answer.
    """

    def is_admitted(self, connector: str) -> bool:
        """Return whether the connector is known and not revoked."""
        ...

    def checkpoint(self, symbol: str) -> Checkpoint | None:
        """Return from where ticks are needed again should Redis hold none."""
        ...

    def store_history(self, symbol: str, timeframe: Timeframe, rows: Sequence[CandleRow]) -> int:
        """Store closed candles; return how many were kept."""
        ...

    def wake(self, symbol: str) -> None:
        """See to it that the symbol's stream is read soon; called after ticks were stored."""
        ...

    def record(self, connector: str, code: str, symbol: str, message: str) -> None:
        """Keep what a connector reported or what happened to it."""
        ...

    def record_presence(self, roles: Mapping[str, Mapping[str, Role]]) -> None:
        """Note the connectors that are connected, and their role by symbol."""
        ...


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
    maximum_connections: int = 100
    maximum_unauthenticated: int = 32
    limits: Limits = field(default_factory=Limits)
    lease_timeouts: LeaseTimeouts = field(default_factory=LeaseTimeouts)
    watch_interval: float = 1.0
    revocation_interval: float = 2.0
    presence_interval: float = 10.0
    drain_timeout: float = 8.0


class Gateway:
    """A running gateway; also what its sessions know of it (`session.Host`)."""

    def __init__(self, options: GatewayOptions, database: GatewayDatabase) -> None:
        self._options = options
        self._database = database
        self._sessions: set[Session] = set()
        self._wakers: dict[str, _Waker] = {}
        self._chores: set[asyncio.Task[None]] = set()
        self._reports: deque[_Report] = deque(maxlen=_MAX_REPORTS)
        self._reported = asyncio.Event()
        self._all_written = asyncio.Event()
        self._all_written.set()
        # Our own loop tries again, and tells; the client's would try in silence.
        self._redis = Redis.from_url(
            options.redis_url,
            socket_timeout=_REDIS_TIMEOUT,
            socket_connect_timeout=_REDIS_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )
        self._stream = AppendLog(
            StreamStore(self._redis), self._read_checkpoint, timeouts=options.lease_timeouts
        )
        self._server: Server | None = None

    @property
    def stream(self) -> AppendLog:
        """Return the records of all symbols."""
        return self._stream

    @property
    def port(self) -> int:
        """Return the port that is listened on."""
        assert self._server is not None
        port: int = next(iter(self._server.sockets)).getsockname()[1]
        return port

    async def start(self) -> None:
        """Listen; raises `CannotServe`."""
        options = self._options
        tls = _tls(options.certificate, options.private_key)
        if options.metrics_port:
            _serve_metrics(options.host, options.metrics_port)
        try:
            listening = listen(
                options.host,
                options.port,
                reuse_port=options.reuse_port,
                at_most=options.maximum_connections + options.maximum_unauthenticated,
            )
        except OSError as error:
            raise CannotServe(
                f"cannot listen on {options.host}:{options.port}: {_why(error)}"
            ) from error
        self._server = await serve(
            self._serve,
            sock=listening,
            ssl=tls,
            compression=None,
            # Bounded by our own reader, which can skip a long message and go on.
            max_size=None,
            max_queue=16,
            # A slow store stops our reading, and with it the answers to pings: silence is
            # measured by messages instead.
            ping_interval=None,
            close_timeout=5,
            process_request=_route,
            server_header=None,
            create_connection=GatewayConnection,
            logger=logging.getLogger("signals_app.gateway.websockets"),
        )
        for chore, interval in (
            (self._let_time_pass, options.watch_interval),
            (self._look_after_roles, options.watch_interval),
            (self._revoke, options.revocation_interval),
            (self._tell_presence, options.presence_interval),
        ):
            self._start(self._repeat(chore, interval))
        self._start(self._write_reports())

    async def stop(self) -> None:
        """Accept no more, store and acknowledge what was read, close every connection."""
        if self._server is not None:
            self._server.close(close_connections=False)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._options.drain_timeout):
                sessions = list(self._sessions)
                await asyncio.gather(*(session.drain() for session in sessions))
                await asyncio.gather(*(session.ended.wait() for session in sessions))
                await asyncio.gather(*(waker.settle() for waker in self._wakers.values()))
                await self._all_written.wait()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        # Once may not do: Redis's client can turn it into an error of its own.
        while self._chores:
            for chore in self._chores:
                chore.cancel()
            await asyncio.wait(set(self._chores), timeout=0.2)
        await self._redis.aclose()

    # What sessions ask

    async def is_admitted(self, claims: Claims) -> bool:
        """Return whether the connector is known and not revoked."""
        return await asyncio.to_thread(self._database.is_admitted, claims.connector)

    def settle(self, session: Session) -> None:
        """End older sessions of the same connector and symbols, so that one speaks for it."""
        for other in list(self._sessions):
            same = other.name == session.name and other.symbols & session.symbols
            if other is not session and same:
                other.act(other.connection.end(GOING_AWAY, "replaced by a newer connection"))
        self._start(self._tell_presence())

    def wake(self, symbol: str, *, at_once: bool) -> None:
        """Wake the symbol's pipeline, within a moment or at once, without waiting for it."""
        waker = self._wakers.get(symbol)
        if waker is None:
            waker = self._wakers[symbol] = _Waker(lambda: self._database.wake(symbol), self._start)
        waker.ask(at_once=at_once)

    async def store_history(
        self, symbol: str, timeframe: Timeframe, rows: Sequence[CandleRow]
    ) -> int:
        """Store closed candles; return how many were kept."""
        return await asyncio.to_thread(self._database.store_history, symbol, timeframe, rows)

    def record(self, connector: str, code: str, symbol: str, message: str) -> None:
        """Keep what a connector reported, without waiting for the database."""
        log.warning("connector %r: %s %s %s", connector, code, symbol, message)
        if len(self._reports) == _MAX_REPORTS:
            log.error("the database was away for too long: the oldest report is left out")
        self._reports.append(_Report(connector, code, symbol, message, time.time_ns() // 1_000_000))
        self._all_written.clear()
        self._reported.set()

    async def _read_checkpoint(self, symbol: str) -> Checkpoint | None:
        return await asyncio.to_thread(self._database.checkpoint, symbol)

    # Connections

    async def _serve(self, socket: ServerConnection) -> None:
        assert isinstance(socket, GatewayConnection)
        connection = Connection(
            verify=lambda token, now: tokens.verify(self._options.keys, token, now=now),
            opened_ms=time.time_ns() // 1_000_000,
            limits=self._options.limits,
        )
        session = Session(self, socket, connection)
        unknown = sum(not other.connection.is_authenticated for other in self._sessions)
        if (
            len(self._sessions) >= self._options.maximum_connections
            or unknown >= self._options.maximum_unauthenticated
        ):
            session.act(connection.turn_away())
            await session.say_goodbye()
            return
        self._sessions.add(session)
        metrics.connections_active.inc()
        try:
            await session.run()
        finally:
            self._sessions.discard(session)
            metrics.connections_active.dec()

    # Chores

    async def _repeat(self, chore: Callable[[], Awaitable[None]], interval: float) -> None:
        """Do a chore again and again; what goes wrong with it once does not end it."""
        while True:
            await asyncio.sleep(interval)
            try:
                await chore()
            except Exception:
                log.exception("a chore of the gateway failed; it goes on")

    async def _let_time_pass(self) -> None:
        """Close what is overdue. Asks nobody, so that nobody can hold it up."""
        now_ms = time.time_ns() // 1_000_000
        for session in self._sessions:
            session.act(session.connection.overdue(now_ms))

    async def _look_after_roles(self) -> None:
        """Promote standbys whose active connector is away, and notice what Redis lost."""
        for session in list(self._sessions):
            try:
                await session.look_after_roles()
            except (StreamUnavailable, DatabaseUnavailable):
                continue
            except Exception:
                log.exception("the roles of %r cannot be looked after now", session.name)

    async def _revoke(self) -> None:
        for name in {session.name for session in self._sessions if session.name}:
            try:
                admitted = await asyncio.to_thread(self._database.is_admitted, name)
            except DatabaseUnavailable as error:
                log.warning("revocations cannot be read now: %s", error)
                break
            if not admitted:
                self._cut_off(name)

    def _cut_off(self, name: str) -> None:
        log.warning("connector %r is revoked", name)
        now_ms = time.time_ns() // 1_000_000
        for session in self._sessions:
            if session.name == name:
                session.act(session.connection.refused("the connector is revoked", now_ms))

    async def _tell_presence(self) -> None:
        roles: dict[str, dict[str, Role]] = {}
        for session in self._sessions:
            if session.name and not session.connection.closed:
                roles.setdefault(session.name, {}).update(session.connection.roles)
        if roles:
            try:
                await asyncio.to_thread(self._database.record_presence, roles)
            except DatabaseUnavailable as error:
                log.warning("the database was not told who is here: %s", error)

    async def _write_reports(self) -> None:
        """Write down what was reported, in order, as soon as the database answers."""
        while True:
            await self._reported.wait()
            self._reported.clear()
            while self._reports:
                report = self._reports[0]
                try:
                    await asyncio.to_thread(self._write, report)
                except DatabaseUnavailable as error:
                    log.warning("reports wait for the database: %s", error)
                    await asyncio.sleep(_DATABASE_RETRY)
                    continue
                except Exception:
                    log.exception("this report cannot be written: %r", report)
                if self._reports and self._reports[0] is report:
                    self._reports.popleft()
            self._all_written.set()

    def _write(self, report: "_Report") -> None:
        """Write a report down; the row's own time is that of its writing, which alerts go by."""
        message = report.message
        if time.time_ns() // 1_000_000 - report.at_ms > _LATE_MS:
            message = f"{message} (at {wire.iso(report.at_ms)})"
        self._database.record(report.connector, report.code, report.symbol, message)

    def _start(self, chore: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._chores.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a chore of the gateway failed", exc_info=task.exception())


@dataclass(frozen=True, slots=True)
class _Report:
    connector: str
    code: str
    symbol: str
    message: str
    at_ms: int


class _Waker:
    """Wakes one symbol's pipeline after ticks were stored: at once, then now and then."""

    def __init__(
        self, wake: Callable[[], None], start: Callable[[Coroutine[Any, Any, None]], None]
    ) -> None:
        self._wake = wake
        self._start = start
        self._is_asked = False
        self._is_pressing = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def ask(self, *, at_once: bool) -> None:
        """Wake the pipeline; a call while that happens means once more."""
        self._is_asked = True
        if at_once:
            self._is_pressing.set()
        if self._idle.is_set():
            self._idle.clear()
            self._start(self._run())

    async def settle(self) -> None:
        """Do at once what was asked for, and return when it is done."""
        self._is_pressing.set()
        await self._idle.wait()

    async def _run(self) -> None:
        try:
            while self._is_asked:
                self._is_asked = False
                self._is_pressing.clear()
                try:
                    await asyncio.to_thread(self._wake)
                except Exception as error:
                    is_foreseen = isinstance(error, DatabaseUnavailable)
                    log.warning(
                        "the pipeline cannot be woken now: %s", error, exc_info=not is_foreseen
                    )
                    self._is_asked = True
                    await asyncio.sleep(_DATABASE_RETRY)
                await asyncio.sleep(_WAKE_PAUSE)
                with suppress(TimeoutError):
                    async with asyncio.timeout(_WATCH_PAUSE):
                        await self._is_pressing.wait()
        finally:
            self._idle.set()


async def run(
    options: GatewayOptions, database: GatewayDatabase, ready: Callable[[int], None]
) -> None:
    """Serve until SIGTERM or SIGINT, then drain; raises `CannotServe`.

    ``ready`` is called with the port once the gateway listens.
    """
    gateway = Gateway(options, database)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await gateway.start()
    ready(gateway.port)
    await stop.wait()
    await gateway.stop()


def _route(connection: ServerConnection, request: Request) -> Response | None:
    """Answer what is no WebSocket request for ticks."""
    path = request.path.partition("?")[0]
    if path == HEALTH_PATH:
        return connection.respond(HTTPStatus.OK, "ok\n")
    if path != PATH:
        return connection.respond(HTTPStatus.NOT_FOUND, f"ticks are taken at {PATH}\n")
    return None


def _tls(certificate: Path, private_key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for name, path in (("GATEWAY_TLS_CERT", certificate), ("GATEWAY_TLS_KEY", private_key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise CannotServe(f"cannot read {name} {path}: {_why(error)}") from error
    try:
        context.load_cert_chain(certificate, private_key)
    except ssl.SSLError as error:
        raise CannotServe(
            f"{certificate} and {private_key} are not a certificate and its key: "
            f"{error.reason or error}"
        ) from error
    return context


def _serve_metrics(host: str, port: int) -> None:
    try:
        start_http_server(port, addr=host, registry=metrics.REGISTRY)
    except OSError as error:
        raise CannotServe(f"cannot serve metrics on {host}:{port}: {_why(error)}") from error


def _why(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)
