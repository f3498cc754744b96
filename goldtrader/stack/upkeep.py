"""Keeps a stack running until it is interrupted, its connector refuses, or its feed is done."""

import time

from goldtrader.stack.draining import drain
from goldtrader.stack.errors import StackError
from goldtrader.stack.processes import logs
from goldtrader.stack.processes.children import CONNECTOR_REFUSES
from goldtrader.stack.processes.supervisor import ChildExit, Supervisor
from goldtrader.stack.screen import Screen


def keep_running(supervisor: Supervisor, screen: Screen, *, exit_when_done: bool) -> None:
    """Restart children that end; returns when the feed is done and its work too, if so wanted.

    Raises `StackError` when the connector refuses to go on, such as for a bad tick in its file.
    """
    while True:
        for ended in supervisor.check():
            if ended.restarts_in is not None:
                screen.note(_restart_note(ended, supervisor))
                continue
            if ended.exit_code == CONNECTOR_REFUSES:
                log = supervisor.log_of(ended.name)
                raise StackError(logs.tail(log, 1) or f"The connector failed; see {log}.")
            if exit_when_done:
                drain(supervisor, screen)
                return
            screen.note("The feed has ended; everything else stays up.")
        time.sleep(0.2)


def _restart_note(ended: ChildExit, supervisor: Supervisor) -> str:
    return (
        f"{ended.name} ended with exit code {ended.exit_code}; "
        f"it starts again in {ended.restarts_in:.0f} s. Log: {supervisor.log_of(ended.name)}"
    )
