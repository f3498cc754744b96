"""Writes connector events into the database, in order, as soon as it answers."""

import asyncio
import logging
from collections import deque
from contextlib import suppress
from typing import Final

from mt5_bridge.protocol import wire
from signals_app.connector_codes import ConnectorEventCode
from signals_app.gateway.availability import DatabaseUnavailable
from signals_app.gateway.clock import wall_ms
from signals_app.gateway.event_quota import ConnectorReportEvent, EventQuota
from signals_app.gateway.ports import GatewayDatabase

log = logging.getLogger(__name__)

# Events that wait for the database; beyond that the oldest go.
_MAX_WAITING: Final = 1_000
_RETRY_PAUSE: Final = 1.0
_RELEASE_PAUSE: Final = 1.0
_LATE_MS: Final = 5_000


class EventWriter:
    """Takes what connectors report and what happens to them, without waiting for the database."""

    def __init__(self, database: GatewayDatabase) -> None:
        self._database = database
        self._waiting: deque[ConnectorReportEvent] = deque(maxlen=_MAX_WAITING)
        self._quota = EventQuota()
        self._has_work = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    def record(self, connector: str, code: ConnectorEventCode, symbol: str, message: str) -> None:
        """Log an event, and have it written; `symbol` may be empty.

        Where a connector has too many of them, it is held back for a minute at most.
        """
        event = ConnectorReportEvent(connector, code, symbol, message, wall_ms())
        if (taken := self._quota.take(event)) is not None:
            self._put(taken)

    async def settled(self) -> None:
        """Wait until everything is written, also what is held back."""
        for event in self._quota.release(None):
            self._put(event)
        await self._is_idle.wait()

    def _put(self, event: ConnectorReportEvent) -> None:
        log.warning(
            "connector %r: %s %s %s", event.connector, event.code, event.symbol, event.message
        )
        if len(self._waiting) == _MAX_WAITING:
            log.error("the database was away for too long: the oldest event is left out")
        self._waiting.append(event)
        self._is_idle.clear()
        self._has_work.set()

    async def run(self) -> None:
        """Write what comes, for ever."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_RELEASE_PAUSE):
                    await self._has_work.wait()
            self._has_work.clear()
            for event in self._quota.release(wall_ms()):
                self._put(event)
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

    def _write(self, event: ConnectorReportEvent) -> None:
        """Write an event; the row's own time is that of its writing, which alerts go by."""
        message = event.message
        if wall_ms() - event.at_ms > _LATE_MS:
            message = f"{message} (at {wire.iso(event.at_ms)})"
        self._database.record(event.connector, event.code, event.symbol, message, event.times)
