"""The file that names a stack's processes, so that the next stack can end those of a killed one."""

import json
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from goldtrader.stack.processes import process


def write(register: Path, pids: Mapping[str, int]) -> None:
    """Write the processes by their names, whole or not at all."""
    entries = [{"name": name, "pid": pid, "born": _born(pid)} for name, pid in pids.items()]
    unfinished = register.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(entries))
    unfinished.replace(register)


def end_left_overs(
    register: Path, *, grace_seconds: float = process.GRACE_SECONDS
) -> tuple[str, ...]:
    """End what a killed stack left running; returns the names of those processes.

    A process number that meanwhile belongs to another program is left alone.
    """
    try:
        entries = json.loads(register.read_text())
    except (OSError, ValueError):
        return ()
    left = [entry for entry in entries if _born(entry["pid"]) == entry["born"] is not None]
    for entry in left:
        is_postgres = entry["name"] == "postgres"
        os.kill(entry["pid"], signal.SIGINT if is_postgres else signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while time.monotonic() < deadline and any(_born(e["pid"]) == e["born"] for e in left):
        time.sleep(0.05)
    for entry in left:
        process.kill_group(entry["pid"])
    register.unlink()
    return tuple(entry["name"] for entry in left)


def _born(pid: int) -> float | None:
    """When the process was created; None if it is gone or a zombie."""
    try:
        found = psutil.Process(pid)
        if found.status() == psutil.STATUS_ZOMBIE:
            return None
        return found.create_time()
    except psutil.Error:
        return None
