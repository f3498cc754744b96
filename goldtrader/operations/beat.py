"""An end of Celery's beat that cannot hang."""

import signal
from typing import Any

from celery import signals

from goldtrader.operations.watchdog import Watchdog

#: Seconds that saving the timetable may take at the end.
ENDING_SECONDS = 5.0

_watchdog = Watchdog()


def connect() -> None:
    """Let beat end on its main path, and within seconds."""
    signals.beat_init.connect(_end_on_main_path)


def _end_on_main_path(**_: Any) -> None:
    # Celery saves the timetable in its signal handler, and waits for ever where the signal came
    # while the database driver held its lock. Unwound to its loop, it saves it there.
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, _end)


def _end(*_: object) -> None:
    _watchdog.start(seconds=ENDING_SECONDS)
    raise SystemExit(0)
