"""Does what the server's messages ask for: starts the source, renumbers, acknowledges."""

import logging
from typing import Final, assert_never

from mt5_bridge.connector.backlog import Backlog
from mt5_bridge.connector.backoff import Backoff
from mt5_bridge.connector.credentials import CredentialsError, TokenUnavailableError
from mt5_bridge.connector.progress import Progress
from mt5_bridge.connector.source_reader import SourceReader
from mt5_bridge.connector.spool import Spool
from mt5_bridge.protocol import link_events as events
from mt5_bridge.protocol.link import Link
from mt5_bridge.protocol.wire import ErrorCode

log = logging.getLogger("mt5_bridge")

_PAUSE_WHEN_NAME_IN_USE: Final = 15.0


class EventHandler:
    def __init__(
        self,
        link: Link,
        spool: Spool,
        reader: SourceReader,
        backlog: Backlog,
        progress: Progress,
        backoff: Backoff,
    ) -> None:
        self._link = link
        self._spool = spool
        self._reader = reader
        self._backlog = backlog
        self._progress = progress
        self._backoff = backoff

    async def handle(self, event: events.Event) -> None:
        """Raises `CredentialsError` and `TokenUnavailableError` where the server says so."""
        match event:
            case events.LoggedIn(connector):
                self._backoff.reset()
                self._progress.logged_in(connector)
            case events.RoleAssigned(symbol, role):
                self._progress.update(role=role.value)
                log.info("%s: this connector is %s", symbol, role.value)
            case events.NumberingNeeded() | events.SpoolBehind() | events.ReplayNeeded():
                await self._put_right(event)
            case events.Resumed():
                await self._resumed(event)
            case events.Acknowledged(seq=seq):
                self._acknowledged(seq)
            case events.HistoryStored(symbol, timeframe, stored):
                log.info("%s %s: the server kept %d candles of history", symbol, timeframe, stored)
            case events.ServerError(code, message, is_final):
                self._server_error(code, message, is_final=is_final)
            case events.ClockErrorChanged(ahead_ms):
                log.warning("this machine's clock is %+.1f s off the server's", ahead_ms / 1000)
            case _:
                assert_never(event)

    async def _put_right(
        self, event: events.NumberingNeeded | events.SpoolBehind | events.ReplayNeeded
    ) -> None:
        """Make numbers and ticks fit what the server has, then send from there on."""
        symbol, after_seq = event.symbol, event.after_seq
        match event:
            case events.NumberingNeeded():
                # With the server's last millisecond: what it has of that it recognises.
                time_ms = None if event.time_ms is None else event.time_ms - 1
                await self._reader.start(None, 0, time_ms, number_after=after_seq)
            case events.SpoolBehind():
                log.warning("%s: the server is ahead of the spool; renumbering", symbol)
                self._spool.renumber(symbol, after_seq)
            case events.ReplayNeeded():
                log.warning(
                    "%s: the server wants ticks from number %d on again, from the source",
                    symbol,
                    after_seq,
                )
                state = self._backlog.state
                back = state.last_seq - after_seq
                await self._reader.start(
                    state.bookmark, back, event.time_ms, number_after=after_seq
                )
        await self._resumed(self._link.deliveries[symbol].resume(after_seq, event.time_ms))

    async def _resumed(self, event: events.Resumed) -> None:
        if not self._reader.is_started:
            # Of the server's last millisecond it recognises what it has from others, not from here.
            newest_ms = max((event.time_ms or 0) - 1, self._backlog.state.last.time_ms)
            await self._reader.start(None, 0, newest_ms if newest_ms > 0 else None)
        self._acknowledged(event.after_seq)

    def _acknowledged(self, seq: int) -> None:
        self._progress.count_acknowledged(seq, self._backlog.state.acknowledged_seq)
        self._backlog.acknowledge(seq)

    def _server_error(self, code: str, message: str, *, is_final: bool) -> None:
        sentence = f"the server says {code}: {message}"
        if not is_final:
            log.log(logging.INFO if code == ErrorCode.STANDBY else logging.WARNING, "%s", sentence)
            return
        if code == ErrorCode.NAME_IN_USE:
            self._backoff.at_least(_PAUSE_WHEN_NAME_IN_USE)
            raise CredentialsError(sentence)
        self._link.login.token = ""
        if code == ErrorCode.AUTH_FAILED:
            raise CredentialsError(f"{sentence}; check the token, the API key and the symbols")
        raise TokenUnavailableError(sentence)
