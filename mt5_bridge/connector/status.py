"""The connector's health: a small file that the running connector writes, shown on one screen."""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

FILE_NAME: Final = "status.json"
_STALE_MS: Final = 15_000


@dataclass(frozen=True, slots=True)
class ConnectorStatus:
    """What a connector says of itself. Times are Unix milliseconds, 0 for never.

    `spool_depth` counts the ticks that the server has not acknowledged, and `lag_ms` is the market
    time from the first to the last of them. `spool_trouble` says why new ticks find no place in
    the spool, and `source_trouble` why there are none; they are empty where all is well.
    """

    connector: str
    symbol: str
    source: str
    url: str
    pid: int
    written_ms: int
    started_ms: int
    line: str = "not connected"
    role: str = ""
    last_tick_ms: int = 0
    last_ack_ms: int = 0
    spool_depth: int = 0
    spool_bytes: int = 0
    spool_trouble: str = ""
    source_trouble: str = ""
    lag_ms: int = 0
    read: int = 0
    refused: int = 0
    sent: int = 0
    acknowledged: int = 0
    dropped: int = 0
    reconnects: int = 0
    clock_error_ms: int = 0
    last_error: str = ""
    is_ended: bool = False


def write_status(directory: Path, status: ConnectorStatus) -> None:
    """Put the status into ``directory``, whole or not at all; a full disk is no reason to stop."""
    path = directory / FILE_NAME
    part = path.with_suffix(".part")
    with suppress(OSError):
        part.write_text(json.dumps(asdict(status)), encoding="utf-8")
        part.replace(path)


def read_status(directory: Path) -> ConnectorStatus | None:
    """What the connector wrote last; None where nothing readable is there."""
    try:
        return ConnectorStatus(**json.loads((directory / FILE_NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def is_running(status: ConnectorStatus, now_ms: int) -> bool:
    """Whether the connector that wrote the status still lives."""
    return not status.is_ended and now_ms - status.written_ms < _STALE_MS


def screen(status: ConnectorStatus, now_ms: int) -> str:
    """The status as lines for people."""
    state = "running" if is_running(status, now_ms) else "NOT RUNNING"
    rows = [
        ("connector", f"{status.connector} ({state}, pid {status.pid})"),
        ("source", _source(status)),
        ("line", f"{status.line} to {status.url}"),
        ("role", status.role or "none yet"),
        ("last tick", f"{_ago(status.last_tick_ms, now_ms)} ({status.symbol})"),
        ("last ack", _ago(status.last_ack_ms, now_ms)),
        ("lag", _lag(status)),
        ("spool", _spool(status)),
        ("ticks", _counts(status)),
        ("clock", _clock(status.clock_error_ms)),
        ("since", f"{_ago(status.started_ms, now_ms)}, {status.reconnects} reconnects"),
        ("last error", status.last_error or "none"),
    ]
    return "\n".join(f"{name:<11} {text}" for name, text in rows)


def show(directory: Path, say: Callable[[str], None]) -> int:
    """Print the health screen; return 0 where all is well, else 1.

    All is well where the connector runs, its source has ticks to give, its line stands, and its
    spool takes them.
    """
    status = read_status(directory)
    if status is None:
        say(f"no connector has written its status to {directory}; is it the right --spool?")
        return 1
    now_ms = time.time_ns() // 1_000_000
    say(screen(status, now_ms))
    has_trouble = status.source_trouble or status.spool_trouble
    is_well = status.line == "connected" and not has_trouble
    return 0 if is_running(status, now_ms) and is_well else 1


def first_status(connector: str, symbol: str, source: str, url: str) -> ConnectorStatus:
    """The status of a connector that is just starting."""
    now_ms = time.time_ns() // 1_000_000
    return ConnectorStatus(
        connector=connector,
        symbol=symbol,
        source=source,
        url=url,
        pid=os.getpid(),
        written_ms=now_ms,
        started_ms=now_ms,
    )


def _source(status: ConnectorStatus) -> str:
    if not status.source_trouble:
        return status.source
    return f"{status.source}: {status.source_trouble}"


def _lag(status: ConnectorStatus) -> str:
    if not status.spool_depth:
        return "none: the server has everything"
    return f"the server is {status.lag_ms / 1000:.1f} s of ticks behind the source"


def _spool(status: ConnectorStatus) -> str:
    text = f"{status.spool_depth:,} ticks wait, {status.spool_bytes / 2**20:.1f} MB kept"
    return f"{status.spool_trouble}: {text}" if status.spool_trouble else text


def _counts(status: ConnectorStatus) -> str:
    return (
        f"{status.read:,} read, {status.refused:,} refused, {status.sent:,} sent, "
        f"{status.acknowledged:,} acknowledged, {status.dropped:,} dropped"
    )


def _ago(time_ms: int, now_ms: int) -> str:
    if time_ms == 0:
        return "never"
    seconds = max(now_ms - time_ms, 0) / 1000
    if seconds < 120:
        return f"{seconds:.1f} s ago"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min ago"
    return f"{seconds / 3600:.1f} h ago"


def _clock(error_ms: int) -> str:
    if abs(error_ms) <= 2000:
        return "right"
    direction = "ahead of" if error_ms > 0 else "behind"
    return f"{abs(error_ms) / 1000:.1f} s {direction} the server's; set this machine's clock"
