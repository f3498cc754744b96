"""Ends a Celery worker that stands still, so that whoever keeps it up starts a fresh one.

A worker that lost its broker, or stops after an error, can wait for ever for one of its own forks:
it lives, and does nothing. No task of ours is hurt by a sudden end: the database undoes what it had
begun, and the next sweep finds it again.
"""

import os
from threading import Thread
from time import monotonic, sleep
from typing import Any

import psutil
import structlog
from celery import Celery, bootsteps, signals

log = structlog.get_logger(__name__)

#: A worker gives a sign of life every two seconds.
STILL_SECONDS = 30.0
#: How long a worker that ends may take over it: tasks in its forks are brief, but for trials, which
#: are tried again.
ENDING_SECONDS = 8.0


class Watchdog:
    """Ends this process and its children once its time is over, unless it gets more."""

    def __init__(self) -> None:
        self._deadline = monotonic()
        self._is_ending = False

    def start(self, *, seconds: float) -> None:
        """Watch from now on, in a thread of its own."""
        self._deadline = monotonic() + seconds
        Thread(target=self._watch, name="watchdog", daemon=True).start()

    def alive(self, *, seconds: float) -> None:
        """Give it so many seconds from now on, unless it is ending."""
        if not self._is_ending:
            self._deadline = monotonic() + seconds

    def end_within(self, *, seconds: float) -> None:
        """Let no sign of life give more time than this."""
        self._is_ending = True
        self._deadline = monotonic() + seconds

    def _watch(self) -> None:
        while (left := self._deadline - monotonic()) > 0:
            sleep(min(0.5, left))
        log.critical("worker_stands_still", ending=self._is_ending)
        for child in psutil.Process().children(recursive=True):
            child.kill()
        os._exit(1)


_watchdog = Watchdog()


class _BoundedEnd(bootsteps.StartStopStep):
    """The part of a worker that is told first when all of it is to stop."""

    def close(self, _worker: Any) -> None:
        _watchdog.end_within(seconds=ENDING_SECONDS)


def connect(app: Celery) -> None:
    """Let every worker of the app be watched from when it is ready."""
    app.steps["worker"].add(_BoundedEnd)
    signals.worker_ready.connect(_started)
    signals.heartbeat_sent.connect(_lives)


def _started(**_: Any) -> None:
    _watchdog.start(seconds=STILL_SECONDS)


def _lives(**_: Any) -> None:
    _watchdog.alive(seconds=STILL_SECONDS)
