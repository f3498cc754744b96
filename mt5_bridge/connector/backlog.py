"""The ticks that the server has not acknowledged, and what waits for them to become fewer."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from mt5_bridge.connector.spool import Spool
from mt5_bridge.connector.spool_file import SpoolError
from mt5_bridge.connector.spool_tables import SpoolState


class Backlog:
    """One symbol's unacknowledged ticks in the spool."""

    def __init__(self, spool: Spool, symbol: str) -> None:
        self._spool = spool
        self._symbol = symbol
        self._changed = asyncio.Event()

    @property
    def state(self) -> SpoolState:
        """The symbol's state in the spool, zeros before its first tick."""
        return self._spool.state(self._symbol) or SpoolState()

    @property
    def size(self) -> int:
        """How many ticks wait for their acknowledgement."""
        state = self.state
        return state.last_seq - state.acknowledged_seq

    def acknowledge(self, seq: int) -> None:
        self._spool.acknowledge(self._symbol, seq)
        self._changed.set()

    def notify(self) -> None:
        """Let those who wait look again."""
        self._changed.set()

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until ``condition`` holds; it is asked after each change."""
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    def lag_ms(self) -> int:
        """How much market time lies in the backlog."""
        state = self.state
        with suppress(SpoolError):
            oldest_ms = self._spool.time_at(self._symbol, state.acknowledged_seq + 1)
            if oldest_ms is not None:
                return state.last.time_ms - oldest_ms
        return 0
