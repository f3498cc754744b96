"""The running connector: a source, the spool and the connection to the server, kept going."""

import asyncio
import logging
import ssl
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import ClientConnection

from mt5_bridge.connector.backlog import Backlog
from mt5_bridge.connector.backoff import Backoff
from mt5_bridge.connector.clocks import read_clocks
from mt5_bridge.connector.credentials import TokenSource
from mt5_bridge.connector.event_handler import EventHandler
from mt5_bridge.connector.feeder import Feeder
from mt5_bridge.connector.housekeeper import Housekeeper
from mt5_bridge.connector.progress import Progress
from mt5_bridge.connector.reconnector import Reconnector
from mt5_bridge.connector.sender import Sender
from mt5_bridge.connector.source_reader import SourceReader
from mt5_bridge.connector.spool import Spool
from mt5_bridge.connector.status import first_status
from mt5_bridge.connector.tasks import until_first_ends
from mt5_bridge.connector.token_renewal import renew_tokens
from mt5_bridge.protocol.link import Link
from mt5_bridge.protocol.login import Login
from mt5_bridge.protocol.wire import BadMessage, CloseCode, History, Role
from mt5_bridge.sources.base import Poll, QuoteSource

log = logging.getLogger("mt5_bridge")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_PAUSE_WHEN_LIMITED: Final = 5.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to connect and as whom. `trust` None is for an address without TLS, on loopback."""

    url: str
    name: str
    exit_when_done: bool = False
    trust: ssl.SSLContext | None = None
    status_directory: Path | None = None
    first_pause: float = _FIRST_PAUSE


class Client:
    """One connector for one symbol: makes its parts and runs them side by side."""

    def __init__(
        self, settings: Settings, source: QuoteSource, spool: Spool, tokens: TokenSource
    ) -> None:
        self._settings = settings
        self._source = source
        self._spool = spool
        self._tokens = tokens
        self._link = Link(spool, Login((source.symbol,), spool=spool.identity))
        self._backlog = Backlog(spool, source.symbol)
        self._feeder = Feeder(source, spool, ends_on_error=settings.exit_when_done)
        self._reader = SourceReader(source, spool, self._feeder, self._backlog, self._now_ms)
        status = first_status(settings.name, source.symbol, source.description, settings.url)
        self._progress = Progress(status, settings.status_directory)
        self._backoff = Backoff(settings.first_pause, _LONGEST_PAUSE)
        self._news = asyncio.Event()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End cleanly, as soon as possible; what is not acknowledged stays in the spool."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until `stop`, or until everything is acknowledged where that is the end.

        Raises `SourceError` and `MarketFileError`; `CredentialsError` and `SpoolError` only where
        it is to end: otherwise a key may be mended, and a disk freed, while it goes on trying.
        """
        housekeeper = Housekeeper(
            self._source,
            self._feeder,
            self._spool,
            self._backlog,
            self._link,
            self._progress,
            ends_on_error=self._settings.exit_when_done,
        )
        reconnector = Reconnector(
            self._settings.url,
            self._settings.trust,
            self._progress,
            self._backoff,
            ends_on_error=self._settings.exit_when_done,
        )
        try:
            # First: a login before it would start the source where the server's last tick is.
            await self._reader.continue_from_spool()
            await until_first_ends(
                self._reader.run(self._publish, self._offer),
                reconnector.run(self._prepare, self._serve),
                housekeeper.run(),
                self._end(),
            )
        finally:
            await self._reader.close()
            self._progress.update(is_ended=True, line="not connected")
            housekeeper.write_status()

    def summary(self) -> str:
        """What was done, in one line."""
        return self._progress.summary(self._backlog.size)

    async def _end(self) -> None:
        """Wait for what ends the connector without a fault."""
        ends: list[Coroutine[Any, Any, Any]] = [self._stopping.wait()]
        if self._settings.exit_when_done:
            ends.append(self._backlog.wait_for(self._is_finished))
        await until_first_ends(*ends)

    def _is_finished(self) -> bool:
        is_active = self._link.role(self._source.symbol) is Role.ACTIVE
        return self._reader.is_done and self._backlog.size == 0 and is_active

    def _publish(self, poll: Poll, refused: int) -> None:
        """Count what came from the source, and let it be sent."""
        self._progress.count_read(
            len(poll.quotes) + poll.refused,
            refused + poll.refused,
            self._backlog.state.last.time_ms,
        )
        for notice in poll.notices:
            self._link.report(notice.code, notice.message, read_clocks())
        self._news.set()

    def _offer(self, history: Sequence[History]) -> None:
        self._link.offer_history(history, read_clocks())
        self._news.set()

    async def _prepare(self) -> None:
        """Have a token, and a file's history, which is to be sent before ticks."""
        if not self._link.login.token:
            self._link.login.token = await self._tokens.fetch()
        # A live source says when it has some: a terminal that hangs must not keep us offline.
        if not (self._source.is_live or self._link.history.is_offered):
            self._link.history.offer(await self._reader.history())

    async def _serve(self, socket: ClientConnection) -> None:
        self._link.connected(read_clocks())
        sender = Sender(socket, self._link, self._spool, self._feeder, self._progress, self._news)
        try:
            await until_first_ends(
                self._listen(socket),
                sender.run(),
                renew_tokens(self._link, self._tokens, self._progress, self._news),
            )
        finally:
            self._link.disconnected()

    async def _listen(self, socket: ClientConnection) -> None:
        handler = EventHandler(
            self._link, self._spool, self._reader, self._backlog, self._progress, self._backoff
        )
        async for frame in socket:
            try:
                events = self._link.receive(frame, read_clocks())
            except BadMessage as error:
                log.warning("the server sent what is no message: %s", error.reason)
                continue
            for event in events:
                await handler.handle(event)
            self._news.set()
        if socket.close_code == CloseCode.LIMITED:
            self._backoff.at_least(_PAUSE_WHEN_LIMITED)
        raise ConnectionResetError(f"closed by the server with {socket.close_code}")

    def _now_ms(self) -> int:
        """The time by the server's clock, as far as it is known."""
        return self._link.clock.now_ms(read_clocks())
