"""What the connector does once a second: clean the spool, write its status, act as a standby."""

import asyncio
import time
from typing import Final

from mt5_bridge.connector.backlog import Backlog
from mt5_bridge.connector.clocks import read_clocks
from mt5_bridge.connector.feeder import Feeder
from mt5_bridge.connector.progress import Progress
from mt5_bridge.connector.spool import Spool
from mt5_bridge.connector.spool_file import SpoolError
from mt5_bridge.protocol.link import Link
from mt5_bridge.protocol.wire import Role
from mt5_bridge.sources.base import QuoteSource

_INTERVAL: Final = 1.0
_MAINTENANCE_INTERVAL: Final = 5.0


class Housekeeper:
    def __init__(
        self,
        source: QuoteSource,
        feeder: Feeder,
        spool: Spool,
        backlog: Backlog,
        link: Link,
        progress: Progress,
        *,
        ends_on_error: bool,
    ) -> None:
        """``ends_on_error``: a disk that fails is the end then, and not waited for."""
        self._source = source
        self._feeder = feeder
        self._spool = spool
        self._backlog = backlog
        self._link = link
        self._progress = progress
        self._ends_on_error = ends_on_error

    async def run(self) -> None:
        maintained = time.monotonic()
        while True:
            await asyncio.sleep(_INTERVAL)
            if self._link.role(self._source.symbol) is Role.STANDBY:
                # They wait for a promotion, which asks for none older than the active one's last.
                self._backlog.acknowledge(self._backlog.state.last_seq)
            if time.monotonic() - maintained >= _MAINTENANCE_INTERVAL:
                maintained = time.monotonic()
                await self._maintain_spool()
            self.write_status(lag_ms=await asyncio.to_thread(self._backlog.lag_ms))

    def write_status(self, *, lag_ms: int = 0) -> None:
        self._progress.update(
            spool_depth=self._backlog.size,
            spool_bytes=self._spool.size.total,
            spool_trouble=self._feeder.trouble,
            source_trouble=self._source.trouble,
            lag_ms=lag_ms,
            dropped=self._backlog.state.dropped,
            clock_error_ms=self._link.clock.error_ms,
            source=self._source.description,
        )
        self._progress.write()

    async def _maintain_spool(self) -> None:
        try:
            now_ms = self._link.clock.now_ms(read_clocks())
            await asyncio.to_thread(self._spool.maintain, now_ms)
        except SpoolError as error:
            if self._ends_on_error:
                raise
            self._progress.failed(str(error))
