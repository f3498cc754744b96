"""Reads the source in a thread of its own, for as long as there is something to read."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from mt5_bridge.connector.backlog import Backlog
from mt5_bridge.connector.feeder import Feeder
from mt5_bridge.connector.spool import Spool
from mt5_bridge.protocol.wire import History
from mt5_bridge.sources.base import Poll, QuoteSource

_Result = TypeVar("_Result")

# Ticks that a source which can wait may be ahead of the server: a second or two of full speed.
_MAXIMUM_AHEAD: Final = 200_000


class SourceReader:
    """Everything of a source that may block on a terminal, a file or a disk.

    `is_started` says whether it was ever started, `is_done` whether the source has no more ticks.
    """

    def __init__(
        self,
        source: QuoteSource,
        spool: Spool,
        feeder: Feeder,
        backlog: Backlog,
        now_ms: Callable[[], int],
    ) -> None:
        """``now_ms`` is the time by the server's clock, as far as it is known."""
        self.is_started = False
        self.is_done = False
        self._source = source
        self._spool = spool
        self._feeder = feeder
        self._backlog = backlog
        self._now_ms = now_ms
        self._may_read = asyncio.Event()
        self._lock = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="source")

    async def continue_from_spool(self) -> None:
        """Start the source where it stopped; a new spool first asks the server for its place."""
        state = self._spool.state(self._source.symbol)
        if state is None:
            return
        if state.bookmark is not None and self._source.knows(state.bookmark):
            await self.start(state.bookmark, 0, None)
        elif state.acknowledged_seq == state.last_seq:
            # Another source's ticks, all of them arrived: nothing of them is needed again.
            self._spool.begin(self._source.symbol, state.last_seq)

    async def start(
        self,
        bookmark: str | None,
        back: int,
        time_ms: int | None,
        *,
        number_after: int | None = None,
    ) -> None:
        """Let the source begin or begin again, where wanted with new numbers for its ticks."""
        async with self._lock:
            # In one go: a tick read in between would get the number of another.
            if number_after is not None:
                self._spool.begin(self._source.symbol, number_after)
            await self._in_thread(
                lambda: self._feeder.start(bookmark, back, time_ms, self._now_ms())
            )
            self.is_started, self.is_done = True, False
            self._may_read.set()

    async def run(
        self,
        publish: Callable[[Poll, int], None],
        offer: Callable[[Sequence[History]], None],
    ) -> None:
        """Feed the spool; call ``publish`` with each poll and how many of its ticks were refused.

        ``offer`` gets a live source's history, before the ticks that follow it.

        Raises `SourceError`, and `SpoolError` where the feeder does.
        """
        while True:
            await self._may_read.wait()
            if not self._source.is_live:
                await self._backlog.wait_for(lambda: self._backlog.size <= _MAXIMUM_AHEAD)
            async with self._lock:
                poll, refused = await self._in_thread(lambda: self._feeder.feed(self._now_ms()))
            publish(poll, refused)
            if poll.has_history:
                offer(await self.history())
            if poll.is_done:
                self.is_done = True
                self._may_read.clear()
                self._backlog.notify()
            if poll.wait:
                await asyncio.sleep(poll.wait)

    async def history(self) -> Sequence[History]:
        """Closed candles that end before the first tick; raises `SourceError`."""
        return await self._in_thread(lambda: self._source.history(self._now_ms()))

    async def close(self) -> None:
        """End the thread, also where a terminal hangs in it."""
        self._source.interrupt()
        await asyncio.to_thread(self._thread.shutdown, wait=True)
        self._source.close()

    async def _in_thread(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
