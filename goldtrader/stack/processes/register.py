"""What a killed stack left running, so that the next stack can end it.

Two things name it: the file in which a stack notes its processes, and the log files that all its
processes write to, the forks of its children and the ones that it had no time to note too.
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from goldtrader.stack.data_dir import write_whole
from goldtrader.stack.processes import process

_OUTPUTS = (1, 2)


def write(register: Path, pids: Mapping[str, int]) -> None:
    """Write the processes by their names, whole or not at all."""
    entries = [{"name": name, "pid": pid, "born": _born(pid)} for name, pid in pids.items()]
    write_whole(register, json.dumps(entries).encode())


def end_left_overs(
    register: Path, logs: Path | None = None, *, grace_seconds: float = process.GRACE_SECONDS
) -> tuple[str, ...]:
    """End what a killed stack left running; returns the names of those processes.

    Call it while you hold the data directory: no other stack's processes can then be meant. A
    process number that meanwhile belongs to another program is left alone.
    """
    left = {each.pid: each for each in (*_noted(register), *_writing_to(logs))}
    for each in left.values():
        # The forks of a child end with it, and PostgreSQL's sessions with their server.
        if each.parent not in left:
            each.ask_to_end()
    deadline = time.monotonic() + grace_seconds
    while time.monotonic() < deadline and any(each.lives() for each in left.values()):
        time.sleep(0.05)
    # Also those that were forked meanwhile.
    for each in (*left.values(), *_writing_to(logs)):
        each.kill()
    register.unlink(missing_ok=True)
    return tuple(dict.fromkeys(each.name for each in left.values()))


@dataclass(frozen=True, slots=True)
class _LeftOver:
    """A process, told from a later one of the same number by the moment it was created."""

    name: str
    pid: int
    born: float
    parent: int

    def lives(self) -> bool:
        return _born(self.pid) == self.born

    def ask_to_end(self) -> None:
        # PostgreSQL's fast shutdown; SIGTERM would wait for every session to leave.
        by = signal.SIGINT if self.name == "postgres" else signal.SIGTERM
        if self.lives():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, by)

    def kill(self) -> None:
        if self.lives():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, signal.SIGKILL)
        deadline = time.monotonic() + 2.0
        while self.lives() and time.monotonic() < deadline:
            time.sleep(0.01)


def _noted(register: Path) -> list[_LeftOver]:
    """The processes of the file that still run; none where there is no readable file."""
    try:
        entries = json.loads(register.read_text())
        noted = [(str(e["name"]), int(e["pid"]), float(e["born"])) for e in entries if e["born"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [_LeftOver(*each, _parent(each[1])) for each in noted if _born(each[1]) == each[2]]


def _writing_to(logs: Path | None) -> list[_LeftOver]:
    """The processes whose output goes to a log in this directory, but for our own session's.

    Only Linux tells; elsewhere there are none.
    """
    if logs is None or not Path("/proc/self/fd").is_dir():
        return []
    place, session, found = f"{logs}/", os.getsid(0), []
    for pid in psutil.pids():
        log = next((path for path in _outputs(pid) if path.startswith(place)), None)
        born = None if log is None else _born(pid)
        if log is None or born is None:
            continue
        with contextlib.suppress(OSError):
            if os.getsid(pid) != session:
                name = Path(log).name.partition(".")[0]
                found.append(_LeftOver(name, pid, born, _parent(pid)))
    return found


def _outputs(pid: int) -> list[str]:
    """Where the process prints to; nothing where it has ended or is another account's."""
    try:
        return [str(Path(f"/proc/{pid}/fd/{output}").readlink()) for output in _OUTPUTS]
    except OSError:
        return []


def _parent(pid: int) -> int:
    try:
        return psutil.Process(pid).ppid()
    except psutil.Error:
        return 0


def _born(pid: int) -> float | None:
    """When the process was created; None if it is gone or a zombie."""
    try:
        found = psutil.Process(pid)
        if found.status() == psutil.STATUS_ZOMBIE:
            return None
        return found.create_time()
    except psutil.Error:
        return None
