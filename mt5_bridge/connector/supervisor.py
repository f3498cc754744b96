"""Keeps the processes of several connectors running: one of a symbol's trouble is no other's."""

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import connection as pipes
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Final, TypeAlias

from mt5_bridge.connector.backoff import Backoff
from mt5_bridge.connector.config import Config
from mt5_bridge.connector.streams_status import SupervisedConnector, write_streams

log = logging.getLogger("mt5_bridge")

Run: TypeAlias = Callable[[Config, Connection], int]
"""Runs a connector until it ends, or until the other end of the pipe is closed: its exit code."""

BAD_INPUT: Final = 2
_LOOK_EVERY: Final = 0.5
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
# A connector that has run for so many seconds is well: its next trouble is another one.
_WELL_AFTER: Final = 300.0
_ENDS_WITHIN: Final = 10.0
_KILLED_WITHIN: Final = 5.0


class ConnectorSupervisor:
    """Runs each connector in a process of its own, and again where it ended unasked.

    One that ended by a mistake in its settings stays down, and the others go on.
    """

    def __init__(self, streams: Sequence[Config], directory: Path, run: Run) -> None:
        """``directory`` is where `status` finds them. ``run`` is imported by each process."""
        self._children = [_Child(config, run) for config in streams]
        self._directory = directory
        self._is_stopping = False
        self._written: list[SupervisedConnector] = []

    def stop(self) -> None:
        """Let all of them end cleanly, as soon as possible."""
        self._is_stopping = True

    def run(self) -> int:
        """Keep them running until `stop`, or until each has ended for good: the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stop())
        try:
            while not self._is_stopping and not all(each.is_over for each in self._children):
                for child in self._children:
                    child.start_where_due(time.monotonic())
                self._write_states()
                self._wait()
                for child in self._children:
                    child.look(time.monotonic())
        finally:
            self._end()
            self._write_states()
        if self._is_stopping:
            return 0
        return max(each.code for each in self._children)

    def _wait(self) -> None:
        running = [each.process.sentinel for each in self._children if each.process is not None]
        if running:
            pipes.wait(running, timeout=_LOOK_EVERY)
        else:
            time.sleep(_LOOK_EVERY)

    def _end(self) -> None:
        for child in self._children:
            child.ask_to_end()
        until = time.monotonic() + _ENDS_WITHIN
        for child in self._children:
            child.end(max(until - time.monotonic(), 0.0))

    def _write_states(self) -> None:
        states = [child.state for child in self._children]
        if states != self._written:
            write_streams(self._directory, states)
            self._written = states


class _Child:
    """One connector's process. `is_over` once it has ended for good, with `code`."""

    def __init__(self, config: Config, run: Run) -> None:
        self.process: SpawnProcess | None = None
        self.is_over = False
        self.code = 0
        self._config = config
        self._run = run
        self._pipe: Connection | None = None
        self._backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        self._started_at = 0.0
        self._start_at = 0.0

    @property
    def state(self) -> SupervisedConnector:
        if self.is_over:
            text = f"has ended with exit code {self.code}"
        else:
            text = "is running" if self.process is not None else "is started anew"
        return SupervisedConnector(self._config.name, str(self._config.spool), text)

    def start_where_due(self, seconds: float) -> None:
        if self.is_over or self.process is not None or seconds < self._start_at:
            return
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self.process = context.Process(
            target=work, args=(theirs, self._config, self._run), name=self._config.name
        )
        self.process.start()
        # Its other end must be open in the child alone, and ours here: their closing is the word.
        theirs.close()
        self._pipe, self._started_at = ours, seconds

    def look(self, seconds: float) -> None:
        """Take note of an end: whether it is started again, and when."""
        if self.process is None or self.process.is_alive():
            return
        code = self.process.exitcode or 0
        self._forget_process()
        name = self._config.name
        if code in (0, BAD_INPUT):
            self.is_over, self.code = True, code
            if code == 0:
                log.info("%s is done", name)
            else:
                log.critical("%s stays down: a setting or an input is wrong, see its log", name)
            return
        if seconds - self._started_at >= _WELL_AFTER:
            self._backoff.reset()
        pause = self._backoff.next_pause()
        self._start_at = seconds + pause
        log.error("%s has ended (exit code %d): started anew in %.0f s", name, code, pause)

    def ask_to_end(self) -> None:
        if self._pipe is not None:
            self._pipe.close()

    def end(self, seconds: float) -> None:
        """Wait so many seconds for the end that was asked for, then kill."""
        if self.process is None:
            return
        self.process.join(seconds)
        if self.process.is_alive():
            log.error("%s does not end, and is killed", self._config.name)
            self.process.kill()
            self.process.join(_KILLED_WITHIN)
        self.is_over, self.code = True, self.process.exitcode or 0
        self._forget_process()

    def _forget_process(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        self.process = self._pipe = None


def work(pipe: Connection, config: Config, run: Run) -> None:
    """Run one connector as a process, until its end or its supervisor's."""
    # Ctrl-C reaches every process of a console; the supervisor decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    code = run(config, pipe)
    # A log that hangs in its console would keep the interpreter from ending.
    os._exit(code)


def end_with(pipe: Connection, stop: Callable[[], object]) -> None:
    """Call ``stop``, in a thread, once the supervisor closes the pipe or is gone."""

    def wait() -> None:
        with suppress(EOFError, OSError):
            pipe.recv_bytes()
        with suppress(RuntimeError):  # the loop has ended by itself
            stop()

    threading.Thread(target=wait, name="supervisor", daemon=True).start()
