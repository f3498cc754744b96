"""Wakes the pipeline after ticks were stored: at once where a decision may follow, else seldom."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from signals_app.gateway.availability import DatabaseUnavailable
from signals_app.gateway.background import BackgroundTasks

log = logging.getLogger(__name__)

# While ticks stream in, the pipeline is woken at most this often: where a decision may follow, and
# where none does but trades have to be watched. A tick alone is not worth a task.
_WAKE_PAUSE: Final = 0.01
_WATCH_PAUSE: Final = 0.25
_RETRY_PAUSE: Final = 1.0


class PipelineWakers:
    """The pipelines of all symbols. ``wake`` is called from threads, with the symbol."""

    def __init__(self, wake: Callable[[str], None], tasks: BackgroundTasks) -> None:
        self._wake = wake
        self._tasks = tasks
        self._wakers: dict[str, _PipelineWaker] = {}

    def wake(self, symbol: str, *, at_once: bool) -> None:
        """Wake the symbol's pipeline, within a moment or at once, without waiting for it."""
        waker = self._wakers.get(symbol)
        if waker is None:
            waker = self._wakers[symbol] = _PipelineWaker(lambda: self._wake(symbol), self._tasks)
        waker.ask(at_once=at_once)

    async def settled(self) -> None:
        """Do at once what was asked for, and return when it is done."""
        await asyncio.gather(*(waker.settled() for waker in self._wakers.values()))


class _PipelineWaker:
    """Wakes one symbol's pipeline."""

    def __init__(self, wake: Callable[[], None], tasks: BackgroundTasks) -> None:
        self._wake = wake
        self._tasks = tasks
        self._is_asked = False
        self._is_settling = False
        self._is_urgent = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    def ask(self, *, at_once: bool) -> None:
        """Wake the pipeline; a call while that happens means once more."""
        self._is_asked = True
        if at_once:
            self._is_urgent.set()
        if self._is_idle.is_set():
            self._is_idle.clear()
            self._tasks.start(self._run())

    async def settled(self) -> None:
        """Do at once what was asked for, and return when it is done."""
        self._is_settling = True
        self._is_urgent.set()
        try:
            await self._is_idle.wait()
        finally:
            self._is_settling = False

    async def _run(self) -> None:
        try:
            while self._is_asked:
                self._is_asked = False
                self._is_urgent.clear()
                try:
                    await asyncio.to_thread(self._wake)
                except Exception as error:
                    is_foreseen = isinstance(error, DatabaseUnavailable)
                    log.warning(
                        "the pipeline cannot be woken now: %s", error, exc_info=not is_foreseen
                    )
                    self._is_asked = True
                    await asyncio.sleep(_RETRY_PAUSE)
                await asyncio.sleep(_WAKE_PAUSE)
                await self._pause_unless_urgent()
        finally:
            self._is_idle.set()

    async def _pause_unless_urgent(self) -> None:
        # Settling outlasts `_is_urgent`, which the wake-up that it hurried has cleared.
        if self._is_settling:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_WATCH_PAUSE):
                await self._is_urgent.wait()
