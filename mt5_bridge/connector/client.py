"""The running connector: a source, the spool and the line to the server, kept going."""

import asyncio
import logging
import random
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar, assert_never

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from mt5_bridge.connector.credentials import (
    CredentialsError,
    TokenSource,
    TokenUnavailableError,
    is_loopback,
)
from mt5_bridge.connector.feeder import Intake
from mt5_bridge.connector.spool import Run, Spool, SpoolError, Stand
from mt5_bridge.connector.status import at, first_status, write_status
from mt5_bridge.protocol import link_events as events
from mt5_bridge.protocol.delivery import TickRange
from mt5_bridge.protocol.gateway_clock import ClockReading
from mt5_bridge.protocol.link import Link
from mt5_bridge.protocol.login import Login
from mt5_bridge.protocol.wire import (
    MAX_MESSAGE_BYTES,
    BadMessage,
    CloseCode,
    ErrorCode,
    Role,
    encode,
    encode_ticks,
)
from mt5_bridge.sources.base import Poll, Source
from mt5_bridge.sources.complaints import Complaint

log = logging.getLogger("mt5_bridge")

_Result = TypeVar("_Result")

# Ticks that a source which can wait may be ahead of the server: a second or two of full speed.
_MOST_AHEAD: Final = 200_000
# Ticks that are read from the spool for one turn of sending.
_SLICE: Final = 10_000
_MAINTENANCE: Final = 5.0
_STATUS: Final = 1.0
_IDLE: Final = 0.5
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_PAUSE_WHEN_LIMITED: Final = 5.0
_TOKEN_LOOK: Final = 0.25
_FIRST_TOKEN_PAUSE, _LONGEST_TOKEN_PAUSE = 1.0, 60.0
# Seconds after which a trouble that lasts is told again.
_COMPLAIN_AGAIN: Final = 600.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to connect and as whom. `trust` None is for an address without TLS, on loopback."""

    url: str
    name: str
    exit_when_done: bool = False
    trust: ssl.SSLContext | None = None
    status_directory: Path | None = None
    first_pause: float = _FIRST_PAUSE


class Stalled(Exception):  # noqa: N818 - a state of the line, not a mistake
    """The server is silent: the line is dead though nobody closed it."""


class Client:
    """One connector for one symbol."""

    def __init__(
        self, settings: Settings, source: Source, spool: Spool, tokens: TokenSource
    ) -> None:
        self._settings = settings
        self._source = source
        self._spool = spool
        self._tokens = tokens
        self._symbol = source.symbol
        self._link = Link(spool, Login((source.symbol,)))
        self._intake = Intake(source, spool, is_to_end=settings.exit_when_done)
        # The source's thread: everything that may block on a terminal or a file.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="source")
        self._source_lock = asyncio.Lock()
        self._may_read = asyncio.Event()
        self._is_started = False
        self._is_source_done = False
        self._complaint = Complaint(every=_COMPLAIN_AGAIN)
        self._highest_seq: int | None = None
        self._has_history = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._finished = asyncio.Event()
        self._stopping = asyncio.Event()
        self._pause = settings.first_pause
        self._status = first_status(settings.name, source.symbol, source.description, settings.url)
        self._began = time.monotonic()

    def stop(self) -> None:
        """End cleanly, as soon as possible; what is not acknowledged stays in the spool."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until `stop`, or until everything is acknowledged where that is the end.

        Raises `SourceError` and `TickFileError`; `CredentialsError` and `SpoolError` only where it
        is to end: otherwise a key may be mended, and a disk freed, while it goes on trying.
        """
        tasks = [
            asyncio.create_task(self._read_source()),
            asyncio.create_task(self._keep_connected()),
            asyncio.create_task(self._keep_order()),
            asyncio.create_task(self._stopping.wait()),
        ]
        if self._settings.exit_when_done:
            tasks.append(asyncio.create_task(self._finished.wait()))
        try:
            await self._continue_from_spool()
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(self._worker.shutdown, wait=True)
            self._source.close()
            self._write_status(is_ended=True)

    def summary(self) -> str:
        """Return what was done, in one line."""
        status = self._status
        seconds = time.monotonic() - self._began
        return (
            f"{self._symbol}: {status.read:,} ticks read, {status.refused:,} refused, "
            f"{status.sent:,} sent, {status.acknowledged:,} acknowledged, "
            f"{self._waiting():,} waiting, in {seconds:.1f} s"
        )

    # From the source into the spool

    async def _continue_from_spool(self) -> None:
        """Start the source where it stopped; a new spool first asks the server for its place."""
        stand = self._spool.stand(self._symbol)
        if stand is None:
            return
        if stand.bookmark is not None and self._source.knows(stand.bookmark):
            await self._start_source(stand.bookmark, 0, None)
        elif stand.acknowledged_seq == stand.last_seq:
            # Another source's ticks, all of them arrived: nothing of them is needed again.
            self._spool.begin(self._symbol, stand.last_seq)

    async def _start_source(
        self,
        bookmark: str | None,
        back: int,
        time_ms: int | None,
        *,
        number_after: int | None = None,
    ) -> None:
        """Let the source begin or begin again, where wanted with new numbers for its ticks."""
        async with self._source_lock:
            # In one go: a tick read in between would get the number of another.
            if number_after is not None:
                self._spool.begin(self._symbol, number_after)
            await self._in_worker(
                lambda: self._intake.start(bookmark, back, time_ms, self._now_ms())
            )
            self._is_started, self._is_source_done = True, False
            self._may_read.set()

    async def _read_source(self) -> None:
        while True:
            await self._may_read.wait()
            if not self._source.is_live:
                await self._until_room()
            async with self._source_lock:
                poll, refused = await self._in_worker(lambda: self._intake.take(self._now_ms()))
            self._count_taken(poll, refused)
            for notice in poll.notices:
                self._link.report(notice.code, notice.message, self._moment())
            if poll.is_done:
                self._is_source_done = True
                self._may_read.clear()
                self._finish_if_done()
            self._news.set()
            if poll.wait:
                await asyncio.sleep(poll.wait)

    def _count_taken(self, poll: Poll, refused: int) -> None:
        self._status = replace(
            self._status,
            read=self._status.read + len(poll.quotes) + poll.refused,
            refused=self._status.refused + refused + poll.refused,
            last_tick_ms=self._stand().last.time_ms,
        )

    async def _until_room(self) -> None:
        while self._waiting() > _MOST_AHEAD:
            self._room.clear()
            await self._room.wait()

    # The line

    async def _keep_connected(self) -> None:
        while True:
            try:
                await self._connect_once()
            except TokenUnavailableError as error:
                self._complain(f"no token: {error}")
            except (CredentialsError, SpoolError) as error:
                if self._settings.exit_when_done:
                    raise
                self._complain(str(error))
            except ssl.SSLCertVerificationError as error:
                sentence = (
                    f"the certificate of {self._settings.url} is not trusted "
                    f"({error.verify_message}); check --cafile"
                )
                if self._settings.exit_when_done:
                    raise CredentialsError(sentence) from None
                self._complain(sentence)
            except (OSError, WebSocketException, Stalled, TimeoutError) as error:
                self._complain(f"the line to {self._settings.url} is down: {_reason(error)}")
            self._status = replace(
                self._status, line="not connected", reconnects=self._status.reconnects + 1
            )
            await asyncio.sleep(self._pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    async def _connect_once(self) -> None:
        if not self._link.login.token:
            self._link.login.token = await self._tokens.fetch()
        if self._source.is_live or not self._has_history:
            history = await self._in_worker(lambda: self._source.history(self._now_ms()))
            self._link.history.offer(history)
            self._has_history = True
        async with connect(
            self._settings.url,
            ssl=self._settings.trust,
            compression=None,
            max_size=MAX_MESSAGE_BYTES,
            open_timeout=10,
            close_timeout=2,
            ping_interval=20,
            ping_timeout=20,
            proxy=None if is_loopback(self._settings.url) else True,
        ) as socket:
            self._link.connected(self._moment())
            tasks = [
                asyncio.create_task(self._listen(socket)),
                asyncio.create_task(self._speak(socket)),
                asyncio.create_task(self._keep_token_fresh()),
            ]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                self._link.disconnected()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, socket: ClientConnection) -> None:
        async for frame in socket:
            try:
                found = self._link.receive(frame, self._moment())
            except BadMessage as error:
                log.warning("the server sent what is no message: %s", error.reason)
                continue
            for event in found:
                await self._follow(event)
            self._news.set()
        if socket.close_code == CloseCode.LIMITED:
            self._pause = max(self._pause, _PAUSE_WHEN_LIMITED)
        raise ConnectionResetError(f"closed by the server with {socket.close_code}")

    async def _speak(self, socket: ClientConnection) -> None:
        while True:
            self._news.clear()
            moment = self._moment()
            for message in self._link.outgoing():
                await socket.send(encode(message))
            watermarks = {}
            if (watermark_ms := self._intake.watermark_ms) is not None:
                watermarks[self._symbol] = watermark_ms
            if heartbeat := self._link.heartbeat(watermarks, moment):
                await socket.send(encode(heartbeat))
            if self._link.heartbeats.is_server_silent(moment.seconds):
                raise Stalled("the server has been silent for too long")
            if piece := self._link.next_range(moment, _SLICE):
                await self._send(socket, piece)
                continue
            # Not by wait_for: before Python 3.12 it may swallow a cancellation.
            with suppress(TimeoutError):
                async with asyncio.timeout(_IDLE):
                    await self._news.wait()

    async def _send(self, socket: ClientConnection, piece: TickRange) -> None:
        runs = await asyncio.to_thread(
            self._spool.read, piece.symbol, piece.after_seq, piece.up_to_seq
        )
        delivery, sent_seq = self._link.deliveries[piece.symbol], piece.after_seq
        for run in runs:
            if delivery.sent_seq != sent_seq:
                return  # the server asked to resume elsewhere meanwhile
            run = Run(run.first_seq, run.quotes.part(0, piece.up_to_seq + 1 - run.first_seq))
            await socket.send(encode_ticks(piece.symbol, run.first_seq, run.quotes.rows()))
            if delivery.sent_seq != sent_seq:
                return
            sent_seq = run.last_seq
            delivery.sent(sent_seq, int(run.quotes.time_ms[-1]))
            self._status = replace(self._status, sent=self._status.sent + len(run.quotes))

    async def _keep_token_fresh(self) -> None:
        """Fetch the next token in time; ticks never wait for who gives it."""
        pause = _FIRST_TOKEN_PAUSE
        while True:
            await asyncio.sleep(_TOKEN_LOOK)
            if not self._link.login.needs_new_token(self._now_ms()):
                continue
            try:
                self._link.renew(await self._tokens.fetch())
            except (TokenUnavailableError, CredentialsError) as error:
                # The old one is still good for a while.
                self._complain(f"the token could not be renewed: {error}")
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
                pause = min(2 * pause, _LONGEST_TOKEN_PAUSE)
            else:
                pause = _FIRST_TOKEN_PAUSE
                self._news.set()

    async def _follow(self, event: events.Event) -> None:
        """Do what an event of the link asks for."""
        match event:
            case events.LoggedIn(connector):
                self._pause = self._settings.first_pause
                self._complaint.over()
                self._status = replace(
                    self._status, line="connected", connector=connector, last_error=""
                )
                log.info("connected to %s as %s", self._settings.url, connector)
            case events.RoleAssigned(symbol, role):
                self._status = replace(self._status, role=role.value)
                log.info("%s: this connector is %s", symbol, role.value)
            case events.NumberingNeeded(symbol, after_seq, time_ms):
                await self._start_source(None, 0, time_ms, number_after=after_seq)
                await self._follow(self._link.deliveries[symbol].resume(after_seq, time_ms))
            case events.SpoolBehind(symbol, after_seq, time_ms):
                log.warning("%s: the server is ahead of the spool; renumbering", symbol)
                self._spool.lift(symbol, after_seq)
                await self._follow(self._link.deliveries[symbol].resume(after_seq, time_ms))
            case events.TicksMissing(symbol, after_seq, time_ms):
                await self._fetch_again(symbol, after_seq, time_ms)
                await self._follow(self._link.deliveries[symbol].resume(after_seq, time_ms))
            case events.Resumed(symbol, after_seq, time_ms):
                if not self._is_started:
                    newest_ms = max(time_ms or 0, self._stand().last.time_ms)
                    await self._start_source(None, 0, newest_ms or None)
                self._count_acknowledged(symbol, after_seq)
            case events.Acknowledged(symbol, seq):
                self._count_acknowledged(symbol, seq)
            case events.HistoryStored(symbol, timeframe, stored):
                log.info("%s %s: the server kept %d candles of history", symbol, timeframe, stored)
            case events.ServerError(code, message, is_final):
                self._hear_error(code, message, is_final=is_final)
            case events.ClockErrorChanged(ahead_ms):
                log.warning("this machine's clock is %+.1f s off the server's", ahead_ms / 1000)
            case _:
                assert_never(event)

    async def _fetch_again(self, symbol: str, after_seq: int, time_ms: int | None) -> None:
        """Let the source give again what the server lost and the spool no longer holds."""
        stand = self._stand()
        log.warning(
            "%s: the server wants ticks from number %d on again, from the source", symbol, after_seq
        )
        back = stand.last_seq - after_seq
        await self._start_source(stand.bookmark, back, time_ms, number_after=after_seq)

    def _hear_error(self, code: str, message: str, *, is_final: bool) -> None:
        sentence = f"the server says {code}: {message}"
        if not is_final:
            (log.info if code == ErrorCode.STANDBY else log.warning)("%s", sentence)
            return
        self._link.login.token = ""
        if code == ErrorCode.AUTH_FAILED:
            raise CredentialsError(f"{sentence}; check the token, the API key and the symbols")
        raise TokenUnavailableError(sentence)

    def _count_acknowledged(self, symbol: str, seq: int) -> None:
        if self._highest_seq is None:
            self._highest_seq = self._stand().acknowledged_seq
        # What a forgetful server acknowledges for the second time is counted once.
        news = max(seq - self._highest_seq, 0)
        self._highest_seq += news
        self._status = replace(
            self._status,
            acknowledged=self._status.acknowledged + news,
            last_ack_ms=_wall_ms(),
        )
        self._acknowledge(symbol, seq)

    def _acknowledge(self, symbol: str, seq: int) -> None:
        self._spool.acknowledge(symbol, seq)
        self._room.set()
        self._finish_if_done()

    def _finish_if_done(self) -> None:
        is_active = self._link.role(self._symbol) is Role.ACTIVE
        if self._is_source_done and self._waiting() == 0 and is_active:
            self._finished.set()

    # Order

    async def _keep_order(self) -> None:
        maintained = time.monotonic()
        while True:
            await asyncio.sleep(_STATUS)
            if self._link.role(self._symbol) is Role.STANDBY:
                # They wait for a promotion, which asks for none older than the active one's last.
                self._acknowledge(self._symbol, self._stand().last_seq)
            if time.monotonic() - maintained >= _MAINTENANCE:
                maintained = time.monotonic()
                await self._maintain()
            self._write_status(lag_ms=await asyncio.to_thread(self._lag_ms))

    async def _maintain(self) -> None:
        try:
            await asyncio.to_thread(self._spool.maintain, self._now_ms())
        except SpoolError as error:
            if self._settings.exit_when_done:
                raise
            self._complain(str(error))

    def _lag_ms(self) -> int:
        """Return how much market time lies in the ticks that are not acknowledged."""
        stand = self._stand()
        with suppress(SpoolError):
            oldest_ms = self._spool.time_at(self._symbol, stand.acknowledged_seq + 1)
            if oldest_ms is not None:
                return stand.last.time_ms - oldest_ms
        return 0

    def _write_status(self, *, lag_ms: int = 0, is_ended: bool = False) -> None:
        stand = self._spool.stand(self._symbol)
        self._status = replace(
            at(self._status, _wall_ms()),
            spool_depth=self._waiting(),
            spool_bytes=self._spool.size,
            spool_trouble=self._intake.trouble,
            lag_ms=lag_ms,
            dropped=stand.dropped if stand else 0,
            clock_error_ms=self._link.clock.error_ms,
            source=self._source.description,
            is_ended=is_ended,
            line="not connected" if is_ended else self._status.line,
        )
        if self._settings.status_directory is not None:
            write_status(self._settings.status_directory, self._status)

    def _complain(self, sentence: str) -> None:
        if self._complaint.is_due(sentence, time.monotonic()):
            log.warning("%s", sentence)
        self._status = replace(self._status, last_error=sentence)

    def _stand(self) -> Stand:
        return self._spool.stand(self._symbol) or Stand(0, 0)

    def _waiting(self) -> int:
        stand = self._stand()
        return stand.last_seq - stand.acknowledged_seq

    async def _in_worker(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    def _now_ms(self) -> int:
        """Return the time by the server's clock, as far as it is known."""
        return self._link.clock.now_ms(self._moment())

    def _moment(self) -> ClockReading:
        return ClockReading(time.monotonic(), _wall_ms())


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _reason(error: BaseException) -> str:
    if isinstance(error, ConnectionClosed):
        return f"closed with {error.rcvd.code}" if error.rcvd else "lost"
    return str(error) or type(error).__name__
