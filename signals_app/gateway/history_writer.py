"""Stores the candles of one session's history, now or when the database is back."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from signals_app.gateway import replies
from signals_app.gateway.actions import StoreHistory
from signals_app.gateway.availability import DatabaseUnavailable, until_available
from signals_app.gateway.message_sender import MessageSender
from signals_app.gateway.ports import GatewayDatabase

log = logging.getLogger(__name__)

_MAX_WAITING_ROWS: Final = 20_000


class HistoryWriter:
    """History that cannot be stored waits, within bounds, while the ticks behind it go on."""

    def __init__(self, database: GatewayDatabase, sender: MessageSender) -> None:
        self._database = database
        self._sender = sender
        self._waiting: asyncio.Queue[StoreHistory] = asyncio.Queue()
        self._waiting_rows = 0

    async def store(self, history: StoreHistory, *, is_needed_first: bool) -> None:
        """Store history; where it has to wait for the database, return at once.

        Where it ``is_needed_first``, or too much waits already, return only when it is stored.
        """
        attempt = self._attempt(history)
        try:
            await attempt()
        except DatabaseUnavailable as error:
            self._waiting_rows += len(history.rows)
            if is_needed_first or self._waiting_rows > _MAX_WAITING_ROWS:
                await until_available(attempt)
                self._waiting_rows -= len(history.rows)
            else:
                log.warning("history of %s waits for the database: %s", history.symbol, error)
                self._waiting.put_nowait(history)

    async def run(self) -> None:
        """Store what waits, in order, for ever."""
        while True:
            history = await self._waiting.get()
            await until_available(self._attempt(history))
            self._waiting_rows -= len(history.rows)

    def _attempt(self, history: StoreHistory) -> Callable[[], Awaitable[None]]:
        symbol, timeframe, rows = history.symbol, history.timeframe, history.rows

        async def attempt() -> None:
            stored = await asyncio.to_thread(self._database.store_history, symbol, timeframe, rows)
            self._sender.carry_out((replies.history_ack(symbol, timeframe, stored),))

        return attempt
