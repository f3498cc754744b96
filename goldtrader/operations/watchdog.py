"""Kills a hung Celery worker so that its supervisor restarts it.

A worker that lost its broker, or stops after an error, can wait for ever for one of its own forks.
Killing it harms no task: the database rolls back what it had begun, and the next sweep finds the
work again.
"""

import os
from threading import Thread
from time import monotonic, sleep
from typing import Any

import psutil
import structlog
from celery import Celery, bootsteps, signals

log = structlog.get_logger(__name__)

#: A worker sends a heartbeat every two seconds.
HUNG_AFTER_SECONDS = 30.0
#: How long a worker may take to shut down: tasks in its forks are brief, except trials, which are
#: retried.
ENDING_SECONDS = 8.0


class Watchdog:
    """Kills this process and its children at a deadline, which each heartbeat moves on."""

    def __init__(self) -> None:
        self._deadline = monotonic()
        self._is_ending = False

    def start(self, *, seconds: float) -> None:
        """Watch from now on, in a thread of its own; the first deadline is ``seconds`` away."""
        self._deadline = monotonic() + seconds
        Thread(target=self._watch, name="watchdog", daemon=True).start()

    def extend(self, *, seconds: float) -> None:
        """Move the deadline to ``seconds`` from now, unless the process is shutting down."""
        if not self._is_ending:
            self._deadline = monotonic() + seconds

    def end_within(self, *, seconds: float) -> None:
        """Set a last deadline, which no heartbeat moves."""
        self._is_ending = True
        self._deadline = monotonic() + seconds

    def _watch(self) -> None:
        while (left := self._deadline - monotonic()) > 0:
            sleep(min(0.5, left))
        log.critical("worker_hung", ending=self._is_ending)
        for child in psutil.Process().children(recursive=True):
            child.kill()
        os._exit(1)


_watchdog = Watchdog()


class _BoundedShutdown(bootsteps.StartStopStep):
    """The worker component whose `close` Celery calls first on shutdown."""

    def close(self, _worker: Any) -> None:
        _watchdog.end_within(seconds=ENDING_SECONDS)


def connect(app: Celery) -> None:
    """Watch every worker of the app once it is ready."""
    app.steps["worker"].add(_BoundedShutdown)
    signals.worker_ready.connect(_on_ready)
    signals.heartbeat_sent.connect(_on_heartbeat)


def _on_ready(**_: Any) -> None:
    _watchdog.start(seconds=HUNG_AFTER_SECONDS)


def _on_heartbeat(**_: Any) -> None:
    _watchdog.extend(seconds=HUNG_AFTER_SECONDS)
