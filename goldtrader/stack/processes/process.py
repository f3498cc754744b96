"""A child that cannot outlive the stack, be it a program or a fork of ourselves."""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Protocol

from goldtrader.stack.account import Account

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_FORK = multiprocessing.get_context("fork")
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOGS_KEPT = 3


class Running(Protocol):
    """A child, as `subprocess.Popen` shows it."""

    @property
    def pid(self) -> int:
        """Its process number, also of its group."""

    def poll(self) -> int | None:
        """Return the exit code; None while it runs. A negative one is the signal that ended it."""

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code when it has ended; raises `subprocess.TimeoutExpired`."""

    def send_signal(self, sig: int) -> None:
        """Send it a signal, unless it has ended."""


class Startable(Protocol):
    """What the supervisor keeps up."""

    @property
    def name(self) -> str:
        """What people call it; also the name of its log."""

    @property
    def stop_signal(self) -> signal.Signals:
        """The signal that ends it gently."""

    def start(self, log: Path | None) -> Running:
        """Start it in a session of its own, writing to ``log``; None is our own terminal.

        It is tied to the life of the calling THREAD, so start children from the main one.
        """


@dataclass(frozen=True, slots=True)
class Program:
    """A program of its own, as whom (None: as ourselves) and with which environment (None: ours).

    `death_signal` is what it gets on Linux when the stack itself is killed.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] | None = None
    directory: Path | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGTERM

    def start(self, log: Path | None) -> Running:
        """See `Startable`."""
        parent = os.getpid()
        account = self.account
        with contextlib.ExitStack() as opened:
            output = None if log is None else opened.enter_context(log.open("ab"))
            return subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=None if output is None else subprocess.STDOUT,
                cwd=self.directory,
                env=None if self.environment is None else dict(self.environment),
                start_new_session=True,
                user=None if account is None else account.uid,
                group=None if account is None else account.gid,
                extra_groups=None if account is None else [],
                # Runs after the account is changed: changing it would clear the signal again.
                preexec_fn=lambda: _die_with(parent, self.death_signal),
            )


@dataclass(frozen=True, slots=True)
class Role:
    """A part of our own code in a process of its own: a fork, which has all modules loaded.

    Loading Django takes longer than all else of a start, so the stack does it once for all roles.
    """

    name: str
    play: Callable[[], object]
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGTERM

    def start(self, log: Path | None) -> Running:
        """See `Startable`."""
        sys.stdout.flush()
        sys.stderr.flush()
        fork = _FORK.Process(target=self._begin, args=(os.getpid(), log), name=self.name)
        # Until the child has let go of our handlers, a signal would make it end the whole stack.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
        try:
            fork.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)
        return _Forked(fork)

    def _begin(self, parent: int, log: Path | None) -> None:
        os.setsid()
        _die_with(parent, self.death_signal)
        for ending in _ENDINGS:
            signal.signal(ending, signal.SIG_DFL)
        if log is not None:
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            os.dup2(output, sys.stdout.fileno())
            os.dup2(output, sys.stderr.fileno())
            os.close(output)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(line_buffering=True)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)
        self.play()


class _Forked:
    """A forked child in the form of `subprocess.Popen`."""

    def __init__(self, fork: ForkProcess) -> None:
        self._fork = fork
        assert fork.pid is not None
        self.pid = fork.pid

    def poll(self) -> int | None:
        return self._fork.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._fork.join(timeout)
        if self._fork.exitcode is None:
            raise subprocess.TimeoutExpired(self._fork.name, timeout or 0.0)
        return self._fork.exitcode

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)


def stop(
    running: Running, *, by: signal.Signals = signal.SIGTERM, grace_seconds: float = 8.0
) -> None:
    """Ask one process to end; kill its whole group if it has not within the grace."""
    stop_all([(running, by)], grace_seconds=grace_seconds)


def stop_all(asked: Sequence[tuple[Running, signal.Signals]], *, grace_seconds: float) -> None:
    """Ask each by its signal, all at once; kill the group of each that has not ended in time."""
    for running, by in asked:
        running.send_signal(by)
    deadline = time.monotonic() + grace_seconds
    for running, _ in asked:
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(max(0.0, deadline - time.monotonic()))
    for running, _ in asked:
        # Also after a good end: a pool may have left a child behind.
        kill_group(running.pid)
        running.wait()


def kill_group(pid: int) -> None:
    """Kill what is left of the process group that ``pid`` leads."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def rotate(log: Path) -> None:
    """Move the log of the last run aside, and those before it one further; forget the oldest."""
    for number in range(_LOGS_KEPT, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        newer = log if number == 1 else log.with_name(f"{log.name}.{number - 1}")
        if newer.exists():
            newer.replace(older)


def tail(log: Path, lines: int = 5) -> str:
    """Return the last lines of ``log``, to be shown with a failure; empty without a log."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.strip().splitlines()[-lines:])


def _die_with(parent: int, death_signal: signal.Signals) -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
