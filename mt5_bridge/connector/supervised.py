"""A connector's side of its supervision: it ends with its supervisor, and says that it lives."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Final, TypeAlias

from mt5_bridge.connector.config import Config

Run: TypeAlias = Callable[[Config, Connection], int]
"""Runs a connector until it ends, or until the other end of the pipe is closed: its exit code."""

BEAT_EVERY: Final = 5.0
"""Seconds from one sign of life to the next."""


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


async def beat(pipe: Connection) -> None:
    """Give the supervisor a sign of life, again and again, for as long as the loop turns."""
    while True:
        with suppress(OSError):
            pipe.send_bytes(b".")
        await asyncio.sleep(BEAT_EVERY)
