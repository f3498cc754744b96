"""Which connectors run side by side, in a small file that `status` reads."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from mt5_bridge.connector import status
from mt5_bridge.connector.clocks import wall_ms

FILE_NAME: Final = "streams.json"
WRITE_EVERY: Final = 5.0
"""Seconds after which a supervisor writes the file again, so that it is known to live."""
_STALE_MS: Final = 15_000


@dataclass(frozen=True, slots=True)
class SupervisedConnector:
    """One connector: where its spool is, and how its process does, as a supervisor sees it."""

    name: str
    spool: str
    text: str


def write_streams(directory: Path, streams: Sequence[SupervisedConnector]) -> None:
    """Put the states into ``directory``, whole or not at all; a full disk is no reason to stop."""
    path = directory / FILE_NAME
    part = path.with_suffix(".part")
    with suppress(OSError):
        directory.mkdir(parents=True, exist_ok=True)
        found = {"written_ms": wall_ms(), "streams": [asdict(each) for each in streams]}
        part.write_text(json.dumps(found), encoding="utf-8")
        part.replace(path)
        # Of a connector that ran here alone before: it is another one now.
        (directory / status.FILE_NAME).unlink(missing_ok=True)


def forget_streams(directory: Path) -> None:
    """Take the file away where one connector runs alone."""
    with suppress(OSError):
        (directory / FILE_NAME).unlink(missing_ok=True)


def show_all(directory: Path, say: Callable[[str], None]) -> int:
    """Print the health screen of each connector; return 0 where all is well with all, else 1."""
    written_ms, streams = _read(directory)
    if not streams:
        return status.show(directory, say)
    is_supervised = wall_ms() - written_ms < _STALE_MS
    worst = 0 if is_supervised else 1
    if not is_supervised:
        say("NOT RUNNING: the program that keeps these connectors running")
    for place, stream in enumerate(streams):
        if place or not is_supervised:
            say("")
        if is_supervised:
            say(f"{stream.name} {stream.text}")
        worst = max(worst, status.show(_spool(directory, stream), say))
    return worst


def _spool(directory: Path, stream: SupervisedConnector) -> Path:
    """Where it is from here: the connector may have been started in another directory."""
    return directory / Path(stream.spool).name


def _read(directory: Path) -> tuple[int, list[SupervisedConnector]]:
    """When the states were written, and the states; none where nothing readable is there."""
    try:
        found = json.loads((directory / FILE_NAME).read_text(encoding="utf-8"))
        return int(found["written_ms"]), [SupervisedConnector(**each) for each in found["streams"]]
    except (OSError, ValueError, TypeError, KeyError):
        return 0, []
