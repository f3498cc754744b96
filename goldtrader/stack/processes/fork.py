"""Runs a function of ours as a child process, by forking."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import ForkProcess
from pathlib import Path

from goldtrader.stack.errors import StackError
from goldtrader.stack.processes import logs, process
from goldtrader.stack.processes.process import ENDINGS, Running, die_with

_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND
_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Fork:
    """A function of ours in a process of its own, which has all modules loaded already.

    Loading Django takes longer than all else of a start, so the stack does it once for all forks.
    """

    name: str
    work: Callable[[], object]
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGTERM
    #: 0 to 19: how far it stands back when others want the processor too.
    niceness: int = 0

    def start(self, log: Path | None) -> Running:
        sys.stdout.flush()
        sys.stderr.flush()
        # Here: where there is no room for a log, it is the stack that must hear of it.
        output = None if log is None else os.open(log, _APPEND, 0o600)
        fork = _FORK.Process(target=self._begin, args=(os.getpid(), output), name=self.name)
        # Until the child has let go of our handlers, a signal would make it end the whole stack.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
        try:
            fork.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
            if output is not None:
                os.close(output)
        running = _RunningFork(fork)
        process.note_started(running.pid)
        return running

    def _begin(self, parent: int, output: int | None) -> None:
        os.setsid()
        if self.niceness:
            process.stand_back(self.niceness)
        die_with(parent, self.death_signal)
        for ending in ENDINGS:
            signal.signal(ending, signal.SIG_DFL)
        if output is not None:
            os.dup2(output, sys.stdout.fileno())
            os.dup2(output, sys.stderr.fileno())
            os.close(output)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(line_buffering=True)
        process.kill_own_group_after(parent)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
        self.work()


class _RunningFork:
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


def run_to_end(name: str, work: Callable[[], object], *, log: Path) -> None:
    """Run ``work`` in a fork, so that no connection of it stays with us, and wait for its end.

    Raises `StackError` with the end of its log if it fails.
    """
    logs.rotate(log)
    running = Fork(name, work).start(log)
    try:
        exit_code = running.wait()
    finally:
        process.stop(running)
    if exit_code != 0:
        raise StackError(f"{name} failed; the log {log} ends:\n{logs.tail(log)}")
