"""Waits until everything that the feed brought is stored, decided and sent."""

import sys
import time

from goldtrader.stack.errors import StackError
from goldtrader.stack.processes import process
from goldtrader.stack.processes.fork import Fork
from goldtrader.stack.processes.supervisor import Supervisor
from goldtrader.stack.screen import Screen


def drain(supervisor: Supervisor, screen: Screen) -> None:
    """Return once no work is left, keeping the children running meanwhile."""
    screen.note("The feed has ended; the pipeline finishes its work.")
    # In a fork: its connections must not be shared with children that are started again.
    waiting = Fork("drain", _wait_until_drained).start(log=None)
    try:
        while waiting.poll() is None:
            for ended in supervisor.check():
                screen.note(f"{ended.name} ended with exit code {ended.exit_code}.")
            time.sleep(0.1)
    finally:
        process.stop(waiting, grace_seconds=2.0)
    if waiting.wait() != 0:
        raise StackError("What is left to do could not be found out; see above.")
    screen.note("All work is done.")


def _wait_until_drained() -> None:
    """Return once no work is left; prints what is left whenever that changes."""
    from goldtrader.operations.drain import is_drained

    printed = ""
    while True:
        is_done, left = is_drained()
        if is_done:
            return
        if left != printed:
            sys.stdout.write(f"          {left}\n")
            printed = left
        time.sleep(0.25)
