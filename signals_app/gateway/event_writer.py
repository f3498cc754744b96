"""Writes connector events into the database, in order, as soon as it answers."""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import Final

from mt5_bridge.protocol import wire
from signals_app.connector_codes import ConnectorEventCode
from signals_app.gateway.availability import DatabaseUnavailable
from signals_app.gateway.clock import wall_ms
from signals_app.gateway.ports import GatewayDatabase

log = logging.getLogger(__name__)

# Events that wait for the database; beyond that the oldest go.
_MAX_WAITING: Final = 1_000
_RETRY_PAUSE: Final = 1.0
_LATE_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class _Event:
    connector: str
    code: ConnectorEventCode
    symbol: str
    message: str
    at_ms: int


class EventWriter:
    """Takes what connectors report and what happens to them, without waiting for the database."""

    def __init__(self, database: GatewayDatabase) -> None:
        self._database = database
        self._waiting: deque[_Event] = deque(maxlen=_MAX_WAITING)
        self._has_work = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    def record(self, connector: str, code: ConnectorEventCode, symbol: str, message: str) -> None:
        """Log an event, and have it written; `symbol` may be empty."""
        log.warning("connector %r: %s %s %s", connector, code, symbol, message)
        if len(self._waiting) == _MAX_WAITING:
            log.error("the database was away for too long: the oldest event is left out")
        self._waiting.append(_Event(connector, code, symbol, message, wall_ms()))
        self._is_idle.clear()
        self._has_work.set()

    async def settled(self) -> None:
        """Wait until everything is written."""
        await self._is_idle.wait()

    async def run(self) -> None:
        """Write what comes, for ever."""
        while True:
            await self._has_work.wait()
            self._has_work.clear()
            while self._waiting:
                event = self._waiting[0]
                try:
                    await asyncio.to_thread(self._write, event)
                except DatabaseUnavailable as error:
                    log.warning("events wait for the database: %s", error)
                    await asyncio.sleep(_RETRY_PAUSE)
                    continue
                except Exception:
                    log.exception("this event cannot be written: %r", event)
                if self._waiting and self._waiting[0] is event:
                    self._waiting.popleft()
            self._is_idle.set()

    def _write(self, event: _Event) -> None:
        """Write an event; the row's own time is that of its writing, which alerts go by."""
        message = event.message
        if wall_ms() - event.at_ms > _LATE_MS:
            message = f"{message} (at {wire.iso(event.at_ms)})"
        self._database.record(event.connector, event.code, event.symbol, message)
