"""Keeps the stack's processes running: starts them, restarts them after a pause, ends them.

It is ours since no library both ties children to the life of their parent (PR_SET_PDEATHSIG) and
starts them in stages that wait for each other.
"""

import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from goldtrader.stack import disk
from goldtrader.stack.processes import logs, process, register
from goldtrader.stack.processes.process import Running, Startable

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
#: After running this long, a child that ends is restarted after the shortest pause again.
_STABLE_AFTER_SECONDS = 60.0
_LOOK_AT_DISKS_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ChildExit:
    """A process that ended by itself; `restarts_in` is seconds, None if it is not started again."""

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

    ``register_file`` names them, so that the next stack can end what is left of this one.
    """

    def __init__(self, *, log_directory: Path, register_file: Path) -> None:
        self._logs = log_directory
        self._register = register_file
        self._children: dict[str, _Child] = {}
        self._failing: dict[str, str] = {}
        self._disks = [log_directory]
        self._disks_looked_at = 0.0

    @property
    def unwritten(self) -> str | None:
        """What cannot be written to disk now and why, such as a full one; None where all can."""
        return next(iter(self._failing.values()), None)

    def watch_disk(self, path: Path) -> None:
        """Say so, too, when the disk that holds this path is full."""
        self._disks.append(path)

    def log_of(self, name: str) -> Path:
        """The log file of a child, whether it was started or not."""
        return self._logs / f"{name}.log"

    def start(self, startable: Startable, *, final_exits: frozenset[int] = frozenset()) -> None:
        """Start it with a new log, and again whenever it ends by a code not in ``final_exits``."""
        logs.rotate(self.log_of(startable.name))
        running = startable.start(self.log_of(startable.name))
        self.adopt(startable, running, final_exits=final_exits)

    def adopt(
        self,
        startable: Startable,
        running: Running,
        *,
        final_exits: frozenset[int] = frozenset(),
    ) -> None:
        """Supervise a process that was started from ``startable`` elsewhere."""
        self._children[startable.name] = _Child(startable, running, final_exits, time.monotonic())
        self._write_register()

    def pid_of(self, name: str) -> int | None:
        """The process number of the child; None while it is down."""
        child = self._children.get(name)
        if child is None or child.running is None or child.running.poll() is not None:
            return None
        return child.running.pid

    def names(self) -> tuple[str, ...]:
        """All children in the order of their start."""
        return tuple(self._children)

    def running(self) -> Iterator[tuple[str, int]]:
        """Yield name and process number of each child that is up, in the order of their start."""
        for name in self._children:
            if (pid := self.pid_of(name)) is not None:
                yield name, pid

    def check(self) -> list[ChildExit]:
        """Restart those whose pause is over; returns those that ended since the last call."""
        now = time.monotonic()
        process.reap_orphans()
        if self._register.name in self._failing:
            self._write_register()
        if now - self._disks_looked_at >= _LOOK_AT_DISKS_SECONDS:
            self._disks_looked_at = now
            self._look_at_disks()
        ended = []
        for child in self._children.values():
            if child.running is not None and child.running.poll() is not None:
                ended.append(self._note_end(child, now))
            elif child.running is None and child.restart_at is not None and now >= child.restart_at:
                self._restart(child, now)
        return ended

    def start_again(self, name: str) -> None:
        """Start a child that has ended for good, at the next `check`."""
        self._children[name].restart_at = time.monotonic()

    def stop(self, names: Iterable[str], *, grace_seconds: float) -> None:
        """Ask these to end all at once, and kill those that have not within the grace."""
        chosen = [self._children.pop(name) for name in names if name in self._children]
        process.stop_all(
            [(child.running, child.startable.stop_signal) for child in chosen if child.running],
            grace_seconds=grace_seconds,
        )
        self._write_register()

    def _restart(self, child: _Child, now: float) -> None:
        try:
            child.running = child.startable.start(self.log_of(child.startable.name))
        except OSError as error:
            # No room for its log, no process left to be had: it may be there after the next pause.
            name = child.startable.name
            self._failing[name] = f"{name} cannot be started ({_reason(error)})"
            child.restart_at = now + child.pause_seconds
            return
        self._failing.pop(child.startable.name, None)
        child.started_at, child.restart_at = now, None
        self._write_register()

    def _note_end(self, child: _Child, now: float) -> ChildExit:
        assert child.running is not None
        # A pool may outlive its master, and would go on with work that the next one does too.
        process.kill_group(child.running.pid)
        exit_code = child.running.wait()
        process.forget(child.running.pid)
        child.running = None
        if exit_code in child.final_exits:
            return ChildExit(child.startable.name, exit_code, None)
        if now - child.started_at >= _STABLE_AFTER_SECONDS:
            child.pause_seconds = _FIRST_PAUSE_SECONDS
        pause = child.pause_seconds
        child.restart_at = now + pause
        child.pause_seconds = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        return ChildExit(child.startable.name, exit_code, pause)

    def _write_register(self) -> None:
        running = {name: child.running for name, child in self._children.items()}
        pids = {name: each.pid for name, each in running.items() if each is not None}
        with self._noting(self._register):
            # Without it the stack goes on; only a kill of it could leave something behind.
            register.write(self._register, pids)

    def _look_at_disks(self) -> None:
        for path in self._disks:
            if disk.is_full(path):
                self._failing[f"disk of {path}"] = f"The disk that holds {path} is full"
            else:
                self._failing.pop(f"disk of {path}", None)
        with self._noting(self._logs):
            logs.keep_small(self._logs, logs.MOST_BYTES)

    @contextlib.contextmanager
    def _noting(self, path: Path) -> Iterator[None]:
        """Note that a path cannot be written, or can again, and go on."""
        try:
            yield
        except OSError as error:
            self._failing[path.name] = f"{path} cannot be written ({_reason(error)})"
        else:
            self._failing.pop(path.name, None)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
