"""Keeps the processes of several connectors running: one of a symbol's trouble is no other's."""

import signal
import time
from collections.abc import Sequence
from multiprocessing import connection as pipes
from pathlib import Path
from typing import Final

from mt5_bridge.connector.child_process import BAD_INPUT, ConnectorProcess
from mt5_bridge.connector.config import Config
from mt5_bridge.connector.streams_status import (
    WRITE_EVERY,
    SupervisedConnector,
    write_streams,
)
from mt5_bridge.connector.supervised import Run

_LOOK_EVERY: Final = 0.5
_ENDS_WITHIN: Final = 10.0
# A machine that slept wakes up with all of them: none of them was stuck.
_SLEPT_AFTER: Final = 10.0


class ConnectorSupervisor:
    """Runs each connector in a process of its own, and again where it ended unasked.

    One that ended by a mistake in its settings is tried again after minutes, and the others go on.
    """

    def __init__(self, streams: Sequence[Config], directory: Path, run: Run) -> None:
        """``directory`` is where `status` finds them. ``run`` is imported by each process."""
        self._children = [ConnectorProcess(config, run) for config in streams]
        self._directory = directory
        self._is_stopping = False
        self._looked_at = time.monotonic()
        self._written: list[SupervisedConnector] = []
        self._written_at = 0.0

    def stop(self) -> None:
        """Let all of them end cleanly, as soon as possible."""
        self._is_stopping = True

    def run(self) -> int:
        """Keep them running until `stop`, or until none is left that may run: the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stop())
        code = 0
        try:
            while not self._is_stopping and not self._is_over:
                for child in self._children:
                    child.start_where_due(time.monotonic())
                self._write_states()
                self._wait()
                self._look()
            if self._is_over and any(child.is_down for child in self._children):
                code = BAD_INPUT
            self._write_states()
        finally:
            self._end()
        return 0 if self._is_stopping else code

    @property
    def _is_over(self) -> bool:
        return all(child.is_done or child.is_down for child in self._children)

    def _wait(self) -> None:
        running = [sentinel for child in self._children for sentinel in child.sentinels]
        if running:
            pipes.wait(running, timeout=_LOOK_EVERY)
        else:
            time.sleep(_LOOK_EVERY)

    def _look(self) -> None:
        seconds = time.monotonic()
        for child in self._children:
            if seconds - self._looked_at > _SLEPT_AFTER:
                child.slept(seconds)
            child.look(seconds)
        self._looked_at = seconds

    def _end(self) -> None:
        for child in self._children:
            child.ask_to_end()
        until = time.monotonic() + _ENDS_WITHIN
        for child in self._children:
            child.end(max(until - time.monotonic(), 0.0))
        if self._is_stopping:
            self._write_states()

    def _write_states(self) -> None:
        states, seconds = [child.state for child in self._children], time.monotonic()
        if states != self._written or seconds - self._written_at >= WRITE_EVERY:
            write_streams(self._directory, states)
            self._written, self._written_at = states, seconds
