"""Keeps the stack's processes up: starts, restarts with patience, ends all, leaves no orphan.

It is ours since no library both ties children to the life of their parent (PR_SET_PDEATHSIG) and
starts them in stages that wait for each other.
"""

import json
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from goldtrader.stack.processes import process
from goldtrader.stack.processes.process import Running, Startable

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
#: Who ran this long is well: his next fall is a first one again.
_WELL_AFTER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that ended by itself; `restarts_in` is None for one that is not to run again."""

    name: str
    exit_code: int
    restarts_in: float | None


@dataclass(slots=True)
class _Child:
    startable: Startable
    running: Running | None
    final_exits: frozenset[int]
    started_at: float
    pause_seconds: float = _FIRST_PAUSE_SECONDS
    restart_at: float | None = None


class Supervisor:
    """The children of one stack. Use it from the main thread only: children die with their thread.

    ``register`` is a file that names them, so that the next stack can end what is left of this one.
    """

    def __init__(self, *, logs: Path, register: Path) -> None:
        self._logs = logs
        self._register = register
        self._children: dict[str, _Child] = {}

    def log_of(self, name: str) -> Path:
        """Return where the child's output goes."""
        return self._logs / f"{name}.log"

    def start(self, startable: Startable, *, final_exits: frozenset[int] = frozenset()) -> None:
        """Start it with a fresh log, and again whenever it ends, but for ``final_exits``."""
        process.rotate(self.log_of(startable.name))
        running = startable.start(self.log_of(startable.name))
        self.adopt(startable, running, final_exits=final_exits)

    def adopt(
        self,
        startable: Startable,
        running: Running,
        *,
        final_exits: frozenset[int] = frozenset(),
    ) -> None:
        """Take over a process that somebody else started from ``startable``."""
        self._children[startable.name] = _Child(startable, running, final_exits, time.monotonic())
        self._write_register()

    def pid_of(self, name: str) -> int | None:
        """Return the process number of the child; None while it is down."""
        child = self._children.get(name)
        if child is None or child.running is None or child.running.poll() is not None:
            return None
        return child.running.pid

    def names(self) -> tuple[str, ...]:
        """Return all children in the order of their start."""
        return tuple(self._children)

    def check(self) -> list[Ended]:
        """Notice who ended, restart whose pause is over, and return those who ended just now."""
        now = time.monotonic()
        ended = []
        for child in self._children.values():
            if child.running is not None and child.running.poll() is not None:
                ended.append(self._note_end(child, now))
            elif child.running is None and child.restart_at is not None and now >= child.restart_at:
                child.running = child.startable.start(self.log_of(child.startable.name))
                child.started_at, child.restart_at = now, None
                self._write_register()
        return ended

    def stop(self, names: Iterable[str], *, grace_seconds: float) -> None:
        """Ask these to end all at once, and kill those that have not within the grace."""
        chosen = [self._children.pop(name) for name in names if name in self._children]
        process.stop_all(
            [(child.running, child.startable.stop_signal) for child in chosen if child.running],
            grace_seconds=grace_seconds,
        )
        self._write_register()

    def _note_end(self, child: _Child, now: float) -> Ended:
        assert child.running is not None
        # A pool may outlive its master, and would go on with work that the next one does too.
        process.kill_group(child.running.pid)
        exit_code = child.running.wait()
        child.running = None
        if exit_code in child.final_exits:
            return Ended(child.startable.name, exit_code, None)
        if now - child.started_at >= _WELL_AFTER_SECONDS:
            child.pause_seconds = _FIRST_PAUSE_SECONDS
        pause = child.pause_seconds
        child.restart_at = now + pause
        child.pause_seconds = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        return Ended(child.startable.name, exit_code, pause)

    def _write_register(self) -> None:
        entries = [
            {"name": name, "pid": child.running.pid, "born": _born(child.running.pid)}
            for name, child in self._children.items()
            if child.running is not None
        ]
        unfinished = self._register.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(entries))
        unfinished.replace(self._register)


def end_left_overs(register: Path, *, grace_seconds: float = 8.0) -> tuple[str, ...]:
    """End what a killed stack left running, and return the names of those that were.

    A process number that meanwhile belongs to another program is left alone.
    """
    try:
        entries = json.loads(register.read_text())
    except (OSError, ValueError):
        return ()
    left = [entry for entry in entries if _born(entry["pid"]) == entry["born"] is not None]
    for entry in left:
        is_postgres = entry["name"] == "postgres"
        os.kill(entry["pid"], signal.SIGINT if is_postgres else signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while time.monotonic() < deadline and any(_born(e["pid"]) == e["born"] for e in left):
        time.sleep(0.05)
    for entry in left:
        process.kill_group(entry["pid"])
    register.unlink()
    return tuple(entry["name"] for entry in left)


def _born(pid: int) -> float | None:
    """Return when the process was made; None if there is none, or only its remains."""
    try:
        found = psutil.Process(pid)
        if found.status() == psutil.STATUS_ZOMBIE:
            return None
        return found.create_time()
    except psutil.Error:
        return None
