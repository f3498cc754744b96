"""The log files of child processes: rotated at each start and by size, their ends shown."""

import contextlib
import os
from pathlib import Path

_KEPT = 3
#: A log that is longer than this is moved aside while its process goes on writing to it.
MOST_BYTES = 5_000_000
_BLOCK = 1 << 20


def rotate(log: Path) -> None:
    """Move the log of the last run to `.log.1`, those before it one further; delete the oldest."""
    _make_way(log)
    if log.exists():
        log.replace(_older(log, 1))


def keep_small(directory: Path, most_bytes: int) -> None:
    """Rotate those logs of a directory that have grown beyond a size; raises `OSError`.

    Their processes keep the files open, and append: what they have written is copied, not moved,
    and of more than the size its end alone. Where there is no room, all stays as it is.
    """
    for log in directory.glob("*.log"):
        if log.stat().st_size > most_bytes:
            _move_content(log, most_bytes)


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of ``log``; empty where there is none."""
    try:
        with log.open("rb") as read:
            read.seek(max(0, os.fstat(read.fileno()).st_size - _BLOCK))
            text = read.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.strip().splitlines()[-lines:])


def _make_way(log: Path) -> None:
    """Move all earlier logs one further; the oldest is deleted."""
    for number in range(_KEPT, 1, -1):
        newer = _older(log, number - 1)
        if newer.exists():
            newer.replace(_older(log, number))


def _move_content(log: Path, most_bytes: int) -> None:
    # On a full disk it is the oldest one that makes room.
    _older(log, _KEPT).unlink(missing_ok=True)
    unfinished = log.with_name(f"{log.name}.unfinished")
    try:
        with log.open("r+b") as full, unfinished.open("wb") as copy:
            full.seek(max(0, os.fstat(full.fileno()).st_size - most_bytes))
            # To the last line that is there by now, since what comes after the copy is cut off.
            while block := full.read(_BLOCK):
                copy.write(block)
            copy.flush()
            full.truncate(0)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    _make_way(log)
    unfinished.replace(_older(log, 1))


def _older(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")
