"""A child process that cannot outlive the stack, and how it is ended."""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from goldtrader.stack.account import Account

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_PLAIN = frozenset({"PATH", "HOME", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT"})
_PLAIN_PREFIXES = ("LC_", "LD_", "DYLD_", "PYTHON", "COVERAGE_")
_AUTOGROUP_TRIES = 20
#: Seconds in which a child ends gently before it is killed.
GRACE_SECONDS = 8.0
#: The signals that ask a process to end.
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def stand_back(niceness: int) -> None:
    """Let other processes have the processor first, by 0 to 19.

    Where the kernel groups processes by session, which most distributions do, niceness counts
    within the session alone, and the group has one of its own.
    """
    os.nice(niceness)
    group = Path("/proc/self/autogroup")
    for _ in range(_AUTOGROUP_TRIES):
        try:
            group.write_text(str(niceness))
        except BlockingIOError:
            # The kernel takes one such change in a tenth of a second.
            time.sleep(0.1)
        except OSError:
            # There are no groups: then niceness counts everywhere.
            return
        else:
            return


class Running(Protocol):
    """A child, as `subprocess.Popen` shows it."""

    @property
    def pid(self) -> int:
        """Its process number, also of its group."""

    def poll(self) -> int | None:
        """The exit code; None while it runs. A negative one is the signal that ended it."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and give the exit code; raises `subprocess.TimeoutExpired`."""

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
    """A program of its own, and as whom it runs (None: as ourselves).

    It gets `environment` and, of ours, what every program may know: no secret of another part. Its
    account could read it, and so could anybody who is that account. `death_signal` is what it gets
    on Linux when the stack itself is killed.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGTERM

    def start(self, log: Path | None) -> Running:
        parent = os.getpid()
        account = self.account
        with contextlib.ExitStack() as opened:
            output = None if log is None else opened.enter_context(log.open("ab"))
            running = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=None if output is None else subprocess.STDOUT,
                cwd=self.directory,
                env=_plain_environment() | dict(self.environment),
                start_new_session=True,
                user=None if account is None else account.uid,
                group=None if account is None else account.gid,
                extra_groups=None if account is None else [],
                # Runs after the account is changed: changing it would clear the signal again.
                preexec_fn=lambda: die_with(parent, self.death_signal),
            )
        note_started(running.pid)
        return running


def _plain_environment() -> dict[str, str]:
    """What of our environment concerns every program: where things are, languages, clocks."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _PLAIN or name.startswith(_PLAIN_PREFIXES)
    }


def stop(
    running: Running, *, by: signal.Signals = signal.SIGTERM, grace_seconds: float = GRACE_SECONDS
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
        # A fork that hangs before it leads a group is in ours, and would be waited for without end.
        running.send_signal(signal.SIGKILL)
        running.wait()
        forget(running.pid)


def adopt_orphans() -> None:
    """Become the parent of what our children's children leave behind (Linux only).

    In a container, where the stack is process 1, the kernel makes it that anyway.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans() -> None:
    """Take the exit codes of ended processes that became our children, which nobody waits for."""
    if not hasattr(os, "waitid"):
        return
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        # Our own children are asked for their exit codes by whoever started them.
        if ended is None or ended.si_pid in _ours:
            return
        os.waitpid(ended.si_pid, os.WNOHANG)


def note_started(pid: int) -> None:
    """Take note of a child of ours: `reap_orphans` leaves its exit code to who started it."""
    _ours.add(pid)


def forget(pid: int) -> None:
    """Take note that the exit code of a child of ours was taken."""
    _ours.discard(pid)


#: The children that we started ourselves and whose exit codes were not taken yet.
_ours: set[int] = set()


def kill_group(pid: int) -> None:
    """Kill what is left of the process group that ``pid`` leads."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def listens(pid: int | None, port: int) -> bool:
    """Whether this very process listens on a TCP port; not where it is down or another's."""
    if pid is None:
        return False
    try:
        sockets = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return False
    return any(
        each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port
        for each in sockets
    )


def die_with(parent: int, death_signal: signal.Signals) -> None:
    """Let the kernel send this process ``death_signal`` when its parent dies (Linux only).

    Ends this process at once where the parent is dead already.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def kill_own_group_after(parent: int, *, grace_seconds: float = GRACE_SECONDS) -> None:
    """Kill this process and its group once its parent is dead for so long (Linux only).

    The signal that comes with the parent's death only asks, and nobody is left to insist: Flower
    with a broker that is gone joins threads which try to reach it for minutes. A thread of its own
    waits, so call this in a process that leads its group and has no other threads to disturb.
    """
    if sys.platform != "linux":
        return
    try:
        watched = os.pidfd_open(parent)
    except ProcessLookupError:
        os._exit(1)
    death = select.poll()
    death.register(watched, select.POLLIN)

    def insist() -> None:
        death.poll()
        time.sleep(grace_seconds)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=insist, name="kill-after-parent", daemon=True).start()
