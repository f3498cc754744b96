"""Keeps a stack running until it is interrupted, its connector refuses, or its feed is done."""

import contextlib
import os
import time
from pathlib import Path

from goldtrader.stack.draining import Drained, SentFeed, drain
from goldtrader.stack.errors import StackError
from goldtrader.stack.processes import logs
from goldtrader.stack.processes.children import CONNECTOR_REFUSES
from goldtrader.stack.processes.supervisor import ChildExit, Supervisor
from goldtrader.stack.screen import Screen

#: How often the connector sends again what Redis has lost before that is called hopeless.
_MOST_RETURNS = 20
_SWEEP_SECONDS = 60.0


def keep_running(supervisor: Supervisor, screen: Screen, *, until_done: SentFeed | None) -> None:
    """Restart children that end; returns when the feed ``until_done`` and its work are done.

    None is for a feed after which everything stays up. Raises `StackError` when the connector
    refuses to go on, such as for a bad tick in its file, and when its work cannot be finished.
    """
    returns = 0
    unwritten: str | None = None
    swept_at = time.monotonic()
    while True:
        exits = supervisor.check()
        if time.monotonic() - swept_at >= _SWEEP_SECONDS:
            swept_at = time.monotonic()
            forget_ended_processes()
        if supervisor.unwritten != unwritten:
            unwritten = supervisor.unwritten
            screen.note(
                f"{unwritten}; the stack goes on without, and heals when there is room."
                if unwritten
                else "The disk is well again."
            )
        for ended in exits:
            if ended.restarts_in is not None:
                screen.note(_restart_note(ended, supervisor))
                continue
            if ended.exit_code == CONNECTOR_REFUSES:
                log = supervisor.log_of(ended.name)
                raise StackError(logs.tail(log, 1) or f"The connector failed; see {log}.")
            if until_done is None:
                screen.note("The feed has ended; everything else stays up.")
                continue
            if drain(supervisor, screen, until_done) is Drained.DONE:
                return
            returns += 1
            _send_again(ended.name, supervisor, screen, returns)
        time.sleep(0.2)


def forget_ended_processes() -> None:
    """Add up the metrics of processes that have ended, also where nobody asks for metrics."""
    # Here: Prometheus' client looks for the directory when it is imported, which the start names.
    from goldtrader import metrics_files

    directory = Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""))
    with contextlib.suppress(OSError):
        if directory.name:
            metrics_files.forget_ended(directory)


def _send_again(name: str, supervisor: Supervisor, screen: Screen, returns: int) -> None:
    if returns > _MOST_RETURNS:
        raise StackError(
            f"Redis does not keep the feed: its ticks were missing {returns} times after the "
            "connector had sent them. What follows from them is not done."
        )
    screen.note("Redis has lost ticks of the feed; the connector sends them again.")
    supervisor.start_again(name)


def _restart_note(ended: ChildExit, supervisor: Supervisor) -> str:
    return (
        f"{ended.name} ended with exit code {ended.exit_code}; "
        f"it starts again in {ended.restarts_in:.0f} s. Log: {supervisor.log_of(ended.name)}"
    )
