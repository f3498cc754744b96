"""A child process that cannot outlive the stack: its start, its end and its traces."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from goldtrader.stack.account import Account

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_LOGS_KEPT = 3


def start(
    command: Iterable[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    account: Account | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start ``command`` in a session of its own, writing to ``log``.

    On Linux it gets ``death_signal`` when the calling THREAD ends, so start children from the
    main thread. ``account`` is the one to become; None stays who we are.
    """
    parent = os.getpid()

    def die_with_parent() -> None:
        # Runs after the account is changed: changing it would clear the signal again.
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    with log.open("ab") as output:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env=None if environment is None else dict(environment),
            start_new_session=True,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
            preexec_fn=die_with_parent,
        )


def stop(
    process: subprocess.Popen[bytes],
    *,
    by: signal.Signals = signal.SIGTERM,
    grace_seconds: float = 8.0,
) -> None:
    """Ask ``process`` to end; kill its whole group if it has not within the grace."""
    stop_all([process], by=by, grace_seconds=grace_seconds)


def stop_all(
    processes: Iterable[subprocess.Popen[bytes]],
    *,
    by: signal.Signals = signal.SIGTERM,
    grace_seconds: float = 8.0,
) -> None:
    """Ask all to end at once; kill the group of each that has not within the grace."""
    asked = list(processes)
    for process in asked:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(by)
    deadline = time.monotonic() + grace_seconds
    for process in asked:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
    for process in asked:
        # Also after a good end: a pool may have left a child behind.
        kill_group(process.pid)
        process.wait()


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
