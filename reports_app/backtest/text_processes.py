"""The texts of signals, written by processes beside the one that decides.

What a signal says depends on candles alone, and to write it takes longer than to decide: several
processes, each with the candles as they were when it was forked, write side by side.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain

from reports_app.backtest.windows import PlannedClose
from signals_app.confluence.description import Description

#: Signals whose texts are written at a time: some 50 ms of work, and neighbours share their views.
_AT_ONCE = 64

#: Writes the texts of the signal of a close.
Write = Callable[[PlannedClose], Description]
#: What a process writes with, as it was at the fork; a function made at run time cannot be sent.
_write: Write | None = None


def can_fork() -> bool:
    """Whether this machine, and this process, may fork others."""
    is_daemon = multiprocessing.current_process().daemon
    return "fork" in multiprocessing.get_all_start_methods() and not is_daemon


class TextProcesses:
    """Writes the texts of signals in ``count`` processes, which are forked here.

    To be made while ``write`` has all that it reads, and before threads are started. What a process
    leaves undone by dying is written here.
    """

    def __init__(self, write: Write, count: int) -> None:
        global _write
        self._here = _write = write
        self._asked: list[PlannedClose] = []
        self._sent: list[tuple[list[PlannedClose], Future[list[Description]] | None]] = []
        self._pool = ProcessPoolExecutor(
            count,
            mp_context=multiprocessing.get_context("fork"),
            initializer=_end_with_parent,
        )
        # A pool forks at its first work.
        self._pool.submit(_written, []).result()

    def ask(self, close: PlannedClose) -> None:
        """Have the texts of a close's signal written."""
        self._asked.append(close)
        if len(self._asked) == _AT_ONCE:
            self._send()

    def texts(self) -> list[Description]:
        """All that was asked for, in that order, once it is written."""
        self._send()
        return list(chain.from_iterable(self._finished(*batch) for batch in self._sent))

    def end(self) -> None:
        """End the processes."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _send(self) -> None:
        try:
            future = self._pool.submit(_written, self._asked)
        except BrokenProcessPool:
            future = None
        self._sent.append((self._asked, future))
        self._asked = []

    def _finished(
        self, closes: list[PlannedClose], future: "Future[list[Description]] | None"
    ) -> list[Description]:
        if future is not None:
            try:
                return future.result()
            except BrokenProcessPool:
                pass
        return [self._here(close) for close in closes]


def _written(closes: list[PlannedClose]) -> list[Description]:
    assert _write is not None
    return [_write(close) for close in closes]


def _end_with_parent() -> None:
    """Begin to watch the process that forked this one, which may be killed."""
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
