"""Tasks that run beside the connections, and end with the gateway."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

log = logging.getLogger(__name__)


class BackgroundTasks:
    """Keeps tasks alive, logs what goes wrong with them, and ends them all."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run this beside everything else."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def repeat(self, work: Callable[[], Awaitable[None]], interval: float) -> None:
        """Run this every ``interval`` seconds; a fault does not end the repetition."""
        self.start(_repeat(work, interval))

    async def cancel_all(self) -> None:
        """End all tasks, and return when they have ended."""
        # Once may not do: Redis's client can turn a cancellation into an error of its own.
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(set(self._tasks), timeout=0.2)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a background task of the gateway failed", exc_info=task.exception())


async def _repeat(work: Callable[[], Awaitable[None]], interval: float) -> None:
    while True:
        await asyncio.sleep(interval)
        try:
            await work()
        except Exception:
            log.exception("a background task of the gateway failed; it goes on")
