"""The log files of child processes: rotated at each start, their ends shown with a failure."""

from pathlib import Path

_KEPT = 3


def rotate(log: Path) -> None:
    """Move the log of the last run to `.log.1`, those before it one further; delete the oldest."""
    for number in range(_KEPT, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        newer = log if number == 1 else log.with_name(f"{log.name}.{number - 1}")
        if newer.exists():
            newer.replace(older)


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of ``log``; empty where there is none."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.strip().splitlines()[-lines:])
