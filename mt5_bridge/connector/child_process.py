"""One connector's process, as its supervisor sees it: started, watched, started again."""

import logging
import multiprocessing
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Final

from mt5_bridge.connector.backoff import Backoff
from mt5_bridge.connector.config import Config
from mt5_bridge.connector.streams_status import SupervisedConnector
from mt5_bridge.connector.supervised import Run, work

log = logging.getLogger("mt5_bridge")

BAD_INPUT: Final = 2
"""The exit code of a mistake in the settings, or of a spool that another process still has."""
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_PAUSE_OF_BAD_INPUT: Final = 300.0
# A connector that has run for so many seconds is well: its next trouble is another one.
_WELL_AFTER: Final = 300.0
# Without a sign of life; to check a large spool or file at the start takes some while.
_STUCK_AFTER: Final = 240.0
_KILLED_WITHIN: Final = 5.0


class ConnectorProcess:
    """`is_done` once it has ended as it should; `is_down` while it ended by a mistake of others.

    ``seconds`` are of a clock that never goes back.
    """

    def __init__(self, config: Config, run: Run) -> None:
        self.is_done = False
        self.is_down = False
        self._config = config
        self._run = run
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        self._started_at = self._start_at = self._beat_at = 0.0

    @property
    def state(self) -> SupervisedConnector:
        if self.is_done:
            text = "has ended"
        elif self.is_down:
            text = "is down: a setting or an input is wrong, its log says which"
        else:
            text = "is running" if self._process is not None else "is started anew"
        return SupervisedConnector(self._config.name, str(self._config.spool), text)

    @property
    def sentinels(self) -> Sequence[int]:
        """What becomes ready when the process ends."""
        return [] if self._process is None else [self._process.sentinel]

    def start_where_due(self, seconds: float) -> None:
        if self.is_done or self._process is not None or seconds < self._start_at:
            return
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(
            target=work, args=(theirs, self._config, self._run), name=self._config.name
        )
        self._process.start()
        # Its other end must be open in the child alone, and ours here: their closing is the word.
        theirs.close()
        self._pipe, self.is_down = ours, False
        self._started_at = self._beat_at = seconds

    def look(self, seconds: float) -> None:
        """Take note of an end, and kill what gives no sign of life."""
        if self._process is None:
            return
        if not self._process.is_alive():
            self._ended(self._process.exitcode or 0, seconds)
        elif self._has_beaten():
            self._beat_at = seconds
        elif seconds - self._beat_at > _STUCK_AFTER:
            log.error("%s gives no sign of life: it is killed", self._config.name)
            self._process.kill()

    def slept(self, seconds: float) -> None:
        """Count signs of life from now on: this process did not run for a while, either."""
        self._beat_at = seconds

    def ask_to_end(self) -> None:
        if self._pipe is not None:
            self._pipe.close()

    def end(self, seconds: float) -> None:
        """Wait so many seconds for the end that was asked for, then kill."""
        if self._process is not None:
            self._process.join(seconds)
            if self._process.is_alive():
                log.error("%s does not end, and is killed", self._config.name)
                self._process.kill()
                self._process.join(_KILLED_WITHIN)
            self._forget_process()
        self.is_done = True

    def _ended(self, code: int, seconds: float) -> None:
        self._forget_process()
        name = self._config.name
        if code == 0:
            self.is_done = True
            log.info("%s is done", name)
            return
        if code == BAD_INPUT:
            # Tried again all the same: the spool may be free then, or the disk writable.
            self.is_down, pause = True, _PAUSE_OF_BAD_INPUT
        else:
            if seconds - self._started_at >= _WELL_AFTER:
                self._backoff.reset()
            pause = self._backoff.next_pause()
        self._start_at = seconds + pause
        log.error("%s has ended (exit code %d): started anew in %.0f s", name, code, pause)

    def _has_beaten(self) -> bool:
        has_beaten = False
        with suppress(EOFError, OSError):
            while self._pipe is not None and self._pipe.poll():
                self._pipe.recv_bytes()
                has_beaten = True
        return has_beaten

    def _forget_process(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None
