"""A child process that cannot outlive the stack: its start, its end and its traces."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from goldtrader.stack.account import Account

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_LOGS_KEPT = 3


@dataclass(frozen=True, slots=True)
class Program:
    """What to start, as whom (None: as ourselves), and the signals that end it gently.

    `death_signal` is what it gets on Linux when the stack itself is killed.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] | None = None
    directory: Path | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGTERM


def start(program: Program, *, log: Path | None) -> subprocess.Popen[bytes]:
    """Start ``program`` in a session of its own, writing to ``log``; None is our own terminal.

    It is tied to the life of the calling THREAD, so start children from the main one.
    """
    parent = os.getpid()

    def die_with_parent() -> None:
        # Runs after the account is changed: changing it would clear the signal again.
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(program.death_signal), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    account = program.account
    with contextlib.ExitStack() as opened:
        output = None if log is None else opened.enter_context(log.open("ab"))
        return subprocess.Popen(
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            cwd=program.directory,
            env=None if program.environment is None else dict(program.environment),
            start_new_session=True,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
            preexec_fn=die_with_parent,
        )


def stop(
    running: subprocess.Popen[bytes],
    *,
    by: signal.Signals = signal.SIGTERM,
    grace_seconds: float = 8.0,
) -> None:
    """Ask one process to end; kill its whole group if it has not within the grace."""
    stop_all([(running, by)], grace_seconds=grace_seconds)


def stop_all(
    asked: Sequence[tuple[subprocess.Popen[bytes], signal.Signals]], *, grace_seconds: float
) -> None:
    """Ask each by its signal, all at once; kill the group of each that has not ended in time."""
    for running, by in asked:
        if running.poll() is None:
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
