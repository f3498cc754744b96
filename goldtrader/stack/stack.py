"""The life of one stack: check everything, start it in stages, keep it running, end all of it."""

import contextlib
import dataclasses
import os
import signal

from goldtrader.stack import disk, keys, ownership, privileges, settings_file, stores
from goldtrader.stack.checks import StackPlan, check, require_free_ports
from goldtrader.stack.data_dir import DataDir
from goldtrader.stack.draining import SentFeed
from goldtrader.stack.errors import StackError
from goldtrader.stack.options import StackOptions
from goldtrader.stack.processes import process, register
from goldtrader.stack.processes.process import ENDINGS
from goldtrader.stack.processes.supervisor import Supervisor
from goldtrader.stack.screen import Screen
from goldtrader.stack.startup import start
from goldtrader.stack.upkeep import keep_running

_GRACE_SECONDS = 6.0
_PORT_SECONDS = 5.0


def run(options: StackOptions, screen: Screen) -> int:
    """Run the stack until it is interrupted; returns the exit code, 2 with a reason on stderr."""
    for ending in ENDINGS:
        signal.signal(ending, _interrupt)
    try:
        plan = check(options)
        if not os.access(plan.data_dir.path, os.F_OK):
            # Before anything is written.
            require_free_ports(options)
        stays_root = privileges.leave_root(plan.data_dir.path)
        if stays_root is not None:
            screen.step(stays_root)
        ownership.require_own(plan.data_dir.path, uid=os.geteuid())
        plan.data_dir.prepare()
        ownership.close_to_others(plan.data_dir.path)
        with plan.data_dir.held(by="manage.py stack"):
            was_killed = _end_left_overs(plan.data_dir, screen)
            # The threads of a killed process may hold its sockets a moment longer than itself.
            require_free_ports(options, wait_seconds=_PORT_SECONDS if was_killed else 0.0)
            _run(plan, screen)
    except StackError as error:
        screen.refuse(str(error))
        if disk.is_full(options.data_dir):
            screen.refuse(f"The disk that holds {options.data_dir} is full.")
        return 2
    except OSError as error:
        screen.refuse(_reason(error))
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


def _reason(error: OSError) -> str:
    """A sentence on a file that could not be used, such as for lack of rights or of room."""
    if isinstance(error, PermissionError):
        return f"This account may not use {error.filename} ({error.strerror})."
    place = "" if error.filename is None else f" with {error.filename}"
    return f"The stack cannot go on{place}: {error.strerror or error}."


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _end_left_overs(data_dir: DataDir, screen: Screen) -> bool:
    """End what a killed stack left behind, which may still listen on the ports that we need."""
    left = register.end_left_overs(data_dir.children, data_dir.logs)
    if left:
        screen.step(f"Ended what a killed stack left behind: {', '.join(left)}")
    return bool(left)


def _run(plan: StackPlan, screen: Screen) -> None:
    """Start, keep running and end everything, in a data directory that nobody else holds."""
    data_dir = plan.data_dir
    supervisor = Supervisor(log_directory=data_dir.logs, register_file=data_dir.children)
    process.adopt_orphans()
    try:
        running = start(plan, supervisor, screen)
        screen.show(running)
        if running.password:
            _forget_password(data_dir)
        keep_running(supervisor, screen, until_done=_feed_to_finish(plan))
    finally:
        _end(data_dir, supervisor, screen)


def _feed_to_finish(plan: StackPlan) -> SentFeed | None:
    """The feed whose end, with all its work, is the stack's end; None where it has none."""
    if plan.feed is None or not plan.options.exit_when_done:
        return None
    return SentFeed(plan.feed.symbol, plan.data_dir.connector)


def _forget_password(data_dir: DataDir) -> None:
    """Delete the first login's password, which is shown once."""
    secrets = keys.load_or_generate(data_dir)
    # A disk that has just become full ends no stack; the password is shown once more then.
    with contextlib.suppress(OSError):
        keys.save(data_dir, dataclasses.replace(secrets, admin_password=""))


def _end(data_dir: DataDir, supervisor: Supervisor, screen: Screen) -> None:
    # A second Ctrl-C must not leave half of it running; what follows is bounded in time.
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    screen.step("Ending")
    others = [name for name in supervisor.names() if name not in stores.NAMES]
    for names in (others, stores.NAMES):
        supervisor.stop(names, grace_seconds=_GRACE_SECONDS)
    with contextlib.suppress(OSError):
        data_dir.children.unlink()
        settings_file.write_ended(data_dir, keys.load_or_generate(data_dir))
    screen.step("Everything has ended")
